"""The operation `revert`: a new migration whose Up is another one's Down, and the other way round."""

from __future__ import annotations

import os
from collections.abc import Sequence

from schemas.catalog import Database
from schemas.errors import Refused
from schemas.goose_file import GooseFile, GooseSyntax, parse
from schemas.irreversible import reason
from schemas.nearest import nearest
from schemas.statement import Statement
from schemas.stream import Migration, collect
from tasks import place, versions
from tasks.create.write import new_file
from tasks.work import Outcome, Work

__all__ = ["inverted", "run"]


def run(work: Work) -> Outcome:
    """Write the file and print its path on stdout. Raises Refused for an unknown version, or one without a Down."""
    database = place.owned(work.catalog, work.target)
    stream = collect(place.folder(work.catalog, database), work.catalog.root).migrations
    found = _found(database, stream, work.variables.get("version", ""))
    try:
        text = inverted(found.data, found.path)
    except GooseSyntax as refusal:
        raise Refused(refusal.message, where=f"{found.path}:{refusal.line}", todo=refusal.remedy) from refusal
    (version,) = versions.after(work.catalog, database)
    name = f"{version}_revert_{found.name.partition('_')[2]}"
    path = new_file(place.folder(work.catalog, database), name, text)
    work.out(path.relative_to(work.catalog.root).as_posix())
    work.progress.line("read it before you apply it: what it drops, it drops with its rows, and Down brings none back")
    return Outcome(summary=f"written; when it says what you mean: doit migrate:{database.label}")


def inverted(data: bytes, path: str) -> str:
    """The text of a migration that undoes one; ``path`` is the other's, for its error.

    Statements keep the text that they have in the file; each gets markers of its own, so that nothing splits it.
    Raises GooseSyntax where goose would refuse the file, Refused where it cannot be undone.
    """
    parsed = parse(data, os.environ)
    if parsed.envsub:
        raise Refused(
            "the file has ENVSUB, and the values that were put in are not known any more",
            where=path,
            todo="write the migration that takes it back by hand: doit create",
        )
    if not any(statement.text for statement in parsed.down):
        raise Refused(
            "cannot be taken back: it has no Down",
            where=path,
            why=f"it says: {because}" if (because := reason(data)) else "",
            todo="write the migration that takes it back by hand: doit create",
        )
    return _written(parsed)


def _written(parsed: GooseFile) -> str:
    parts = [] if parsed.transaction else ["-- +goose NO TRANSACTION\n"]
    down, up = ([_marked(one) for one in part if one.text] for part in (parsed.down, parsed.up))
    parts += ["-- +goose Up", *down, "", "-- +goose Down", *up]
    return "\n".join(parts) + "\n"


def _marked(statement: Statement) -> str:
    """A statement as goose would send it again: within markers where its text alone would be cut otherwise."""
    text = statement.text
    if not statement.block and text.endswith(";"):
        return text
    return f"-- +goose StatementBegin\n{text}\n-- +goose StatementEnd"


def _found(database: Database, stream: Sequence[Migration], said: str) -> Migration:
    if not said:
        newest = "\n".join(f"doit revert:{database.label} version={one.version}" for one in stream[-3:][::-1])
        raise Refused("say which version is to be taken back", todo=newest)
    for migration in stream:
        if said.lstrip("0") == str(migration.version):
            return migration
    hint = nearest(said, (str(migration.version) for migration in stream))
    raise Refused(f"{database.label} has no version {said}{hint}", todo=f"ls {database.migrations}")
