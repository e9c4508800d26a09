"""Whether the databases of `migrate` are at head already: asked together, and without starting a server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from schemas.answer import Answer
from schemas.catalog import Catalog, Database, EngineName
from schemas.stream import collect
from schemas.target import LOCAL, Target
from tasks import place
from tasks.migrate.versions import Version, unfit
from tasks.work import Session, Work
from tools.engine import Contents
from tools.journal import Journal

__all__ = ["gather", "parts", "up_to_date"]

VERSION = "1"  # of this step: another one makes `doit why` say that the step itself changed


def up_to_date(works: Sequence[Work]) -> dict[str, Answer]:
    """Answer for each target, by name: at head and since when, or what is missing; None where nobody can know.

    Nothing is started: a stopped embedded server answers from its files, where they prove what it holds.
    """
    if not works:
        return {}
    catalog, session = works[0].catalog, works[0].session
    owners = {work.target.name: place.owned(catalog, work.target) for work in works}
    contents = gather(session, owners.values(), start=False)
    records = place.journal(catalog)
    with records.kept_open():
        return {
            name: _answer(catalog, database, contents.get(database.label), records) for name, database in owners.items()
        }


def parts(catalog: Catalog, target: Target, digest: Callable[[Path], str]) -> dict[str, str]:
    """What can change the outcome beside services.yaml: the files, goose, PostgreSQL, and the step itself."""
    from tools import toolchain  # noqa: PLC0415 - start-up: only a target that runs needs its key

    database = place.owned(catalog, target)
    return {
        "migrations": digest(place.folder(catalog, database)),
        **place.baseline_parts(catalog, database, digest),
        **toolchain.versions(database.engine),
        "step": VERSION,
    }


def gather(session: Session, databases: Iterable[Database], *, start: bool) -> dict[str, Contents]:
    """What each database holds, by label.

    Without ``start``, those of a server that is down and whose files prove nothing are absent.
    """
    by_engine: dict[EngineName, list[Database]] = {}
    for database in databases:
        by_engine.setdefault(database.engine, []).append(database)
    found: dict[str, Contents] = {}
    for engine, group in by_engine.items():
        held = _held(session, engine, {database.names[LOCAL] for database in group}, start=start)
        if held is not None:
            nothing = Contents(exists=False, tables={})
            found |= {database.label: held.get(database.names[LOCAL], nothing) for database in group}
    return found


def _held(session: Session, engine: EngineName, names: set[str], *, start: bool) -> Mapping[str, Contents] | None:
    settled = session.engine(engine).settled(session.say)
    if settled is not None:
        return settled
    if start or session.engine(engine).running():
        return session.server(engine).contents(sorted(names))
    return None


def _answer(catalog: Catalog, database: Database, contents: Contents | None, records: Journal) -> Answer:
    if contents is None:
        return Answer(
            up_to_date=None, because="the local server is down and its last stop was not seen: it must be asked"
        )
    against = _against(catalog, database, contents, records)
    if against:
        return Answer(up_to_date=False, because=against)
    rows = contents.tables.get(database.table, ())
    since = max((row.at for row in rows if row.at), default=None)
    return Answer(
        up_to_date=True,
        because=f"all {len(rows)} files are applied, each with its present text",
        since=since.isoformat(timespec="seconds") if since else None,
    )


def _against(catalog: Catalog, database: Database, contents: Contents, records: Journal) -> str:
    """Why the database is not at head; empty when it is."""
    if not contents.exists:
        return f"the local database {database.names[LOCAL]} does not exist"
    stream = collect(place.folder(catalog, database), catalog.root)
    if stream.problems:
        return stream.problems[0].message
    decided = place.plan(catalog, database, stream.migrations, contents, records)
    if decided.refusals:
        return f"it will be refused: {decided.refusals[0].path} {decided.refusals[0].message}"
    if decided.going:
        count = len(decided.going)
        files = "1 applied file is" if count == 1 else f"{count} applied files are"
        return f"{files} to go down and up again: {_because(_unfit(decided.versions))}"
    if other := place.begun_otherwise(catalog, database, contents):
        return f"it did not begin with {other}"
    return _behind(decided.versions)


def _behind(versions: Sequence[Version]) -> str:
    behind = [version for version in versions if version.state != "applied"]
    unseen = [version for version in versions if not version.seen]
    if unseen and not behind:
        return f"{len(unseen)} applied files have not been seen here before"
    return _because(behind)


def _unfit(versions: Sequence[Version]) -> list[Version]:
    return [version for version in versions if unfit([version])]


def _because(behind: Sequence[Version]) -> str:
    counts: dict[str, list[Version]] = {}
    for version in behind:
        counts.setdefault(version.state, []).append(version)
    return "; ".join(
        f"{len(group)} {state}: {group[0].name or group[0].version}" + (" …" if len(group) > 1 else "")
        for state, group in counts.items()
    )
