"""The policy's templates: one file each, in which ``<word>`` is filled in and ``--? fact line`` stands where it holds.

The SQL is the policy's (file ``.ai/database.md`` of a monorepo that follows it) and that of the example's migrations.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from schemas.catalog import EngineName
from schemas.errors import Refused

__all__ = ["KINDS", "Subject", "fill", "kinds", "subject"]

FOLDER = Path(__file__).with_name("templates")
KINDS = ("table", "column", "index", "enum", "function", "backfill", "irreversible")
CONDITION = re.compile(r"--\? (?P<fact>\w+)(?: (?P<line>.*))?")
WORD = re.compile(r"<(\w+)>")
NAMED = {  # what a migration's name says of its table and column
    "table": r"(?:add|create|new)_(?P<table>\w+)|(?P<whole>\w+)",
    "enum": r"(?:add|create|new)_(?P<table>\w+)|(?P<whole>\w+)",
    "column": r"(?:add_)?(?P<column>\w+)_to_(?P<table>\w+)",
    "index": r"index_(?P<table>\w+)_(?:by|on)_(?P<column>\w+)",
    "function": r"\w+_(?:on|of|to)_(?P<table>\w+)",
    "backfill": r"backfill_(?P<column>\w+)_(?:of|in|on)_(?P<table>\w+)",
    "irreversible": r"drop_(?P<column>\w+)_(?:of|from)_(?P<table>\w+)",
}
SHOWN = {
    "column": "add_COLUMN_to_TABLE",
    "index": "index_TABLE_by_COLUMN",
    "function": "touch_rows_of_TABLE",
    "backfill": "backfill_COLUMN_of_TABLE",
    "irreversible": "drop_COLUMN_from_TABLE",
}


class Subject(NamedTuple):
    """What a new migration is about."""

    table: str
    column: str = ""


def kinds(engine: EngineName) -> tuple[str, ...]:
    """The kinds of migration that there is a template for."""
    return tuple(kind for kind in KINDS if (FOLDER / engine / f"{kind}.sql").exists())


def subject(kind: str, name: str, *, table: str = "", column: str = "") -> Subject:
    """The table and column of a new migration: as given, else as its name says; Refused where neither says it."""
    found = re.fullmatch(NAMED[kind], name)
    said = found.groupdict("") if found else {}
    about = Subject(table=table or said.get("table") or said.get("whole", ""), column=column or said.get("column", ""))
    needed = ("table", "column") if "(?P<column>" in NAMED[kind] else ("table",)
    missing = [word for word in needed if not getattr(about, word)]
    if missing:
        raise Refused(
            f"like={kind} needs a {' and a '.join(missing)}, and the name {name} does not say it",
            todo=f"name it {SHOWN[kind]}, or add {' '.join(f'{word}=…' for word in missing)}",
        )
    return about


def fill(engine: EngineName, kind: str, words: Mapping[str, str], facts: Collection[str]) -> str:
    """The text of a template with these words, and with the lines whose fact holds."""
    lines = []
    for line in (FOLDER / engine / f"{kind}.sql").read_text(encoding="utf-8").splitlines():
        condition = CONDITION.fullmatch(line)
        if condition is None:
            lines.append(line)
        elif condition["fact"] in facts:
            lines.append(condition["line"] or "")
    return WORD.sub(lambda found: words[found[1]], "\n".join(lines)) + "\n"
