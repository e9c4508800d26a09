"""What an interrupted run left behind of files that have no transaction, and whether they may run again."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from schemas.errors import Refused, ServerError
from schemas.goose_file import parse
from schemas.stream import Migration
from tasks import place
from tasks.migrate.site import Site
from tools.engine import Contents, Index
from tools.journal import Begun

__all__ = ["clear", "give_up", "no_invalid_index"]


def clear(site: Site, contents: Contents, pending: Sequence[Migration]) -> list[str]:
    """Make it safe to run these files: say what an interrupted one of them did, and drop the indexes that it left.

    Return the indexes that are there then, by qualified name. Raises Refused where running a file again would do
    twice what must be done once.
    """
    begun = site.journal.begun(site.history(contents))
    held = place.half_done(site.database, contents, site.journal)
    for file in pending:
        if file.version in held:
            _say_again(site, file, begun[file.version])
    return _without_its_indexes(site, begun, pending)


def give_up(site: Site, after: Contents, pending: Iterable[Migration], left: Collection[int], done: int | None) -> None:
    """Keep a note only of what may be half done: the first file left, when it has no transaction to roll back.

    ``done`` is how many of its statements were done; with none, nothing is half done.
    """
    half_done = {file.version for file in _unguarded(site, pending) if left and file.version == min(left) and done != 0}
    history = site.history(after)
    unmarked = {file.version for file in pending} - half_done
    site.journal.settle(history, site.journal.records(history), given_up=unmarked)
    for version in half_done:
        if done is not None:
            site.journal.halted(history, version, done)


def no_invalid_index(site: Site, pending: Iterable[Migration]) -> None:
    """Look at the indexes of files that goose has recorded; ServerError when one of them is invalid nevertheless."""
    unguarded = _unguarded(site, pending)
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


def _say_again(site: Site, file: Migration, begun: Begun) -> None:
    """Say whether running the file again is safe, before it runs; Refused where it is not."""
    statements = parse(file.data, os.environ).up
    known = statements if begun.done is None else statements[: begun.done]
    once = [
        one
        for one, again in zip(known, site.server.repeatable([one.text for one in known]), strict=True)
        if again is False
    ]
    seen = "was interrupted" if begun.done is None else f"stopped half-way, with {_count(begun.done)} done"
    if once:
        raise Refused(
            f"{site.database.label}: the file {seen}, and this statement cannot be run twice",
            where=f"{file.path}:{once[0].line}",
            why="ClickHouse has no transactions: what was done is still there",
            todo="write it so that it can run again (IF NOT EXISTS, IF EXISTS), or take it out if it is done\n"
            f"or, if its rows may go, rebuild the local database: doit reset:{site.database.label}",
        )
    if site.database.engine == "clickhouse":
        safe = "safe: each of its statements can be repeated"
        site.progress.line(f"{site.database.label}: {file.name} {seen}; running it again is {safe}")
    else:
        site.progress.line(
            f"{site.database.label}: {file.name} {seen}; it has no transaction, and runs again from its top"
        )


def _without_its_indexes(site: Site, begun: Mapping[int, Begun], pending: Iterable[Migration]) -> list[str]:
    """Drop the indexes that an interrupted run left, valid or not: the file makes them anew.

    goose would stumble over a valid one and, with IF NOT EXISTS, record success over an invalid one.
    """
    there = site.server.indexes(site.name)
    doomed: list[Index] = []
    for file in _unguarded(site, pending):
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


def _unguarded(site: Site, files: Iterable[Migration]) -> list[Migration]:
    return [file for file in files if not place.has_transaction(site.database, file.data)]


def _named(file: Migration, indexes: Iterable[Index]) -> list[Index]:
    """The indexes whose name stands in the file."""
    text = file.data.decode(errors="replace")
    return [index for index in indexes if re.search(rf"(?<!\w){re.escape(index.name)}(?!\w)", text, re.IGNORECASE)]


def _count(statements: int) -> str:
    return "1 statement" if statements == 1 else f"{statements} statements"
