"""A program that stays, and is asked again and again."""

from __future__ import annotations

import os
import selectors
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from schemas.errors import ToolError, ToolTimeout
from tools.children import leave, start
from tools.shell import redact

__all__ = ["Dialogue"]


class Dialogue:
    """A program that stays and is asked again and again, in bytes; for one thread at a time.

    What it says is whole and not redacted, so never to be shown. Raises ToolError when it cannot be started or has
    ended, and ToolTimeout when it says nothing for ``timeout`` seconds.
    """

    def __init__(
        self, command: Sequence[str | Path], *, environment: Mapping[str, str], timeout: float, cwd: Path | None = None
    ) -> None:
        self.name, self.timeout = Path(command[0]).name, timeout
        self._child = start(command, environment, cwd, stdin=subprocess.PIPE)
        self._held, self._complaint = bytearray(), bytearray()
        self._selector = selectors.DefaultSelector()
        for stream, kept in ((self._child.stdout, self._held), (self._child.stderr, self._complaint)):
            if stream:
                self._selector.register(stream.fileno(), selectors.EVENT_READ, kept)

    def tell(self, data: bytes) -> None:
        """Give it that much to read: less than a pipe holds, as nobody reads its answer meanwhile."""
        stdin = self._child.stdin
        try:
            if stdin:
                stdin.write(data)
                stdin.flush()
        except OSError:
            raise self._ended() from None

    def line(self) -> bytes:
        """The next line of its answer, without its end."""
        while (end := self._held.find(b"\n")) < 0:
            self._more()
        return self._taken(end + 1)[:-1]

    def exactly(self, count: int) -> bytes:
        """The next bytes of its answer."""
        while len(self._held) < count:
            self._more()
        return self._taken(count)

    def close(self) -> None:
        """End it."""
        self._selector.close()
        leave(self._child)

    def _taken(self, count: int) -> bytes:
        taken = bytes(self._held[:count])
        del self._held[:count]
        return taken

    def _more(self) -> None:
        ready = self._selector.select(self.timeout)
        if not ready:
            raise ToolTimeout(f"{self.name} said nothing for {self.timeout:.0f} s and was stopped")
        for key, _ in ready:
            chunk = os.read(key.fd, 1 << 20)
            key.data.extend(chunk)
            if not chunk:
                self._selector.unregister(key.fd)
                if key.data is self._held:
                    raise self._ended()

    def _ended(self) -> ToolError:
        said = redact(self._complaint.decode(errors="replace").strip()[-2000:])
        return ToolError(f"{self.name} ended before it had answered", why=said)
