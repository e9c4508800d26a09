"""The step `prisma`: pull schema.prisma from the migrated local database, and generate its client."""

from __future__ import annotations

import difflib
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from schemas.answer import Answer
from schemas.catalog import Catalog, Database, Reference
from schemas.errors import Refused
from schemas.target import LOCAL, Target
from tasks import place
from tasks.migrate.check import gather
from tasks.migrate.site import migrations
from tasks.prisma import last, schema
from tasks.prisma.choice import Choice, choose, install, words
from tasks.work import Outcome, Work
from tools import prisma
from tools.engine import Contents, Server
from tools.node_modules import Installed, installed
from tools.toolchain import pinned_prisma

__all__ = ["parts", "run", "up_to_date"]

NONE = "there is no schema.prisma to pull into"


def run(work: Work) -> Outcome:
    """Pull over the committed schema, and generate. With ``frozen=true`` or in CI nothing is written.

    Raises Refused where the monorepo has another Prisma than 6, where the database is not at head, where a pull would
    lose comments (unless ``force=true``), or where nothing may be written and something would be; ToolError with
    Prisma's words.
    """
    entry, database = place.entry(work.catalog, work.target), place.owned(work.catalog, work.target)
    path = work.catalog.root / (entry.prisma or "")
    before, force = _read(path), work.variables.get("force") == "true"
    if before is None and not force:
        return Outcome(summary=f"{NONE}; a first one: doit prisma:{entry.label} force=true", values={"changed": False})
    found = _installed(work.catalog, entry)
    choice = choose(found, pinned_prisma())
    server, name = work.session.server("postgres"), database.names[LOCAL]
    contents = server.contents([name])[name]
    _at_head(work.catalog, database, contents)
    _keeps_all(entry, before or "", force=force)
    variable = (schema.variable(before) if before else None) or _variable(work.catalog, entry)
    start = before if before is not None else schema.beginning(variable, _output(work.catalog, entry))
    after = _pulled(work, entry, server, start, variable=variable, choice=choice)
    if after == before:
        summary = "unchanged"
    elif _frozen(work):
        raise _drift(entry, before or "", after)
    else:
        _replace(path, entry, after)
        summary = "pulled" if before else "pulled for the first time"
    _tell_what_escapes(work, entry, server, name)
    last.forget(work.catalog, entry)  # half a client is not what the last run left
    generated = _generate(work, found, path, variable)
    last.remember(work.catalog, entry, contents, after, found.identity)
    who = words(choice, found, pinned_prisma())
    return Outcome(summary=f"{summary} by {who}; {generated}", values={"changed": after != before})


def up_to_date(works: Sequence[Work]) -> dict[str, Answer]:
    """Whether each schema is as the last pull left it, and the database still the one that was pulled."""
    catalog = works[0].catalog
    owners = {work.target.name: place.owned(catalog, work.target) for work in works}
    contents = gather(works[0].session, owners.values(), start=False)
    return {work.target.name: _answer(work, contents.get(owners[work.target.name].label)) for work in works}


def parts(catalog: Catalog, target: Target, digest: Callable[[Path], str]) -> dict[str, str]:
    """What can change the outcome: the schema, the migrations, Prisma, and the step itself."""
    entry = place.entry(catalog, target)
    return {
        "schema.prisma": digest(catalog.root / (entry.prisma or "")),
        "migrations": digest(place.folder(catalog, place.owned(catalog, target))),
        "Prisma": last.versions(_installed(catalog, entry).identity),
        "step": last.VERSION,
    }


def _answer(work: Work, contents: Contents | None) -> Answer:
    catalog, entry = work.catalog, place.entry(work.catalog, work.target)
    text = _read(catalog.root / (entry.prisma or ""))
    if text is None and "force" not in work.variables:
        return Answer(up_to_date=True, because=NONE)
    if contents is None:
        return Answer(up_to_date=None, because="the local server is down and must be asked")
    return last.answer(catalog, entry, contents, text, _installed(catalog, entry).identity)


def _installed(catalog: Catalog, entry: Database | Reference) -> Installed:
    return installed((catalog.root / (entry.prisma or "")).parent, catalog.root)


