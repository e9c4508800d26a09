"""A container from its start to its removal, and nothing of it left behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.errors import ToolError, ToolTimeout
from tools.docker.reach import GLANCE, answering
from tools.shell import OUTPUT_LIMIT, Finished, redact

if TYPE_CHECKING:
    from docker import APIClient
    from requests import Response

__all__ = ["LABEL", "Mount", "follow", "stop_all"]

LABEL = "gander.runs"  # on every container of ours
TAIL = 20  # lines of its output that an error shows

Say = Callable[[str], None]

_running: dict[str, APIClient] = {}  # containers that this process waits for
_stopped: set[str] = set()  # those of them that `stop_all` has ended
_lock = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A file or folder of the daemon's machine that a container sees."""

    source: Path
    target: str
    read_only: bool = True


def follow(client: APIClient, name: str, image: str, deadline: float, on_line: Say) -> Finished:
    """Start a container that was made to be removed when it ends, and wait until it is gone; as `Docker.run` has it."""
    with _lock:
        _running[name] = client
    try:
        return _to_its_end(client, name, image, deadline, on_line)
    finally:
        with _lock:
            del _running[name]
            _stopped.discard(name)
        if _removed(client, name):
            on_line(f"the container {name[:12]} of {image} had not ended: it was stopped and removed")


def stop_all() -> None:
    """End every container that this process waits for; who waits is told."""
    with _lock:
        running = dict(_running)
        _stopped.update(running)
    for name, client in running.items():
        with suppress(ToolError):
            _removed(client, name)


def _to_its_end(client: APIClient, name: str, image: str, deadline: float, on_line: Say) -> Finished:
    late = threading.Event()

    def expire() -> None:
        with suppress(ToolError):
            if _removed(client, name):
                late.set()

    began, lines, timer = time.monotonic(), _Lines(on_line), threading.Timer(deadline, expire)
    with ExitStack() as closing, answering(f"Docker does not tell how the container {name[:12]} of {image} ended"):
        output = closing.enter_context(_asked(client, name, "attach", stdout="1", stderr="1", stream="1"))
        gone = closing.enter_context(_asked(client, name, "wait", condition="removed"))
        with answering(f"Docker does not start {image}"):
            client.start(name)
        timer.start()
        closing.callback(timer.join)
        closing.callback(timer.cancel)
        for stream, chunk in _frames(output):
            lines.take(stream, chunk)
        ended = gone.json()
    lines.end()
    if late.is_set():
        raise ToolTimeout(
            f"{image} did not end within {deadline:.0f} s: its container was stopped and removed", why=lines.tail
        )
    if name in _stopped:
        raise ToolError(f"{image} had not ended: its container was stopped, as the run was", why=lines.tail)
    if ended.get("Error"):
        raise ToolError(f"{image} ended, and Docker does not say how", why=redact(str(ended["Error"]["Message"])))
    return Finished(code=int(ended["StatusCode"]), out=lines.text, err="", seconds=time.monotonic() - began)


def _asked(client: APIClient, name: str, what: str, **details: str) -> Response:
    """An answer that comes as the container runs, asked for before it starts, so that nothing is missed.

    The SDK's own `attach` leaves its connection open, and its `wait` returns only at the end.
    """
    url = f"{client.base_url}/v{client.api_version}/containers/{name}/{what}"
    answer = client.post(url, params=details, stream=True, timeout=(GLANCE, None))
    answer.raise_for_status()
    return answer


def _frames(output: Response) -> Iterator[tuple[int, bytes]]:
    """What a container prints, and on which output: 8 bytes before each piece say it (Docker's API, attach)."""
    while len(head := output.raw.read(8)) == 8:  # noqa: PLR2004
        yield head[0], output.raw.read(int.from_bytes(head[4:]))


def _removed(client: APIClient, name: str) -> bool:
    """End a container and take it away; whether there was one that had not ended by itself."""
    from docker.errors import APIError  # noqa: PLC0415 - start-up: only who asks for Docker loads its SDK

    with answering(f"a container may still run: docker rm --force {name[:12]}"):
        try:
            client.remove_container(name, force=True, v=True)
        except APIError as error:
            if error.status_code in {404, 409}:  # it is gone, or being removed
                return False
            raise
    return True


class _Lines:
    """What a container prints, line by line and redacted, and all of it up to a limit."""

    def __init__(self, on_line: Say) -> None:
        self._on_line = on_line
        self._size = 0
        self._kept: list[str] = []
        self._rest: dict[int, bytes] = {}

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self._kept)

    @property
    def tail(self) -> str:
        return "\n".join(self._kept[-TAIL:])

    def take(self, stream: int, chunk: bytes) -> None:
        """Hand on every line that is whole now."""
        *lines, self._rest[stream] = (self._rest.get(stream, b"") + chunk).split(b"\n")
        for line in lines:
            self._hand_on(line)

    def end(self) -> None:
        """Hand on what has no line end."""
        for line in filter(None, self._rest.values()):
            self._hand_on(line)

    def _hand_on(self, line: bytes) -> None:
        text = redact(line.decode(errors="replace").rstrip("\r"))
        self._size += len(text) + 1
        if self._size <= OUTPUT_LIMIT:
            self._kept.append(text)
        self._on_line(text)
