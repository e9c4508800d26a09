"""Where the daemon is, and why it cannot be used: the SDK's many errors in words that lead on."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from schemas.errors import Refused, ToolError
from tools.shell import redact

__all__ = ["GLANCE", "address", "answering", "knock", "refusal"]

GLANCE = 10  # seconds within which a daemon says who it is
LONGEST = 300  # characters of what an error says by itself
START = "start Docker (Linux: systemctl start docker; macOS: Docker Desktop), then run the command again"


def address() -> tuple[str, dict[str, Any]]:
    """Where the daemon is, as Docker's own command finds it, and the SDK's arguments for it.

    That is ``DOCKER_HOST``, then the context of ``DOCKER_CONTEXT`` or of config.json. Raises DockerException.
    """
    from docker.context import ContextAPI  # noqa: PLC0415 - start-up: only who asks for Docker loads its SDK
    from docker.errors import DockerException  # noqa: PLC0415
    from docker.utils import kwargs_from_env  # noqa: PLC0415

    arguments: dict[str, Any] = dict(kwargs_from_env())
    if "base_url" in arguments:
        return os.environ["DOCKER_HOST"], arguments
    name = os.environ.get("DOCKER_CONTEXT")
    try:
        context = ContextAPI.get_context(name)
    except Exception as error:  # what the SDK raises for a damaged file is no narrower
        raise DockerException(str(error)) from error
    if context is None:
        raise DockerException(f"there is no context {name or 'of the name that config.json gives'}: docker context ls")
    arguments = dict(ContextAPI.kwargs_from_context(name))
    where = str(arguments["base_url"]).removeprefix("http+")
    return (where if context.Name == "default" else f"{where} (context {context.Name})"), arguments


def knock(url: str) -> None:
    """See that somebody listens, where that is a socket's path; OSError where not.

    The SDK would find that out too, but leaves the socket that it tried with open.
    """
    from docker.utils import parse_host  # noqa: PLC0415 - as above

    kind, _, path = str(parse_host(url)).partition("://")
    if kind == "http+unix":
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(GLANCE)
            probe.connect(f"/{path.lstrip('/')}")


@contextmanager
def answering(what: str) -> Iterator[None]:
    """Have everything that the SDK raises be one ToolError, in the daemon's words."""
    from docker.errors import APIError, DockerException  # noqa: PLC0415 - as above
    from requests import RequestException  # noqa: PLC0415

    try:
        yield
    except APIError as error:
        raise ToolError(what, why=redact(str(error.explanation or error))) from error
    except (DockerException, RequestException, OSError, ValueError, KeyError) as error:
        raise ToolError(what, why=redact(str(error)), todo="look whether Docker still runs: doit doctor") from error


def refusal(where: str, error: Exception) -> Refused:
    """Why no daemon can be used, and what to do about it."""
    causes = tuple(_causes(error))
    todo = "correct DOCKER_HOST, or unset it and start Docker" if os.environ.get("DOCKER_HOST") else START
    if any(isinstance(one, PermissionError) for one in causes):
        return Refused(
            f"Docker may not be used: no permission on {where}",
            why="its socket is for root and the members of its group, mostly `docker`",
            todo='sudo usermod -aG docker "$USER"   (its members can become root)\nthen log in again',
        )
    plain = (
        (FileNotFoundError, "there is no such socket"),
        (ConnectionRefusedError, "nobody listens there"),
        (socket.gaierror, "no host of that name is known"),
        (TimeoutError, f"no answer within {GLANCE} s"),
    )
    for kind, why in plain:
        if any(isinstance(one, kind) for one in causes):
            return Refused(f"no Docker daemon at {where}", why=why, todo=todo)
    said = redact(str(error)).partition("\n")[0][:LONGEST]
    return Refused(f"no Docker daemon can be used at {where}", why=said, todo=todo)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and all that it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
