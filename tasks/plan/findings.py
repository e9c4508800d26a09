"""What lint finds in the migrations of a commit: its files under its own settings, whatever the work tree has."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from threading import Lock

from schemas.catalog import Catalog, Database
from schemas.errors import GanderError
from schemas.stream import Migration
from tasks.image import content as source
from tasks.image.making import Making
from tasks.lint.base import Base, Nothing, places
from tasks.lint.base import look as look_at_base
from tasks.lint.conclude import codes
from tasks.lint.finding import Finding
from tasks.lint.known import FILE, Known
from tasks.lint.look import look
from tasks.lint.reading import Readings, files, parser
from tasks.lint.record import Records
from tasks.lint.settle import settle
from tasks.lint.stream import Stream
from tasks.work import Work
from tools.git import Repository

__all__ = ["Findings"]

ByFile = Mapping[str, Sequence[Finding]]


class Findings:
    """The findings of one commit, each database looked at once; safe to use from any thread."""

    def __init__(self, work: Work, made: Making) -> None:
        self.work, self.made = work, made
        self._lock = Lock()
        self._found: dict[tuple[str, str], ByFile | GanderError] = {}

    def of(self, service: str, key: str) -> ByFile:
        """Name of a migration of the database -> what lint finds in it. Raises what lint cannot look for it with."""
        with self._lock:
            if (service, key) not in self._found:
                try:
                    self._found[service, key] = self._of(service, key)
                except GanderError as error:
                    self._found[service, key] = error
            found = self._found[service, key]
        if isinstance(found, GanderError):
            raise found
        return found

    @cached_property
    def _repository(self) -> Repository:
        return source.repository(self.made.catalog)

    @cached_property
    def _then(self) -> Catalog:
        """The commit's services.yaml: which database is where, and how lint judges."""
        return source.as_of(self.made.catalog, self._repository, self.made.commit, self.made.catalog.root)

    @cached_property
    def _bases(self) -> Mapping[str, Base] | Nothing:
        return look_at_base(places(self._then), self.made.commit)

    def _of(self, service: str, key: str) -> ByFile:
        entry = self._then.entry(service, key)
        if not isinstance(entry, Database):
            return {}
        stream = self._stream(entry, self.made.content(service).streams[key])
        records = self.work.session.shared(
            "lint's records", lambda: Records(self.made.catalog.root / ".state" / "lint.db")
        )
        settled = self._settled(entry, stream, look(stream, records).findings)
        names = {file.path: file.name for file in stream.files}
        found: dict[str, list[Finding]] = {}
        for one in settled:
            if one.path in names:
                found.setdefault(names[one.path], []).append(one)
        return found

    def _stream(self, database: Database, migrations: Sequence[Migration]) -> Stream:
        asked = database.engine == "clickhouse"
        readings = Readings(parser(self.work.session) if asked else None)
        base = None if isinstance(self._bases, Nothing) else self._bases.get(database.migrations)
        return Stream(
            database=database,
            files=files(migrations, database, readings),
            problems=(),  # a commit that goose would refuse makes no image
            dotenvs=(),
            base=base,
            readings=readings,
        )

    def _settled(self, database: Database, stream: Stream, raw: Sequence[Finding]) -> list[Finding]:
        """What counts: waivers, severities and known findings as the commit has them."""
        judged = codes("file", "statements", "catalogue", "stream") | (codes("git") if stream.base else frozenset())
        known = stream.base.merged if stream.base else frozenset()
        merged = [file.path for file in stream.files if file.name in known]
        with tempfile.TemporaryDirectory(prefix="gander-plan-") as folder:
            catalog = self._laid_out(Path(folder))
            today = datetime.now(UTC).date()
            settled = settle(catalog, raw, stream.files, (), today=today, judged=judged, merged=merged)
            return Known(catalog, self.work.progress.line, write=False).part(database.label, settled.findings).new

    def _laid_out(self, root: Path) -> Catalog:
        """The commit's catalog, rooted where nothing is but the files that settings of lint stand in."""
        catalog = self._then._replace(root=root)
        listed = [FILE]
        if self._then.file.is_relative_to(self._then.root):
            path = self._then.file.relative_to(self._then.root)
            catalog = catalog._replace(file=root / path)
            listed.append(path.as_posix())
        for one in listed:
            text = self._repository.text(self.made.commit, one)
            if text is not None:
                (root / one).parent.mkdir(parents=True, exist_ok=True)
                (root / one).write_text(text, encoding="utf-8")
        return catalog
