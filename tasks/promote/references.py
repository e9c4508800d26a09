"""Do the databases that a service only reads hold what its commit has for them? Their owners deploy them, and first.

Asked right before a release is written down, and again before Argo CD is: else a service would go out that counts on a
column which is not there yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from schemas.catalog import Catalog, Database
from schemas.errors import GanderError, Refused
from schemas.stream import Migration
from schemas.target import Target
from tasks import elsewhere, place
from tasks.image import content
from tasks.status.standing import Judged, judge
from tasks.work import Work
from tools.remote import Place

__all__ = ["Read", "against", "refuse"]

FEW = 5  # migrations that a message names


class Read(NamedTuple):
    """A database that a service only reads."""

    owner: Database
    files: Sequence[Migration]  # that the released commit has for it
    place: Place


def refuse(work: Work, commit: str) -> None:
    """Raise Refused where a database that the service only reads lacks what the commit has for it.

    Raises ServerError where one cannot be looked at, its variable not being set among that.
    """
    reads = _reads(work.catalog, work.target, commit)
    missing = elsewhere.unset([one.place for one in reads])
    if missing:
        raise missing
    _judged(reads, work.target, commit)


def against(read: Read, judged: Judged, target: Target, commit: str) -> Refused | None:
    """Why a service may not go out beside what that database holds; None where it may. A pure decision."""
    lacks = [one.name for one in judged.versions if one.state in {"pending", "out of order"}]
    called, again = f"{read.place.called}, which {target.service} reads", f"then doit {target.name}"
    if lacks:
        more = f" and {len(lacks) - FEW} more" if lacks[FEW:] else ""
        return Refused(
            f"{called}, lacks {', '.join(lacks[:FEW])}{more}",
            why=f"{commit[:12]} has them, and {target.service} may count on them",
            todo=f"doit deploy:{read.owner.service}@{target.environment}\n{again}",
        )
    if judged.against:
        return Refused(
            f"nobody can tell what {called}, holds",
            why="\n".join(judged.against),
            todo=f"doit status:{read.place.called}\n{again}",
        )
    return None


def _judged(reads: Sequence[Read], target: Target, commit: str) -> None:
    seen = elsewhere.each([one.place for one in reads], lambda reader: reader.sight())
    for one, sight in zip(reads, seen, strict=True):
        if isinstance(sight, GanderError):
            raise sight
        refused = against(one, judge(place.files(one.files), sight, one.place.table, one.place.streams), target, commit)
        if refused:
            raise refused


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
