"""The operation `rollback`: take the newest migrations of a local database back with the real goose."""

from __future__ import annotations

import os
from collections.abc import Sequence

from schemas.catalog import Database
from schemas.errors import Refused
from schemas.stream import read
from schemas.target import LOCAL
from tasks import place
from tasks.migrate import undo
from tasks.migrate.site import Site
from tasks.reset import local_only
from tasks.work import Outcome, Work

__all__ = ["run"]


def run(work: Work) -> Outcome:
    """Undo down to ``to=VERSION`` (default: the newest one), with the texts that the files were applied with.

    What the Down sections would take away is tried first in a transaction that is rolled back, and named; with rows
    it asks. Raises Refused where a Down is missing or a version is unknown, MigrationFailed when a Down fails.
    """
    database = local_only(work)
    files = read(place.folder(work.catalog, database), work.catalog.root, os.environ).migrations
    server, name = work.session.server(database.engine), database.names[LOCAL]
    with server.exclusive(name, work.progress.now):
        site = Site.of(work.catalog, database, server, work.session.engine(database.engine).driver, work.progress)
        contents = site.look()
        if not contents.exists:
            raise Refused(f"the local database {name} does not exist", todo=f"doit migrate:{database.label}")
        site.settle(contents, files)
        held = [row.version for row in contents.tables.get(database.table, ())]
        if not held:
            return Outcome(summary="nothing is applied, nothing to take back")
        to = _destination(work, database, held)
        going = [version for version in reversed(held) if version > to]
        if not going:
            return Outcome(summary=f"stands at {held[-1]} already")
        count = "1 file" if len(going) == 1 else f"{len(going)} files"
        undo.take_down(work, site, contents, files, going, f"rollback of {count}")
    return Outcome(summary=f"{count} taken back, now at {to or 'nothing'}", values={"version": to})


def _destination(work: Work, database: Database, held: Sequence[int]) -> int:
    said = work.variables.get("to")
    if said is None:
        return held[-2] if len(held) > 1 else 0
    if not said.isdigit() or (int(said) and int(said) not in held):
        newest = ", ".join(str(version) for version in reversed(held[-5:]))
        raise Refused(
            f"{database.label}: version {said} is not applied",
            why=f"applied, newest first: {newest}{' …' if len(held) > 5 else ''}",  # noqa: PLR2004 - fits a line
            todo=f"doit rollback:{database.label} to={held[-2] if len(held) > 1 else 0}   (0 takes all back)",
        )
    return int(said)
