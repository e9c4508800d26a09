"""Whose a folder of a monorepo is: the service that it lies in, and what is left of its path to call a database by."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import NamedTuple

__all__ = ["Place", "marked", "place", "short", "slug", "within"]

CONTAINERS = frozenset(
    ("services", "service", "apps", "packages", "backend", "backends", "libs", "modules", "projects", "microservices")
)
STREAMS = frozenset(("migrations", "migration", "goose", "goose_migrations", "goose-migrations", "prisma"))
BETWEEN = frozenset(  # folders that say nothing of whose they hold
    ("db", "database", "databases", "sql", "internal", "pkg", "src", "lib", "store", "storage", "persistence", "data")
) | frozenset(("infra", "infrastructure", "resources", "main", "cmd", "schema", "schemas", "deploy", "helm", "chart"))
MARKS = frozenset(
    ("package.json", "go.mod", "pyproject.toml", "Cargo.toml", "pom.xml", "build.gradle", "build.gradle.kts")
) | frozenset(("Dockerfile", "mix.exs", "composer.json", "Gemfile"))
SUFFIX = re.compile(r"[-_](?:service|svc|server|api|app|backend|db)$")
LONGEST = 40  # characters of a made name: beside it, a Job's name and a variable still fit


class Place(NamedTuple):
    """A service's folder, empty for the root itself, and the folders that tell its databases apart."""

    folder: str
    words: tuple[str, ...]


def marked(paths: Iterable[str]) -> frozenset[str]:
    """The folders that hold a project of some language, the root aside."""
    return frozenset(path.rpartition("/")[0] for path in paths if path.rpartition("/")[2] in MARKS) - {""}


def place(folder: str, projects: Collection[str]) -> Place:
    """Whose folder of migrations, or of a Prisma schema, this is.

    ``services/<x>/…`` and its like; else the nearest project; else ``<x>/migrations``. In a common folder of
    migrations, ``migrations/<x>``, it is the project that is called so.
    """
    parts = folder.split("/")
    cut = next((at for at, part in enumerate(parts) if part.lower() in STREAMS), len(parts))
    own = _own(parts[:cut], projects)
    middle = [part for part in parts[own:cut] if part.lower() not in BETWEEN]
    rest = parts[cut + 1 :]
    if own:
        return Place(folder="/".join(parts[:own]), words=(*middle, *rest))
    if not rest:
        return Place(folder="", words=())
    wanted = {rest[0], short(rest[0])}
    same = sorted(one for one in projects if {(name := one.rpartition("/")[2]), short(name)} & wanted)
    return Place(folder=same[0] if same else "/".join(parts[: cut + 2]), words=tuple(rest[1:]))


def within(path: str, folders: Iterable[str]) -> str | None:
    """The innermost of these folders that a path lies in; else the one that a part of the path is called after."""
    folders = tuple(folders)
    listed = sorted(filter(None, folders), key=len, reverse=True)
    for folder in listed:
        if path == folder or path.startswith(f"{folder}/"):
            return folder
    for part in reversed(re.split(r"[/.]", path)):
        for folder in listed:
            if part == (name := folder.rpartition("/")[2]) or short(part) == short(name):
                return folder
    return "" if "" in folders else None


def short(name: str) -> str:
    """A service's name without what it is: ``auth`` of ``auth-service``."""
    return SUFFIX.sub("", name) or name


def slug(text: str, joint: str = "-") -> str:
    """A name that services.yaml takes, made of any text."""
    plain = re.sub(r"[^a-z0-9]+", joint, text.lower()).strip("-_")[:LONGEST].strip("-_")
    return plain if plain[:1].isalpha() else f"x{joint}{plain}".rstrip("-_")


def _own(parts: list[str], projects: Collection[str]) -> int:
    """How many parts of a path are the service's folder."""
    for at, part in enumerate(parts):
        if part.lower() in CONTAINERS:
            while at + 1 < len(parts) and parts[at + 1].lower() in CONTAINERS:
                at += 1  # noqa: PLW2901 - backend/services/<x>
            below = "/".join(parts[: at + 2])
            named = at + 1 < len(parts) and (parts[at + 1].lower() not in BETWEEN or below in projects)
            return at + 2 if named else at + 1
    for end in range(len(parts), 0, -1):
        if "/".join(parts[:end]) in projects:
            return end
    while parts and parts[-1].lower() in BETWEEN:
        parts = parts[:-1]
    return len(parts)
