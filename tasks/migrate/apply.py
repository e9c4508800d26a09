"""The step `migrate`: bring one local database to head with the real goose, and check that it is there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from schemas.catalog import Database, Reference
from schemas.errors import Refused, ServerError
from schemas.goose_log import Ran
from schemas.stream import Migration
from schemas.target import LOCAL
from tasks import place
from tasks.migrate import failure
from tasks.migrate.plan import Plan
from tasks.migrate.site import Site, migrations, record
from tasks.work import Outcome, Work
from tools import goose
from tools.engine import Contents, Index

__all__ = ["bring_to_head", "run"]


def run(work: Work) -> Outcome:
    """Apply what is pending in the target's database; for a reference, check that its owner's database is at head.

    Raises StreamError, Refused, MigrationFailed, ServerError, ToolError.
    """
    found = place.entry(work.catalog, work.target)
    if isinstance(found, Reference):
        return _reference(work, found)
    files = migrations(work.catalog, found)
    server = work.session.server(found.engine)
    driver = work.session.engine(found.engine).driver
    with server.exclusive(found.names[LOCAL], work.progress.now):
        return bring_to_head(Site.of(work.catalog, found, server, driver, work.progress), files)


def bring_to_head(site: Site, files: Sequence[Migration]) -> Outcome:
    """Create the database where it is missing, apply every pending file, and look whether all are held."""
    site.server.create(site.name)
    contents = site.look()
    taken = site.settle(contents, files)
    decided = site.plan(contents, files)
    refuse(site.database, decided)
    if taken:
        site.progress.line(
            f"{site.database.label}: {taken} applied files had not been seen here before; taken as they are on disk"
        )
    if not decided.pending:
        return Outcome(summary=f"at head, {_count(files)}", values={"applied": []})
    pending = [file for file in files if file.version in {one.version for one in decided.pending}]
    indexes = _clear_half_done(site, contents, pending)
    site.journal.begin(site.history(contents), [record(file) for file in pending], indexes)
    result = _goose_up(site, files, pending)
    after = site.look()
    site.settle(after, files)
    left = {file.version for file in site.plan(after, files).pending}
    if result.code != 0 or left:
        _give_up(site, after, pending, left)
        raise failure.explain(site, files, pending, result, left=left)
    _no_invalid_index(site, pending)
    return Outcome(summary=f"{_count(pending)} applied", values={"applied": [file.name for file in pending]})


def refuse(database: Database, decided: Plan) -> None:
    """Raise Refused with every reason why goose must not run, if there is one."""
    if not decided.refusals:
        return
    listed = [f"{refusal.path} {refusal.message}" for refusal in decided.refusals]
    ways = dict.fromkeys(way for refusal in decided.refusals for way in refusal.ways_out)
    raise Refused(
        f"{database.label}: nothing was run; the files and the database do not fit together",
        why="\n".join(listed),
        todo="\n".join(ways),
    )


def _goose_up(site: Site, files: Sequence[Migration], pending: Sequence[Migration]) -> goose.Result:
    done = 0

    def on_file(ran: Ran) -> None:
        nonlocal done
        done += 1
        site.progress.file(ran.name, ran.seconds, done, len(pending))

    site.progress.file(pending[0].name, None, 0, len(pending))
    with site.staged({file.name: file.data for file in files}) as folder:
        return goose.up(folder, site.connection(files), on_file=on_file, say=site.progress.now)


def _clear_half_done(site: Site, contents: Contents, pending: Iterable[Migration]) -> list[str]:
    """Drop the indexes that an interrupted run of a NO TRANSACTION file left, valid or not: the file makes them anew.

    goose would stumble over a valid one and, with IF NOT EXISTS, record success over an invalid one.
    Return the indexes that are there then, by qualified name.
    """
    begun, there = site.journal.begun(site.history(contents)), site.server.indexes(site.name)
    doomed: list[Index] = []
    for file in _without_transaction(pending):
        earlier = begun.get(file.version)
        for index in _named(file, there):
            its_own = earlier is not None and index.qualified not in earlier.indexes
            if not index.valid or its_own:
                doomed.append(index)
                state = "unfinished" if not index.valid else "unrecorded"
                site.progress.line(
                    f"{site.database.label}: {file.name} was interrupted; its {state} index {index.name}"
                    f" on {index.table} is dropped before the file runs again"
                )
    if doomed:
        site.server.drop_indexes(site.name, doomed)
    return [index.qualified for index in there if index not in doomed]


def _give_up(site: Site, after: Contents, pending: Iterable[Migration], left: set[int]) -> None:
    """Keep a note only of what may be half done: the first file left, when it has no transaction to roll back."""
    half_done = {file.version for file in _without_transaction(pending) if left and file.version == min(left)}
    history = site.history(after)
    unmarked = {file.version for file in pending} - half_done
    site.journal.settle(history, site.journal.records(history), given_up=unmarked)


def _no_invalid_index(site: Site, pending: Iterable[Migration]) -> None:
    unguarded = _without_transaction(pending)
    there = site.server.indexes(site.name) if unguarded else ()
    for file in unguarded:
        for index in _named(file, there):
            if not index.valid:
                raise ServerError(
                    f"{index.name} on {index.table} is invalid, although goose recorded the file as applied",
                    where=file.path,
                    why="queries do not use an invalid index and writes still pay for it",
                    todo=f"take the file back and run it again: doit rollback:{site.database.label}",
                )


def _without_transaction(files: Iterable[Migration]) -> list[Migration]:
    return [file for file in files if not place.has_transaction(file.data)]


def _named(file: Migration, indexes: Iterable[Index]) -> list[Index]:
    """The indexes whose name stands in the file."""
    text = file.data.decode(errors="replace")
    return [index for index in indexes if re.search(rf"(?<!\w){re.escape(index.name)}(?!\w)", text, re.IGNORECASE)]


def _reference(work: Work, reference: Reference) -> Outcome:
    owner = work.catalog.owner(reference)
    files = migrations(work.catalog, owner)
    name = owner.names[LOCAL]
    contents = work.session.server(owner.engine).contents([name])[name]
    versions = place.plan(owner, files, contents, place.journal(work.catalog)).versions
    behind = [version for version in versions if version.state != "applied"]
    if behind:
        raise Refused(
            f"{reference.label} refers to {owner.label}, which is not at head: {len(behind)} of {len(versions)} files",
            todo=f"doit migrate:{owner.label}",
        )
    return Outcome(summary=f"at head through {owner.label}", values={"applied": []})


def _count(files: Sequence[object]) -> str:
    return "1 file" if len(files) == 1 else f"{len(files)} files"