def _at_head(catalog: Catalog, database: Database, contents: Contents) -> None:
    """Refused unless the database is what the files build: a pull from another one would be believed."""
    files = migrations(catalog, database)
    decided = place.plan(catalog, database, files, contents, place.journal(catalog))
    behind = [version for version in decided.versions if version.state != "applied"]
    if behind or not contents.exists:
        raise Refused(
            f"{database.label} is not at head, so its schema is not the one to pull",
            todo=f"doit migrate:{database.label}",
        )


def _keeps_all(entry: Database | Reference, text: str, *, force: bool) -> None:
    lost = schema.comments(text)
    if lost and not force:
        raise Refused(
            "a pull would drop these comments",
            where=f"{entry.prisma}:{lost[0][0]}",
            why="\n".join(f"{line}: {comment}" for line, comment in lost),
            todo=f"write /// for //: those are kept\nor let them go: doit prisma:{entry.label} force=true",
        )


def _pulled(
    work: Work, entry: Database | Reference, server: Server, start: str, *, variable: str, choice: Choice
) -> str:
    """What a pull makes of a schema, in a copy beside the state."""
    database = place.owned(work.catalog, work.target)
    folder = last.folder(work.catalog, entry) / "pull"
    shutil.rmtree(folder, ignore_errors=True)  # of a killed run
    folder.mkdir(parents=True, mode=0o700)
    try:
        copy = folder / "schema.prisma"
        copy.write_text(start, encoding="utf-8")
        os.utime(copy, (1, 1))  # a pull that writes nothing is told by that
        work.progress.now("prisma db pull")
        url = server.url(database.names[LOCAL], application="gander prisma")
        shown = str(entry.prisma)
        prisma.pull(copy, url, variable, work.progress.now, shown=shown, own=choice.own, native=choice.native)
        return schema.without_table(copy.read_text(encoding="utf-8"), database.table)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _drift(entry: Database | Reference, before: str, after: str) -> Refused:
    diff = difflib.unified_diff(
        before.splitlines(),
        after.splitlines(),
        f"{entry.prisma} (committed)",
        "the migrated database",
        lineterm="",
        n=2,
    )
    return Refused(
        f"{entry.prisma} is not what the migrations build",
        why="\n".join(diff),
        todo=f"doit prisma:{entry.label}\nthen commit it: doit commit:{entry.service}",
    )


def _tell_what_escapes(work: Work, entry: Database | Reference, server: Server, name: str) -> None:
    """Say once per change what the schema cannot hold."""
    database = place.owned(work.catalog, work.target)
    escaping = schema.not_held(server.structure(name, [database.table]))
    kept = last.folder(work.catalog, entry) / "not-held"
    text = "\n".join(escaping)
    if text and text != (kept.read_text(encoding="utf-8") if kept.exists() else ""):
        work.progress.line(f"{entry.prisma} cannot say these, which stay in the migrations alone:")
        for line in escaping:
            work.progress.line(f"  {line}")
    last.write(kept, text)


def _generate(work: Work, found: Installed, path: Path, variable: str) -> str:
    if not found.program:
        return "no client generated"
    if not found.client:
        return f"no client generated: @prisma/client is not installed ({install(found)})"
    work.progress.now("prisma generate")
    prisma.generate(found, path, variable, work.progress.now)
    return f"client generated by the monorepo's Prisma {found.version}"


def _variable(catalog: Catalog, entry: Database | Reference) -> str:
    """The variable of a first schema: DATABASE_URL, or one a database where the service has several."""
    several = sum(1 for one in catalog.services[entry.service].databases if one.prisma) > 1
    return f"{entry.key}_DATABASE_URL".upper().replace("-", "_") if several else "DATABASE_URL"


def _output(catalog: Catalog, entry: Database | Reference) -> str:
    """Where a first schema puts its client: clients of one service must not overwrite each other."""
    several = sum(1 for one in catalog.services[entry.service].databases if one.prisma) > 1
    return f"../generated/{entry.key}" if several else ""


def _frozen(work: Work) -> bool:
    return work.variables.get("frozen") == "true" or os.environ.get("CI", "").lower() in {"true", "1"}


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"cannot be read: {error}", where=str(path)) from error


def _replace(path: Path, entry: Database | Reference, text: str) -> None:
    try:
        last.write(path, text)
    except OSError as error:
        raise Refused(
            f"the file cannot be written: {error.strerror}",
            where=str(entry.prisma),
            todo=f"make {path.parent} a folder of yours, with space on its disk\nthen doit prisma:{entry.label}",
        ) from error
