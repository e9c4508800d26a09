"""A relay before a server of a test: it counts what goes there, and can end who sends it at any byte or word."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

__all__ = ["Relay", "relay"]


class Relay:
    """Connections to ``host`` go on to another port of this machine."""

    def __init__(self, to: str, door: socket.socket) -> None:
        self.host, self._to, self._door = f"127.0.0.1:{door.getsockname()[1]}", int(to.rpartition(":")[2]), door
        self._lock = threading.Lock()
        self.passed = 0  # bytes to the server
        self._end: int | bytes | None = None
        self._act: Callable[[], None] | None = None

    def until(self, end: int | bytes, act: Callable[[], None]) -> None:
        """Count anew, and act once that many bytes have gone to the server, or when this is the next to go there."""
        with self._lock:
            self.passed, self._end, self._act = 0, end, act

    def serve(self) -> None:
        """Take connections until the door is closed."""
        with suppress(OSError):
            while True:
                ours, _ = self._door.accept()
                theirs = socket.create_connection(("127.0.0.1", self._to))
                threading.Thread(target=self._pump, args=(ours, theirs, self._passed), daemon=True).start()
                threading.Thread(target=self._pump, args=(theirs, ours, bytes), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, passed: Callable[[bytes], bytes]) -> None:
        with suppress(OSError):
            while chunk := source.recv(65536):
                sink.sendall(passed(chunk))
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _passed(self, chunk: bytes) -> bytes:
        """What of it goes to the server: at the end that was set, no more than that."""
        with self._lock:
            before, self.passed = self.passed, self.passed + len(chunk)
            left = chunk.find(self._end) if isinstance(self._end, bytes) else (self._end or self.passed + 1) - before
            act = self._act
            if act is None or left < 0 or left > len(chunk):
                return chunk
            self._act = None
        act()
        return chunk[:left]


@contextmanager
def relay(to: str) -> Iterator[Relay]:
    """A relay to ``127.0.0.1:PORT``, until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        one = Relay(to, door)
        thread = threading.Thread(target=one.serve, daemon=True)
        thread.start()
        yield one
        door.shutdown(socket.SHUT_RDWR)
        thread.join()
