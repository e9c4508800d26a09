"""Many Applications in one stand-in, behind each of which lies only what is its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tests.argocd_standin.server import Fault, World

__all__ = ["Many"]


@dataclass(kw_only=True)
class Many(World):
    """One world an Application: each fails and changes by itself."""

    worlds: dict[str, World] = field(default_factory=dict)

    def answer(self, method: str, path: str, query: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]:
        """As the Application's own world answers; what is none is refused."""
        return self._of(path).answer(method, path, query, body)

    def fault(self, path: str) -> Fault | None:
        """What goes wrong with every request, or with those about this Application."""
        return super().fault(path) or self._of(path).fault(path)

    def _of(self, path: str) -> World:
        name = unquote(path.partition("applications/")[2].partition("/")[0])
        return self.worlds.get(name, World())
