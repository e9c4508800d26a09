"""The one door to Docker: the daemon that its own command would use, spoken to by its SDK for Python."""

from __future__ import annotations

from tools.docker.container import Mount, stop_all
from tools.docker.door import Docker, Held, usable

__all__ = ["Docker", "Held", "Mount", "stop_all", "usable"]
