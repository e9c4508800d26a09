"""The real goose: how it is called so that nothing leaks and nothing of the surroundings changes what it does."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.goose_log import GooseLog, Ran, parse_line, parse_log
from tools import shell, toolchain
from tools.engine import Say

__all__ = ["Connection", "Result", "down_to", "up"]

DEADLINE = 12 * 3600.0  # seconds; a net for a hung server, not a limit on a migration


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where goose works: its driver, the URL with the password, the version table, and what ENVSUB may see."""

    driver: str
    url: str
    table: str
    substitutions: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a run of goose ended: its exit code (negative: the signal that ended it), its log read and raw."""

    code: int
    log: GooseLog
    raw: str


def up(folder: Path, connection: Connection, *, on_file: Callable[[Ran], None], say: Say) -> Result:
    """Apply every pending file of the folder."""
    return _run(("up",), folder, connection, on_file, say)


def down_to(version: int, folder: Path, connection: Connection, *, on_file: Callable[[Ran], None], say: Say) -> Result:
    """Undo every applied file above that version, newest first; 0 undoes all."""
    return _run(("down-to", str(version)), folder, connection, on_file, say)


def environment(connection: Connection) -> Mapping[str, str]:
    """The whole environment of goose: ENVSUB may read any variable of the process, so there are few."""
    return {
        **shell.inherited("PGPASSWORD", "PGPASSFILE"),  # for a server of the user's own whose URL holds no password
        **connection.substitutions,
        "GOOSE_DRIVER": connection.driver,
        "GOOSE_DBSTRING": connection.url,
        "GOOSE_MIGRATION_DIR": ".",  # goose takes a path as a pattern, and the working directory's may hold [ or *
        "GOOSE_TABLE": connection.table,
        "NO_COLOR": "1",
    }


def _run(
    command: Sequence[str], folder: Path, connection: Connection, on_file: Callable[[Ran], None], say: Say
) -> Result:
    shell.hide(os.environ.get("PGPASSWORD", ""))

    def line(text: str) -> None:
        ran = parse_line(text)
        if ran:
            on_file(ran)

    # -env=none: goose 3.24 and later read a .env of the working directory, which could lead to another database
    done = shell.run(
        [toolchain.goose(say), "-env=none", *command],
        environment=environment(connection),
        timeout=DEADLINE,
        cwd=folder,
        on_line=line,
        bound_to_us=True,
    )
    return Result(code=done.code, log=parse_log(done.err), raw=done.err)
