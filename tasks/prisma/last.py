"""What the last pull of a schema left: kept beside the state, so that a later run can tell whether it still holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from schemas.answer import Answer
from schemas.catalog import Catalog, Database, Reference
from tools import whole
from tools.engine import Contents
from tools.toolchain import pinned_prisma

__all__ = ["VERSION", "answer", "folder", "forget", "remember", "versions", "write"]

VERSION = "2"  # of the step


def folder(catalog: Catalog, entry: Database | Reference) -> Path:
    """Where everything about a schema is kept."""
    return catalog.root / ".state" / "prisma" / entry.service / entry.key


def remember(catalog: Catalog, entry: Database | Reference, contents: Contents, text: str, own: str) -> None:
    """Note what has been pulled from which database, and by which Prisma; ``own`` tells the monorepo's."""
    from tools.journal import now  # noqa: PLC0415 - as the journal itself

    done = {"schema": _hash(text), "database": _fingerprint(contents), "tools": versions(own), "at": now()}
    write(folder(catalog, entry) / "done.json", json.dumps(done))


def answer(catalog: Catalog, entry: Database | Reference, contents: Contents, text: str | None, own: str) -> Answer:
    """Whether the schema is as the last pull left it, the database the one that was pulled, and Prisma the same."""
    last = _remembered(catalog, entry)
    against = _against(entry, contents, text, own, last) if last else "it was never pulled here"
    if last is None or against:
        return Answer(up_to_date=False, because=against)
    return Answer(up_to_date=True, because="as the last pull left it", since=last.get("at"))


def versions(own: str) -> str:
    """Everything whose version can change the outcome."""
    return f"pinned: {pinned_prisma()}; {own}; step: {VERSION}"


def forget(catalog: Catalog, entry: Database | Reference) -> None:
    """Take back what was noted: from here on the last pull holds no more."""
    (folder(catalog, entry) / "done.json").unlink(missing_ok=True)


def write(path: Path, text: str) -> None:
    """Nobody ever meets a half; a link stays one, and what it leads to is written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole.replace(path.resolve(), text)


def _against(
    entry: Database | Reference, contents: Contents, text: str | None, own: str, last: Mapping[str, Any]
) -> str:
    """Why the last pull does not hold any more; empty while it does."""
    if text is None or _hash(text) != last.get("schema"):
        return f"{entry.prisma} is not as the last pull left it"
    if last.get("database") != _fingerprint(contents):
        return "the database is another one than was pulled"
    return "" if last.get("tools") == versions(own) else "another Prisma is installed, or this step has another version"


def _remembered(catalog: Catalog, entry: Database | Reference) -> dict[str, Any] | None:
    try:
        found = json.loads((folder(catalog, entry) / "done.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _fingerprint(contents: Contents) -> str:
    """Which incarnation of a database it is, and which versions it holds since when."""
    rows = {table: [(row.version, str(row.at)) for row in held] for table, held in sorted(contents.tables.items())}
    return _hash(repr((contents.mark, rows)))


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()
