"""Baselines of PostgreSQL databases: pg_dump writes them, one message to the server loads them."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from schemas.errors import MigrationFailed, ServerError
from tools import shell
from tools.engine import Baseline, Say

if TYPE_CHECKING:
    import psycopg

__all__ = ["dump", "load"]

DEADLINE = 300.0  # seconds
# what a local database cannot have, as it is of a server and its roles
OPTIONS = (
    *("--schema-only", "--no-owner", "--no-privileges", "--no-tablespaces", "--no-publications", "--no-subscriptions"),
    *("--no-security-labels", "--no-password", "--lock-wait-timeout=10000"),
)
# pg_dump's notes about itself; psql's guard against what a server may have put into a dump (since 16.10)
CHATTER = re.compile(
    r"^(--\n-- PostgreSQL database dump( complete)?\n--|-- Dumped .*|\\(un)?restrict \w+)$", re.MULTILINE
)
GUARD = re.compile(rb"^\\(un)?restrict \w+[ \t]*\r?$", re.MULTILINE)
EMPTY = re.compile(r"\n{3,}")


def dump(url: str, without: Collection[str], say: Say, *, snapshot: str = "") -> str:
    """What makes the database of a URL, but for its rows, grants, owners and the version tables ``without``.

    ``snapshot`` is an exported one: the dump then shows exactly what its transaction sees.
    Raises ServerError with pg_dump's words, ToolError when it cannot be installed.
    """
    from tools.toolchain.pg_dump import pg_dump  # noqa: PLC0415 - the door to a program is opened where it is used

    tables = [name if "." in name else f"public.{name}" for name in sorted(without)]
    excluded = [f"--exclude-table={_pattern(name)}" for table in tables for name in (table, f"{table}_id_seq")]
    chosen = [f"--snapshot={snapshot}"] if snapshot else []
    done = shell.run(
        [pg_dump(say), *OPTIONS, *excluded, *chosen],
        environment=_environment(url),
        timeout=DEADLINE,
        bound_to_us=True,
        raw=True,
    )
    if done.code:
        why = "\n".join(line.removeprefix("pg_dump: ") for line in done.err.splitlines()[-6:])
        raise ServerError("pg_dump could not read the schema", why=shell.redact(why))
    if len(done.out.encode()) >= shell.OUTPUT_LIMIT:
        raise ServerError(f"the schema's dump is longer than {shell.OUTPUT_LIMIT >> 20} MiB")
    text = EMPTY.sub("\n\n", CHATTER.sub("", done.out)).strip() + "\n"
    hidden = next((line for line in text.splitlines() if line != shell.redact(line)), "")
    if hidden:
        raise ServerError(
            "the schema holds a word that is a password of this run, and would be written down with it",
            why=shell.redact(hidden.strip())[:200],
            todo="give the role another password, or take it out of the schema, then run the command again",
        )
    return text


def load(connection: psycopg.Connection[tuple[Any, ...]], baseline: Baseline) -> None:
    """Run the whole text in one transaction of an empty database.

    Raises MigrationFailed with the server's words, and the line where it tells one.
    """
    import psycopg  # noqa: PLC0415 - start-up: 0.1 s that only a run with a server needs

    text = GUARD.sub(b"", baseline.text)
    try:
        connection.execute(text)
    except psycopg.Error as error:
        said, position = error.diag, error.diag.statement_position
        line = text.decode(errors="replace")[: int(position) - 1].count("\n") + 1 if position else 0
        lines = [
            text.decode(errors="replace").splitlines()[line - 1].strip() if line else "",
            f"the server's code: {error.sqlstate}" if error.sqlstate else "",
            f"detail: {said.message_detail}" if said.message_detail else "",
            f"within: {said.context}" if said.context else "",
        ]
        raise MigrationFailed(
            f"the baseline cannot be loaded: {said.message_primary or error}",
            where=f"{baseline.path}:{line}" if line else baseline.path,
            why="\n".join(filter(None, lines)),
            todo="a baseline holds the schema alone: pg_dump --schema-only --no-owner --no-privileges",
        ) from error


def _pattern(name: str) -> str:
    """A table's name as pg_dump takes it: quoted, so that nothing in it is a pattern."""
    return ".".join(f'"{part}"' for part in name.replace('"', '""').split(".", 1))


def _environment(url: str) -> dict[str, str]:
    """The connection in libpq's variables: what is in argv, everybody may read."""
    from psycopg import pq  # noqa: PLC0415 - start-up: as psycopg itself

    users = {name: value for name, value in os.environ.items() if name.startswith("PG")}
    given = {
        option.envvar.decode(): option.val.decode()
        for option in pq.Conninfo.parse(url.encode())
        if option.envvar and option.val
    }
    return shell.inherited() | users | given
