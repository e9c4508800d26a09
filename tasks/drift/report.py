"""The operation `drift`: read a schema elsewhere, build the applied files on a scratch server, show the difference."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from schemas.catalog import Database
from schemas.errors import GanderError, ServerError
from schemas.structure import Structure, told
from tasks import elsewhere, place
from tasks.drift.comparison import Comparison, compare
from tasks.migrate.site import migrations
from tasks.migrate.versions import Version
from tasks.scratch import built
from tasks.status.standing import judge
from tasks.work import Outcome, Work
from tools.remote import Reader, Sight

__all__ = ["Live", "look", "run"]


class Live(NamedTuple):
    """What was read of one database: goose's tables, and every object by server."""

    sight: Sight
    structures: Mapping[str, Structure]
    version: str


def run(work: Work) -> Outcome:
    """Print how each selected database differs; exit code 1 on drift, and where something could not be compared.

    Raises ServerError naming every variable that is not set, before anything is read.
    """
    owned = [(place.owned(work.catalog, target), target.environment) for target in work.targets]
    wanted = list({(database.label, at): (database, at) for database, at in owned}.values())
    places = [elsewhere.place(work.catalog, one, at, migrations(work.catalog, one)) for one, at in wanted]
    if missing := elsewhere.unset(places):
        raise missing
    found = [
        Comparison(database=database, environment=at, replicas={}, error=live)
        if isinstance(live, ServerError)
        else _compared(work, database, at, live)
        for (database, at), live in zip(wanted, elsewhere.each(places, look), strict=True)
    ]
    if work.variables.get("format") == "json":
        document = {"version": 1, "databases": [_document(one) for one in found]}
        work.out(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        for line in (line for one in found for line in _lines(one)):
            work.out(line)
    differing = sum(not one.same for one in found)
    if differing:
        return Outcome(summary=f"{differing} of {len(found)} differ or could not be compared", exit_code=1)
    return Outcome(summary="no drift")


def look(reader: Reader) -> Live:
    """Read one database; ServerError where a migration ran meanwhile."""
    sight = reader.sight()
    structures = reader.structures()
    if reader.sight() != sight:
        raise ServerError("it changed while it was read", why="goose is at work there", todo="run the command again")
    return Live(sight=sight, structures=structures, version=reader.version)


def _compared(work: Work, database: Database, environment: str, live: Live) -> Comparison:
    judged = judge(
        place.files(migrations(work.catalog, database)),
        live.sight,
        database.table.removeprefix("public."),
        place.streams(work.catalog, database, environment),
    )
    applied = {version.version for version in judged.versions if version.state == "applied"}
    notes = [*judged.notes, *_unknown(judged.versions)]
    try:
        chosen = [
            (one, elsewhere.applied(migrations(work.catalog, one), live.sight, one.table))
            for one in place.sharing(work.catalog, database, environment)
        ]
        with built(work, chosen, "drift", place.baseline(work.catalog, database)) as (server, name):
            ours = server.structure(name, sorted(place.streams(work.catalog, database, environment)))
            there = {replica: server.canonical(one) for replica, one in live.structures.items()}
        if live.version.split(".")[0] != server.version.split(".")[0]:
            notes.append(f"{environment} runs {live.version}, the files were built on {server.version}")
    except GanderError as error:
        return Comparison(database=database, environment=environment, replicas={}, error=error)
    return Comparison(
        database=database,
        environment=environment,
        files=len(applied),
        replicas=compare(ours, there),
        pending=tuple(one.name for one in judged.versions if one.state in {"pending", "out of order"}),
        notes=tuple(notes),
        doubtful=judged.doubtful,
    )


def _unknown(versions: Sequence[Version]) -> Iterator[str]:
    missing = [str(one.version) for one in versions if one.state == "missing"]
    if missing:
        yield f"applied there, and no file here: {', '.join(missing)}; what they did shows as drift (pull first?)"


def _lines(one: Comparison) -> Iterator[str]:
    if one.error:
        _, *lines = str(one.error).splitlines()
        seen, what = f"{one.called} ", one.error.what
        yield f"{one.called}  {what.removeprefix(seen) if what.startswith(seen) else f'cannot be compared: {what}'}"
        yield from (f"  {line.strip()}" for line in lines)
        return
    against = f"what {one.files} applied {'file builds' if one.files == 1 else 'files build'}"
    differ = f"{one.count} {'object differs' if one.count == 1 else 'objects differ'} from"
    yield f"{one.called}  {differ if one.count else 'is'} {against}"
    yield from (f"  {note}" for note in one.notes)
    alike: dict[tuple[str, ...], list[str]] = {}
    for name, changes in one.replicas.items():
        alike.setdefault(tuple(line for change in changes for line in told(change)), []).append(name)
    for differing, names in alike.items():
        if len(one.replicas) > 1:
            yield f"  on {', '.join(names)}:{'' if differing else ' no difference'}"
        yield from (f"  {line}" for line in differing)
    if one.pending:
        yield f"  pending, and no drift: {', '.join(one.pending)}"


def _document(one: Comparison) -> dict[str, Any]:
    """The JSON of one database, as schemas/drift.schema.json says."""
    return {
        "service": one.database.service,
        "database": one.database.key,
        "environment": one.environment,
        "engine": one.database.engine,
        "name": one.database.names[one.environment],
        "drift": not one.same,
        "error": str(one.error) if one.error else None,
        "notes": list(one.notes),
        "files": one.files,
        "pending": list(one.pending),
        "replicas": [
            {
                "name": name or None,
                "changes": [
                    {"kind": each.object.kind, "name": each.object.name, "files": each.before, "there": each.after}
                    for each in changes
                ],
            }
            for name, changes in one.replicas.items()
        ],
    }
