"""What services.yaml is to say of a monorepo: a document whose guesses carry their reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from tasks.init.charts import Charts, Job, called, charts
from tasks.init.engines import Verdict, verdict
from tasks.init.entry import Entry
from tasks.init.environments import Environments, environments
from tasks.init.layout import short, slug
from tasks.init.naming import Naming
from tasks.init.references import copies, references
from tasks.init.schemas import Schema, assigned, schemas
from tasks.init.streams import Stream, streams
from tasks.init.survey import Survey
from tasks.init.text import From, Guess

__all__ = ["Draft", "draft"]

TAKEN = ("postgres", "clickhouse")
TABLE = "goose_db_version"  # goose's own name for it
LONGEST = 50  # characters of service and key: a Job's name holds both, a word between them, and a number


class Draft(NamedTuple):
    """The document, and what it was made of."""

    document: dict[str, Any]
    entries: tuple[Entry, ...]
    left_out: tuple[tuple[Stream, Verdict], ...]  # of engines that are not known here
    charts: Charts
    environments: Environments
    unassigned: tuple[Schema, ...]  # Prisma schemas of no database
    without_job: tuple[tuple[str, str], ...]  # template of Jobs, label: which one of them migrates it is not told
    unpulled: tuple[str, ...]  # labels of the PostgreSQL databases that have no Prisma schema
    remarks: tuple[tuple[str, str], ...]  # where, and what a name could not be taken for


def draft(survey: Survey, branch: str | None = None) -> Draft:
    """Decide all of it from what was read; ``branch`` is the one that is checked out, where git knows no base.

    The document is empty where no stream was found.
    """
    found, prisma = streams(survey), schemas(survey)
    names = _named(survey, [*(stream.place.folder for stream in found), *(schema.place.folder for schema in prisma)])
    seen = charts(survey, names)
    entries, left_out = _entries(found, names, seen)
    copied = copies(survey, entries)
    entries = [entry for entry in entries if all(entry is not copy for copy, _ in copied)]
    entries += [
        copy._replace(stream=None, owner=owner.label, why=f"{copy.stream.folder} holds the same files")
        for copy, owner in copied
        if copy.stream
    ]
    entries += references(survey, entries, names, prisma)
    prisma_of, unassigned = assigned(prisma, [(one.folder, one.key, one.verdict.engine) for one in entries])
    around = environments(survey, {entry.folder: entry.service for entry in entries}, seen, branch)
    naming = Naming(seen, around.names)
    services: dict[str, Any] = {}
    without_job = []
    for entry in sorted(entries, key=lambda one: (one.service, bool(one.owner), one.key)):
        mine = [one for one in entries if one.service == entry.service]
        jobs = seen.jobs.get(entry.folder, ())
        service = services.setdefault(entry.service, _service(entry, jobs, around))
        several = sum(not one.owner for one in mine) > 1
        body = _reference(entry) if entry.owner else _database(entry, jobs, naming, several=several)
        schema = prisma_of.get((entry.folder, entry.key))
        between = f"{entry.key}/" if sum(one.verdict.engine == "postgres" for one in mine) > 1 else ""
        if schema and schema.path != f"{entry.folder}/prisma/{between}schema.prisma":
            body["prisma"] = schema.path
        service["databases"][entry.key] = body
        if jobs and entry.stream and not _job(entry, jobs, several=several):
            without_job.append((jobs[0].path, entry.label))
    return Draft(
        document={"version": 1, **around.head, "services": services} if services else {},
        entries=tuple(entries),
        left_out=tuple(left_out),
        charts=seen,
        environments=around,
        unassigned=unassigned,
        without_job=tuple(without_job),
        unpulled=tuple(
            entry.label
            for entry in entries
            if entry.verdict.engine == "postgres" and (entry.folder, entry.key) not in prisma_of
        ),
        remarks=tuple(naming.remarks),
    )


def _named(survey: Survey, folders: Iterable[str]) -> dict[str, str]:
    """A name for each service's folder: that of the folder, else of the whole path; the root bears the monorepo's."""
    names: dict[str, str] = {}
    for folder in sorted(set(folders)):
        last = slug(folder.rpartition("/")[2] or survey.name)
        tries = [last, slug(folder.replace("/", "-")), *(f"{last}-{number}" for number in range(2, 10_000))]
        names[folder] = next(name for name in tries if name not in names.values())
    return names


def _entries(
    found: Iterable[Stream], names: Mapping[str, str], seen: Charts
) -> tuple[list[Entry], list[tuple[Stream, Verdict]]]:
    """A database for each stream whose engine can be run here, and the other streams."""
    entries: list[Entry] = []
    left_out = []
    taken: set[str] = set()
    for stream in found:
        folder, words = stream.place
        jobs = seen.jobs.get(folder, ())
        drivers = [(job.variables["GOOSE_DRIVER"], job.path) for job in jobs if "GOOSE_DRIVER" in job.variables]
        alone = len({driver for driver, _ in drivers}) == 1
        judged = verdict(stream.reading, driver=drivers[0] if alone else None, word="".join(words[-1:]))
        if judged.engine in TAKEN:
            key = _key(names[folder], words, taken)
            entries.append(Entry(service=names[folder], folder=folder, key=key, verdict=judged, stream=stream))
        else:
            left_out.append((stream, judged))
    return entries, left_out


def _key(service: str, words: tuple[str, ...], taken: set[str]) -> str:
    """A database's key: its folders' names, else the service's; no two may make one local name or variable."""
    joint = "_" if "_" in "".join(words) else "-"
    key = slug("-".join(words), joint) if words else slug(short(service))
    key = key[: LONGEST - len(service)].rstrip("-_")
    tries = [key, *(f"{key}-{number}" for number in range(2, 10_000))]
    free = next(one for one in tries if f"{service}_{one}".replace("-", "_") not in taken)
    taken.add(f"{service}_{free}".replace("-", "_"))
    return free


