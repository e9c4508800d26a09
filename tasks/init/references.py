"""Databases of one service that another one uses: told by a link, by a copy, or by a Prisma schema of their name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from tasks.init.entry import Entry
from tasks.init.layout import marked, place, short, slug
from tasks.init.schemas import Schema
from tasks.init.survey import Survey

__all__ = ["copies", "references"]


def copies(survey: Survey, entries: Sequence[Entry]) -> tuple[tuple[Entry, Entry], ...]:
    """Streams that are called after another service and hold the same files as its own: the copy, and the owner's.

    Equal files alone say nothing: two services may have begun from one template.
    """
    found = []
    for entry in entries:
        for other in entries:
            own = other.key == short(other.service)  # so no owner is a copy itself
            called = own and entry.key in {other.key, other.service} and entry.key != short(entry.service)
            if entry.folder != other.folder and called and _files(survey, entry) == _files(survey, other):
                found.append((entry, other))
                break
    return tuple(found)


def references(
    survey: Survey, entries: Sequence[Entry], names: Mapping[str, str], prisma: Iterable[Schema]
) -> tuple[Entry, ...]:
    """The references of services to what the entries build; ``names`` are the services' names by folder."""
    found: dict[tuple[str, str], Entry] = {}
    taken = {(entry.folder, entry.key) for entry in entries}
    for folder, key, owner, why in (*_linked(survey, entries, names), *_pulled(entries, prisma)):
        twice = any((one.folder, one.owner) == (folder, owner.label) for one in found.values())
        if folder != owner.folder and (folder, key) not in taken and not twice:
            found[folder, key] = Entry(
                service=names[folder], folder=folder, key=key, verdict=owner.verdict, owner=owner.label, why=why
            )
    return tuple(found.values())


def _linked(
    survey: Survey, entries: Sequence[Entry], names: Mapping[str, str]
) -> Iterator[tuple[str, str, Entry, str]]:
    """By links of one service to the migrations of another."""
    owners = {entry.stream.folder: entry for entry in entries if entry.stream}
    projects = marked(survey.paths)
    for link, to in sorted(survey.links.items()):
        there = place(link, projects)
        if to in owners and there.folder in names:
            key = slug("-".join(there.words)) if there.words else owners[to].key
            yield there.folder, key, owners[to], f"{link} is a link to {to}"


def _pulled(entries: Sequence[Entry], prisma: Iterable[Schema]) -> Iterator[tuple[str, str, Entry, str]]:
    """By a Prisma schema that is called after exactly one database, which another service owns."""
    for schema in prisma:
        own = [entry for entry in entries if entry.folder == schema.place.folder]
        words = set(schema.place.words) if own else schema.words
        owners = [one for one in entries if one.key in words and one.verdict.engine == schema.provider == "postgres"]
        if len(owners) == 1 and not any(entry.key in words for entry in own):
            yield schema.place.folder, owners[0].key, owners[0], f"{schema.path} is called after it"


def _files(survey: Survey, entry: Entry) -> dict[str, str]:
    files = entry.stream.files if entry.stream else ()
    return {path.rpartition("/")[2]: survey.texts.get(path, "") for path in files}
