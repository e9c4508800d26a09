"""Baselines of ClickHouse databases: the server's own create statements, run one by one where they are loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.errors import MigrationFailed, ServerError
from schemas.goose_file import GooseSyntax, parse

if TYPE_CHECKING:
    from schemas.statement import Statement
    from schemas.structure import Structure
    from tools.clickhouse.server import Connected
    from tools.engine import Baseline

__all__ = ["load", "written"]

# what reads from others comes after them; within one rank, a statement whose turn has not come is tried again
RANKS = ("function", "table", "dictionary", "view", "materialized view")


def written(structure: Structure) -> str:
    """The statements that make these objects, each object after those it may read.

    A function is of the whole server and outlives the database, so it may be there already.
    """
    ordered = sorted(structure, key=lambda one: (RANKS.index(one.kind), one.name))
    texts = [structure[one].replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1) for one in ordered]
    return "\n\n".join(f"{text};" for text in texts) + "\n" if texts else ""


def load(server: Connected, database: str, baseline: Baseline) -> None:
    """Run every statement of the text in the new database, as one local server can run it.

    Raises MigrationFailed with the server's words and the line, Refused where it cannot be run locally.
    """
    try:
        text = server.staged({baseline.path: baseline.migration}, {}).texts[baseline.path]
        left: tuple[Statement, ...] = parse(text, {}).up
    except GooseSyntax as error:
        where = f"{baseline.path}:{error.line - 1}"
        raise MigrationFailed(
            f"the baseline cannot be read: {error.message}", where=where, todo=error.remedy
        ) from error
    while left:
        refused: list[tuple[Statement, ServerError]] = []
        for one in left:
            try:
                server.address.query(one.text, database=database)
            except ServerError as failed:
                refused.append((one, failed))
        if len(refused) == len(left):
            statement, reason = refused[0]
            first = statement.text.strip().splitlines()[0]
            raise MigrationFailed(
                "the baseline cannot be loaded: ClickHouse refused a statement",
                where=f"{baseline.path}:{statement.line - 1}",
                why="\n".join([first, *reason.why.splitlines()[:3]]),
                todo="correct the statement, or leave out what the local server cannot have",
            ) from reason
        left = tuple(one for one, _ in refused)