def _service(entry: Entry, jobs: tuple[Job, ...], around: Environments) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if entry.folder != f"services/{entry.service}":
        body["folder"] = entry.folder or "."
    if entry.folder in around.images:
        body["image"] = around.images[entry.folder]
    path = min(jobs, key=lambda job: not job.hook).path if jobs else ""
    if path and path != f"{entry.folder}/helm/templates/migration-job.yaml":
        many = len({job.path for job in jobs}) > 1
        body["migration_job"] = Guess(path, "one of several templates of Jobs") if many else path
    return {**body, "databases": {}}


def _reference(entry: Entry) -> dict[str, Any]:
    return {"owner": Guess(entry.owner, entry.why)}


def _database(entry: Entry, jobs: tuple[Job, ...], naming: Naming, *, several: bool) -> dict[str, Any]:
    """The keys of a database whose value is not the default."""
    body: dict[str, Any] = {"engine": Guess(entry.verdict.engine, entry.verdict.why)}
    job = _job(entry, jobs, several=several)
    table = job.variables.get("GOOSE_TABLE", "") if job else ""
    table = table if naming.is_table(table) else TABLE
    name = naming.of(entry, table, several=several)
    folder = entry.stream.folder if entry.stream else ""
    if name is not None:
        body["name"] = name
    if folder != (f"{entry.folder}/migrations/{entry.key}" if several else f"{entry.folder}/migrations"):
        body["migrations"] = folder or "."
    if job and table != TABLE:
        body["table"] = From(table, f"{job.path}:{job.line}")
    usual = f"{entry.service}-migrate-{entry.key}".replace("_", "-") if several else f"{entry.service}-migrate"
    if job and job.name and job.name != usual and naming.is_free_job(job.name):
        body["job"] = From(job.name, f"{job.path}:{job.line}")
    return body


def _job(entry: Entry, jobs: tuple[Job, ...], *, several: bool) -> Job | None:
    """The service's Job; with several databases the one that is called after this."""
    fitting = sorted(jobs, key=lambda job: not job.hook)
    if several:
        fitting = [job for job in fitting if called(entry.key, f"{job.name or ''} {job.path.rpartition('/')[2]}")]
    return fitting[0] if fitting else None
