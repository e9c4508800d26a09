"""The databases of releases, each asked once for the versions that it holds; nothing is written there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from schemas.catalog import Catalog, Database, Reference
from schemas.errors import GanderError
from schemas.target import Target
from tasks import elsewhere
from tasks.image.making import Making
from tasks.plan.held import Asked
from tools.remote import Place

__all__ = ["ask"]


def ask(catalog: Catalog, targets: Sequence[Target], made: Making) -> dict[Target, Mapping[str, Asked]]:
    """What each database holds whose URL is given, by release and key; several at once.

    Databases that services.yaml does not know today are left out, for nothing says where they are.
    """
    made.look_ahead(list(dict.fromkeys(target.service or "" for target in targets)))
    places = {
        (target, one.key): _place(catalog, target, one, made) for target in targets for one in _own(catalog, target)
    }
    reached = {where: place for where, place in places.items() if place and place.url}
    seen = elsewhere.each(list(reached.values()), lambda reader: reader.sight())
    found = dict(zip(reached, seen, strict=True))
    asked: dict[Target, dict[str, Asked]] = {target: {} for target in targets}
    for (target, key), place in places.items():
        if place:
            asked[target][key] = Asked(
                place=place.called,
                variable=place.variable,
                table=place.table,
                streams=place.streams,
                found=found.get((target, key)),
            )
    return dict(asked)


def _own(catalog: Catalog, target: Target) -> list[Database]:
    listed = catalog.services[target.service or ""].databases
    return [one for one in listed if not isinstance(one, Reference)]


def _place(catalog: Catalog, target: Target, database: Database, made: Making) -> Place | None:
    """Where it is; None where the commit's image has nothing for it."""
    try:
        held = made.content(database.service).streams.get(database.key)
    except GanderError:
        return None
    return None if held is None else elsewhere.place(catalog, database, target.environment, held)
