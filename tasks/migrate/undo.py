"""Take applied files down with the real goose, with the texts that they were applied with."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from schemas.errors import Refused, StreamError
from schemas.goose_file import GooseFile, GooseSyntax, parse
from schemas.goose_log import Ran
from schemas.statement import Statement
from schemas.stream import Migration
from tasks import confirm, place
from tasks.migrate import failure
from tasks.migrate.site import Site
from tasks.work import Work
from tools import goose
from tools.engine import Contents, Losses
from tools.journal import Record

__all__ = ["take_down"]


def take_down(  # noqa: PLR0917 - all that was learnt on the way
    work: Work, site: Site, contents: Contents, files: Sequence[Migration], going: Sequence[int], what: str
) -> None:
    """Undo the versions ``going``, newest first: all that are held from the lowest of them on.

    What their Down sections would take away is tried first in a transaction that is rolled back, and named as
    ``what`` of the database; with rows it asks. Raises Refused where a Down is missing or rows may not go,
    MigrationFailed when a Down fails.
    """
    records = site.journal.records(site.history(contents))
    texts = _texts(site, going, records)
    losses = _losses(site, going, records)
    confirm.losing(work, f"{what} of {site.database.label} (local database {site.name})", losses, site.database.service)
    below = [row.version for row in contents.tables.get(site.database.table, ()) if row.version < min(going)]
    doomed = [_as_applied(files, records[version]) for version in going]
    unguarded = [file.version for file in doomed if not place.has_transaction(site.database, file.data)]
    done = 0

    def on_file(ran: Ran) -> None:
        nonlocal done
        done += 1
        work.progress.file(ran.name, ran.seconds, done, len(going))

    as_run = site.texts(doomed)
    site.journal.undo(site.history(contents), unguarded)
    with site.staged(texts | as_run) as folder:
        to = max(below, default=0)
        result = goose.down_to(to, folder, site.connection(doomed), on_file=on_file, say=work.progress.now)
    after = site.look()
    site.settle(after, files)
    left = {row.version for row in after.tables.get(site.database.table, ())} & set(going)
    if result.code != 0 or left:
        raise failure.explain(site, doomed, doomed, as_run, result, left=left, direction="down")


def _texts(site: Site, going: Sequence[int], records: Mapping[int, Record]) -> dict[str, bytes]:
    """The files for goose: each applied version with the text it was applied with; each that goes must have a Down."""
    for version in going:
        held = records.get(version)
        if held is None:
            raise Refused(
                f"{site.database.label}: version {version} is applied, but its file is gone and was never seen here",
                todo=f"bring the file back into {site.database.migrations}",
            )
        if not _parsed(site, held).down:
            raise Refused(
                f"{held.name} has no Down: goose would only delete its version, and the tables would stay",
                where=f"{site.database.migrations}/{held.name}",
                todo=f"rebuild instead: doit reset:{site.database.label}",
            )
    return {record.name: record.body for record in records.values()}


def _losses(site: Site, going: Sequence[int], records: Mapping[int, Record]) -> Losses:
    """What the Downs would take away, as far as they can be tried; Refused where that is goose's version table."""
    parsed = [(records[version], _parsed(site, records[version])) for version in going]
    tried = [pair for pair in parsed if site.database.engine == "clickhouse" or pair[1].transaction]
    statements = [(record, one) for record, file in tried for one in file.down]
    losses = site.server.try_down(site.name, [one.text for _, one in statements])
    if site.database.table in losses.tables:
        raise _own_table(site, statements)
    if not site.server.rows(site.name):
        return Losses(tables={})
    untried = [record.name for record, file in parsed if (record, file) not in tried]
    if not untried:
        return losses
    cannot = f"not tried beforehand, as it has no transaction: {', '.join(untried)}"
    return Losses(tables=losses.tables, columns=losses.columns, untried=(*losses.untried, cannot))


def _own_table(site: Site, statements: Sequence[tuple[Record, Statement]]) -> Refused:
    """The refusal of the first statement that would take the version table away."""
    texts, table = [one.text for _, one in statements], site.database.table
    count = next(n for n in range(1, len(texts) + 1) if table in site.server.try_down(site.name, texts[:n]).tables)
    record, guilty = statements[count - 1]
    return Refused(
        f"the Down of {record.name} would take {table} away, where goose notes what is applied",
        where=f"{site.database.migrations}/{record.name}:{guilty.line}",
        why="goose would fail in the middle, with the tables gone or changed and nothing noted of it",
        todo=f"rebuild instead: doit reset:{site.database.label}",
    )


def _parsed(site: Site, held: Record) -> GooseFile:
    """The file as it was applied; StreamError where goose would not take it now, for want of a variable."""
    try:
        return parse(held.body, os.environ)
    except GooseSyntax as refusal:
        where = f"{site.database.migrations}/{held.name}:{refusal.line}"
        raise StreamError(f"{site.database.label}: {refusal.message}", where=where, todo=refusal.remedy) from refusal


def _as_applied(files: Sequence[Migration], record: Record) -> Migration:
    """The migration with the text that goes to goose, under the path that the user knows."""
    path = next((file.path for file in files if file.version == record.version), record.name)
    return Migration(version=record.version, name=record.name, path=path, sha256=record.sha256, data=record.body)
