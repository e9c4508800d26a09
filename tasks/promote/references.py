"""Do the databases that a service only reads hold what its commit has for them? Their owners deploy them, and first.

Asked right before a release is written down, and again before Argo CD is: else a service would go out that counts on a
column which is not there yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from schemas.catalog import Catalog, Database
from schemas.errors import GanderError, Refused, ServerError
from schemas.stream import Migration
from schemas.target import Target
from tasks import elsewhere, place
from tasks.image import content
from tasks.status.standing import judge
from tasks.work import Work
from tools.remote import Place, Sight

__all__ = ["Read", "against", "look", "refuse"]

FEW = 5  # migrations that a message names


class Read(NamedTuple):
    """A database that a service only reads."""

    owner: Database
    files: Sequence[Migration]  # that the released commit has for it
    place: Place


def refuse(work: Work, commit: str) -> None:
    """Raise Refused where a database that the service only reads lacks what the commit has for it.

    The same where nobody can look, its variable not being set among that: a release is not made on a guess.
    """
    for refused in look(work.catalog, work.target, commit):
        raise refused


def look(catalog: Catalog, target: Target, commit: str) -> list[Refused]:
    """Why the service may not go out, for each database that it reads and that is not as the commit needs it.

    Raises Refused or StreamError where nobody knows what the commit has.
    """
    reads = _reads(catalog, target, commit)
    seen = elsewhere.each([one.place for one in reads], lambda reader: reader.sight())
    found = (against(one, sight, target, commit) for one, sight in zip(reads, seen, strict=True))
    return [one for one in found if one]


def against(read: Read, sight: Sight | ServerError, target: Target, commit: str) -> Refused | None:
    """Why a service may not go out beside what that database holds; None where it may. A pure decision."""
    where, again = read.place, f"then doit {target.name}"
    called = f"{where.called}, which {target.service} reads"
    if isinstance(sight, ServerError):
        why = sight.why or f"{where.variable} leads to the database {where.name}"
        todo = f"{sight.todo}\n{again}" if sight.todo else again
        return Refused(f"{called}, cannot be looked at: {sight.what}", why=why, todo=todo)
    judged = judge(place.files(read.files), sight, where.table, where.streams)
    if judged.against:
        return Refused(
            f"nobody can tell what {called}, holds",
            why="\n".join(judged.against),
            todo=f"doit status:{where.called}\n{again}",
        )
    lacks = [one.name for one in judged.versions if one.state in {"pending", "out of order"}]
    if lacks:
        more = f" and {len(lacks) - FEW} more" if lacks[FEW:] else ""
        return Refused(
            f"{called}, lacks {', '.join(lacks[:FEW])}{more}",
            why=f"{commit[:12]} has them, and {target.service} may count on them",
            todo=f"doit deploy:{read.owner.service}@{target.environment}\n{again}",
        )
    return None


def _reads(catalog: Catalog, target: Target, commit: str) -> list[Read]:
    """Those that go first and for which the commit has migrations."""
    owners = catalog.read_first(target.service or "")
    held = content.contents(catalog, sorted({one.service for one in owners}), commit) if owners else {}
    reads = []
    for owner in owners:
        found = held[owner.service]
        if isinstance(found, GanderError):
            raise found
        files = found.streams.get(owner.key, ())
        if files:
            reads.append(Read(owner, files, elsewhere.place(catalog, owner, target.environment, files)))
    return reads
