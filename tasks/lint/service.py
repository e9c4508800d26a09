"""The files of a service beside its migrations, and those of the monorepo around all services, as rules see them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from schemas.catalog import Service as Entry
from tasks.lint.source import Kind, Source

__all__ = ["Service"]


class Service:
    """The subject of rules that look at other files than migrations.

    ``entry`` is the service's in services.yaml; None for what lies around the services, which has no name either.
    """

    def __init__(self, entry: Entry | None, sources: tuple[Source, ...]) -> None:
        self.entry, self.sources = entry, sources
        self.name = entry.name if entry else ""

    def of(self, *kinds: Kind) -> Iterator[Source]:
        """Its files of these kinds, by path."""
        return (one for one in self.sources if one.kind in kinds)

    def source(self, path: str) -> Source | None:
        """One file; None for one that it has not."""
        return self._by_path.get(path)

    def typed(self, verb: str) -> str:
        """How a verb of ours is typed for it: ``doit migrate:auth-service``, ``doit migrate``."""
        return f"doit {verb}:{self.name}" if self.name else f"doit {verb}"

    @cached_property
    def _by_path(self) -> dict[str, Source]:
        return {one.path: one for one in self.sources}
