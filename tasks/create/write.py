"""The operation `create`: write a new migration from the policy's template."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from schemas.catalog import Catalog, Database, Retention
from schemas.errors import Refused
from schemas.goose_file import GooseSyntax, parse
from schemas.stream import Migration, collect
from tasks import place, versions
from tasks.create import template
from tasks.work import Outcome, Work
from tools import editor, whole

__all__ = ["named", "new_file", "run"]

LONGEST = 100  # characters of a name: beside the version it fits every file system and a line of a log
NAME = re.compile(r"[a-z][a-z0-9_]*")
FUNCTION = "update_updated_at_column"
MADE = re.compile(r"\s*CREATE\s+(?:UNLOGGED\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:public\.)?\"?(\w+)", re.IGNORECASE)
YEAR = 365


def run(work: Work) -> Outcome:
    """Write the file, print its path on stdout, and open it with ``editor=true``.

    Raises Refused for a name that would not do, a kind that the engine has no template for, or an editor that is
    not there.
    """
    database = place.owned(work.catalog, work.target)
    name = named(work.variables.get("name", ""), f"doit create:{database.label}")
    kind = work.variables.get("like", "table")
    if kind not in template.kinds(database.engine):
        raise Refused(
            f"there is no template like={kind} for {database.engine}",
            todo="\n".join(
                f"doit create:{database.label} name={name} like={one}" for one in template.kinds(database.engine)
            ),
        )
    opened = editor.command() if work.variables.get("editor") == "true" else None
    about = template.subject(kind, name, table=work.variables.get("table", ""), column=work.variables.get("column", ""))
    text = _text(work.catalog, database, kind, about)
    (version,) = versions.after(work.catalog, database)
    path = new_file(place.folder(work.catalog, database), f"{version}_{name}.sql", text)
    shown = path.relative_to(work.catalog.root).as_posix()
    work.out(shown)
    if opened:
        editor.edit(opened, path)
    return Outcome(summary=f"written; when it says what you mean: doit migrate:{database.label}")


def named(name: str, command: str) -> str:
    """The name, when a file can bear it; Refused with the nearest that would do, for ``command``."""
    if NAME.fullmatch(name) and len(name) <= LONGEST:
        return name
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()  # ü is u, ß is ss
    better = re.sub(r"[^a-z0-9]+", "_", plain).strip("_0123456789")[:LONGEST].rstrip("_")
    if not name:
        raise Refused("a migration needs a name that says what it does", todo=f"{command} name=add_user_preferences")
    why = f"it has {len(name)} characters, and {LONGEST} are the most" if len(name) > LONGEST else ""
    raise Refused(
        f"{name[:LONGEST]!r} cannot name a migration",
        why=why or "a name is made of small letters, digits and _, and begins with a letter",
        todo=f"{command} name={better or 'add_user_preferences'}",
    )


def new_file(folder: Path, name: str, text: str) -> Path:
    """Write a file that is not there yet, whole or not at all. Refused where it cannot be."""
    path = folder / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        whole.create(path, text)
    except OSError as error:
        raise Refused(
            f"the file cannot be written: {error.strerror}", where=str(path), todo=f"make {folder} a folder of yours"
        ) from error
    return path


def _text(catalog: Catalog, database: Database, kind: str, about: template.Subject) -> str:
    stream = collect(place.folder(catalog, database), catalog.root).migrations
    words = {"table": about.table, "column": about.column}
    if database.engine == "postgres":
        return template.fill("postgres", kind, words, _facts(stream))
    kept = _retention(database.retention)
    words |= {"database": database.names["local"], "cluster": _cluster(catalog, stream), "retention": kept}
    return template.fill("clickhouse", kind, words, {"retention" if kept else "forever"})


def _facts(stream: Iterable[Migration]) -> set[str]:
    """What the stream has that a template may build on, told by how its statements begin."""
    statements = [statement for migration in stream for statement in _up(migration)]
    tables = {found[1].lower() for text in statements if (found := MADE.match(text))}
    touched = any(FUNCTION in text for text in statements)
    return {"users"} & tables | ({"trigger"} if touched else {"absent"})


def _up(migration: Migration) -> list[str]:
    with suppress(GooseSyntax):
        return [statement.text for statement in parse(migration.data, os.environ).up]
    return []


def _cluster(catalog: Catalog, stream: Iterable[Migration]) -> str:
    """The cluster that the stream's files name, else any that the monorepo's do."""
    from tools.clickhouse.clusters import clusters  # noqa: PLC0415 - only for a ClickHouse file

    others = (one for one in catalog.databases() if one.engine == "clickhouse")
    for files in (stream, *(collect(place.folder(catalog, one), catalog.root).migrations for one in others)):
        with suppress(GooseSyntax):
            found = clusters((migration.data for migration in files), os.environ) - {"default"}
            if found:
                return min(found)
    return "default"


def _retention(retention: Retention) -> str:
    """How long rows are kept by the least that services.yaml asks for; whole years where it is."""
    days = retention.min_days or retention.max_days
    if not days:
        return ""
    return f"{days // YEAR} YEAR" if days % YEAR == 0 else f"{days} DAY"
