"""What somebody who adopts a monorepo should know of it before the first run: one finding, one thing to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tasks.init.applications import automated
from tasks.init.draft import Draft
from tasks.init.schemas import Schema
from tasks.init.streams import Stream, strays
from tasks.init.survey import Survey

__all__ = ["Finding", "findings"]


FEW = 3  # labels that a finding names


class Finding(NamedTuple):
    """Where, what is there, and what to do about it."""

    where: str
    what: str
    todo: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}\n  → {self.todo}"


def findings(survey: Survey, draft: Draft) -> tuple[Finding, ...]:
    """Every finding, by its place."""
    found: list[Finding] = []
    for entry in draft.entries:
        found += _stream(entry.stream, entry.verdict.engine) if entry.stream else ()
    found += _not_taken(survey, draft)
    found += _prisma(draft)
    found += _jobs(draft)
    found += _deployment(survey, draft)
    return tuple(dict.fromkeys(sorted(found)))


def _stream(stream: Stream, engine: str) -> Iterator[Finding]:
    for first, second in stream.doubled:
        yield Finding(
            second,
            f"has the version of {first.rpartition('/')[2]}; goose ends in a panic over that",
            "give the one that was never applied a version of its own",
        )
    for path in stream.in_go:
        yield Finding(
            path, "a migration in Go needs a goose of its own, built with it", "write it in SQL, under its version"
        )
    if engine == "postgres" and stream.reading.foreign:
        table, path, line = stream.reading.foreign
        yield Finding(
            f"{path}:{line}",
            f"uses {table}, which no earlier file of {stream.folder} makes: the stream began on tables that were there",
            "write down what was there, else an empty database cannot be migrated: doit baseline:SERVICE@ENVIRONMENT",
        )


def _not_taken(survey: Survey, draft: Draft) -> Iterator[Finding]:
    for stream, verdict in draft.left_out:
        yield Finding(
            stream.folder,
            f"goose files for {verdict.engine} ({verdict.why}) are left out",
            "PostgreSQL and ClickHouse are what can be run here; if it is one of them, add the service by hand",
        )
    for folder, what in strays(survey):
        todo = "write them in SQL" if what.endswith("Go") else "if they build a database, add it by hand"
        yield Finding(folder, f"{what} are left out", todo)
    if survey.cut:
        yield Finding(".", survey.cut, "add by hand what is missing")


def _prisma(draft: Draft) -> Iterator[Finding]:
    if draft.unpulled:
        shown = ", ".join(draft.unpulled[:FEW]) + (", …" if len(draft.unpulled) > FEW else "")
        yield Finding(
            "Prisma",
            f"no schema.prisma of {shown}; where CI=true, `doit check` fails until there is one",
            f"when it is migrated, pull a first one and commit it: doit prisma:{draft.unpulled[0]}",
        )
    services = {entry.folder for entry in draft.entries if entry.stream}
    for schema in draft.unassigned:
        if schema.provider != "postgres":
            yield Finding(
                schema.path, f"a Prisma schema for {schema.provider} is left out", "nothing, if that is meant"
            )
        elif schema.migrations:
            yield _migrated(schema)
        elif schema.place.folder in services:
            yield Finding(
                schema.path, "which of the service's databases it belongs to is not told", "say it there by `prisma:`"
            )
        else:
            yield Finding(
                schema.path,
                "a service with Prisma and no goose migrations is left out",
                "if another service owns its database, add it with `owner: SERVICE/DATABASE`; else write its first"
                " migration and add it",
            )


def _migrated(schema: Schema) -> Finding:
    return Finding(
        f"{schema.path.rpartition('/')[0]}/migrations",
        f"{schema.migrations} migrations of Prisma's own: `prisma migrate` is in use",
        "one of both must be the source of truth: move them to goose files, then only pull the schema",
    )


def _jobs(draft: Draft) -> Iterator[Finding]:
    for jobs in draft.charts.jobs.values():
        for job in jobs:
            if job.name is None:
                yield Finding(f"{job.path}:{job.line}", "the Job's name is made by the template", "give it by `job:`")
            if not job.hook:
                yield Finding(
                    f"{job.path}:{job.line}",
                    "the Job is no hook: it runs beside the new release, not before it",
                    "annotate it: argocd.argoproj.io/hook: PreSync",
                )
    for path, label in draft.without_job:
        yield Finding(path, f"which Job migrates {label} is not told by its name", "give its name there by `job:`")
    for carried in draft.charts.carried:
        yield Finding(
            f"{carried.path}:{carried.line}",
            "a ConfigMap carries migrations of its own, beside the files of the services",
            "let the Job run an image that holds the files; a copy is one release behind sooner or later",
        )


def _deployment(survey: Survey, draft: Draft) -> Iterator[Finding]:
    for application in automated(survey):
        yield Finding(
            f"{application.path}:{application.line}",
            f"{application.name} is synced automatically, so a push migrates its database",
            "take `automated` out of its syncPolicy before Gander releases it",
        )
    around = draft.environments
    for environment in around.without_image:
        yield Finding(
            f"environment {environment}", "its values files name no image of migrations", "add `values:` by hand"
        )
    for path, pattern in around.odd:
        yield Finding(path, f"does not lie where the others do ({pattern})", "move it, or mend `values:`")
    for where, what in _told(draft.remarks):
        yield Finding(where, f"{what}; the second got a name of its own", "give it by `name:`, or use `owner:`")


def _told(remarks: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    return dict.fromkeys(remarks)
