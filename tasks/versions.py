"""Which version a new migration gets: later than everything that the stream has, here and on the base branch."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from schemas.catalog import Catalog, Database
from schemas.stream import collect, version_of
from tasks import place
from tools import git

__all__ = ["after", "following", "known_names"]

STAMP = "%Y%m%d%H%M%S"
DIGITS = 14  # of a timestamp


def after(catalog: Catalog, database: Database, count: int = 1, *, but: Iterable[str] = ()) -> tuple[str, ...]:
    """The next versions of a stream, as they stand in files' names; the files ``but`` are passed over."""
    return following(known_names(catalog, database) - set(but), datetime.now(UTC), count)


def known_names(catalog: Catalog, database: Database) -> frozenset[str]:
    """The names of a stream's files, in the work tree and on the base branch."""
    names = {migration.name for migration in collect(place.folder(catalog, database), catalog.root).migrations}
    repository = git.find(catalog.root)
    base = repository.base(catalog.base) if repository else None
    if repository and base:
        names |= {path.rpartition("/")[2] for path in repository.files(base.commit, database.migrations)}
    return frozenset(names)


def following(names: Iterable[str], now: datetime, count: int = 1) -> tuple[str, ...]:
    """The ``count`` versions that come after these files, as digits.

    A stream of timestamps gets this moment in UTC, or the second after its newest where the clock is behind it;
    a sequential one (``00001_init.sql``) gets the next numbers in the same width.
    """
    taken = [(version, name.partition("_")[0]) for name in names if isinstance(version := version_of(name), int)]
    newest, digits = max(taken, default=(0, ""))
    if taken and len(digits.lstrip("0")) < DIGITS:
        return tuple(str(newest + step).zfill(len(digits)) for step in range(1, count + 1))
    return _stamps(newest, now.astimezone(UTC), count)


def _stamps(newest: int, now: datetime, count: int) -> tuple[str, ...]:
    first = int(now.strftime(STAMP))
    moment = now
    if first <= newest:
        try:
            moment = datetime.strptime(str(newest), STAMP).replace(tzinfo=UTC) + timedelta(seconds=1)
        except ValueError:  # digits that are no moment
            return tuple(str(newest + step) for step in range(1, count + 1))
    return tuple((moment + timedelta(seconds=step)).strftime(STAMP) for step in range(count))
