"""Which TCP port of this machine a server can listen on, and how a container calls it."""

from __future__ import annotations

import socket
import sys

__all__ = ["any_port", "free", "from_container"]

OUTSIDE = "host.docker.internal"  # this machine, for a container of Docker Desktop (its manual, "Networking")


def free(port: int) -> bool:
    """Whether nobody listens on this port of the loopback address now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def any_port() -> int:
    """A port of the loopback address that is free now; somebody else may take it before a server does."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def from_container(url: str) -> str:
    """A URL on loopback as a container has it: Linux lends it its own network, elsewhere Docker runs in a machine."""
    return url if sys.platform == "linux" else url.replace("127.0.0.1", OUTSIDE)
