"""One local database while a step holds its lock: what it holds, what we recorded of it, and the files goose gets."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from schemas.catalog import Catalog, Database
from schemas.errors import StreamError
from schemas.stream import Migration, read
from schemas.target import LOCAL
from tasks import place
from tasks.migrate.plan import Plan
from tasks.work import Progress
from tools import goose
from tools.engine import Contents, Server
from tools.journal import History, Journal, Record, now

__all__ = ["Site", "migrations"]


def migrations(catalog: Catalog, database: Database) -> tuple[Migration, ...]:
    """The stream's files, in order.

    Raises StreamError with everything that goose would refuse, misread or panic over, before any database is touched.
    """
    stream = read(place.folder(catalog, database), catalog.root, os.environ)
    if stream.problems:
        first, count = stream.problems[0], len(stream.problems)
        listed = [f"{p.path}:{p.line}: {p.message}" if p.line else f"{p.path}: {p.message}" for p in stream.problems]
        raise StreamError(
            f"{database.label}: {'one migration' if count == 1 else f'{count} migrations'} cannot be run",
            why="\n".join(listed),
            todo="\n".join(dict.fromkeys(p.remedy for p in stream.problems if p.remedy)) or f"correct {first.path}",
        )
    return stream.migrations


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A local database whose lock is held, and all that is needed to change it and to remember what was done."""

    catalog: Catalog
    database: Database
    server: Server
    progress: Progress
    driver: str
    application: str  # how this run's sessions are known to the server
    journal: Journal  # where what was applied is remembered
    scratch: bool = False  # made for a test, and gone after it

    @classmethod
    def of(
        cls,
        catalog: Catalog,
        database: Database,
        server: Server,
        driver: str,
        progress: Progress,
        *,
        scratch: bool = False,
    ) -> Site:
        """A site with a session name of its own."""
        return cls(
            catalog=catalog,
            database=database,
            server=server,
            driver=driver,
            progress=progress,
            application=f"gander goose {uuid.uuid4().hex[:12]}",
            journal=place.journal(catalog),
            scratch=scratch,
        )

    @property
    def name(self) -> str:
        """The physical database's name."""
        return self.database.names[LOCAL]

    def look(self) -> Contents:
        """What the database holds now."""
        return self.server.contents([self.name])[self.name]

    def history(self, contents: Contents) -> History:
        """Whose records these contents are."""
        return place.history(self.database, contents)

    def settle(self, contents: Contents, files: Sequence[Migration]) -> int:
        """Make the journal equal to what the database holds; return how many versions were taken as they are on disk.

        A version that was begun and is now held was applied with the text it was begun with; one that we have never
        seen is taken as it stands on disk.
        """
        history = self.history(contents)
        known, begun = self.journal.records(history), self.journal.begun(history)
        on_disk = {file.version: file for file in files}
        records: dict[int, Record] = {}
        taken = 0
        for row in contents.tables.get(self.database.table, ()):
            if row.version in begun:
                records[row.version] = begun[row.version].record
            elif row.version in known:
                records[row.version] = known[row.version]
            elif row.version in on_disk:
                records[row.version] = record(on_disk[row.version])
                taken += 1
        if records != known or begun.keys() & records.keys():
            self.journal.settle(history, records)
        held = {row.version for row in contents.tables.get(self.database.table, ())}
        gone = self.journal.undoing(history) - held
        if gone:
            self.journal.undone(history, gone)
        return taken

    def plan(self, contents: Contents, files: Sequence[Migration]) -> Plan:
        """What migrating would do, by what the database holds and the journal knows."""
        return place.plan(self.catalog, self.database, files, contents, self.journal)

    def texts(self, files: Iterable[Migration]) -> dict[str, bytes]:
        """These files as goose shall run them here, by name; what that leaves unproved is said.

        Raises StreamError and Refused where they cannot be made to run on one local server.
        """
        staged = self.server.staged({file.path: file.data for file in files}, os.environ)
        for remark in staged.remarks:
            self.progress.line(f"{self.database.label}: {remark}")
        return {Path(path).name: text for path, text in staged.texts.items()}

    def connection(self, files: Iterable[Migration]) -> goose.Connection:
        """What goose needs to run these files on it."""
        return goose.Connection(
            driver=self.driver,
            url=self.server.url(self.name, application=self.application),
            table=self.database.table,
            substitutions=place.substitutions(files),
        )

    @contextmanager
    def staged(self, texts: Mapping[str, bytes]) -> Iterator[Path]:
        """A folder for goose with exactly these files: what was hashed is what runs, whatever is edited meanwhile."""
        state = self.catalog.root / ".state"
        staging = state / "scratch" / "staging" if self.scratch else state / "staging"
        folder = staging / self.database.service / self.database.key
        shutil.rmtree(folder, ignore_errors=True)  # left by a killed run; the lock says that nobody uses it
        folder.mkdir(parents=True, mode=0o700)
        try:
            for name, text in texts.items():
                (folder / name).write_bytes(text)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def record(file: Migration) -> Record:
    """A migration as it stands on disk, to be remembered."""
    return Record(version=file.version, name=file.name, sha256=file.sha256, body=file.data, at=now())
