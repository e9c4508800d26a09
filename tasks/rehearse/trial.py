"""One Job, run by Docker as Kubernetes would run it, on a database that stands where the environment's does."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from schemas.catalog import Catalog, Database
from schemas.errors import Refused, ToolTimeout
from schemas.goose_file import parse
from schemas.goose_log import parse_log
from schemas.image import Content
from schemas.manifest import Manifest
from schemas.stream import Migration
from tasks import place
from tasks.migrate import failure
from tasks.rehearse.ground import Ground, ground
from tasks.rehearse.job import Job, read, words
from tasks.rehearse.judgement import Facts, Verdict, judge, startable
from tasks.rehearse.secret import Made, Secrets, Settled, settle
from tasks.scratch import Streams
from tasks.work import Work
from tools.docker import Docker, Mount
from tools.goose import DEADLINE, Result

__all__ = ["Stage", "trial"]

NETWORK = "host" if sys.platform == "linux" else "bridge"  # by which a server on loopback is reached
CLUSTER = "one server ran the files without their cluster clauses: cluster DDL was not exercised"
VALIDATES = re.compile(r"\bVALIDATE\s+CONSTRAINT\s+\"?(?P<name>[^\s\";]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What the Jobs of one release share."""

    daemon: Docker
    environment: str
    catalog: Catalog  # as the chart's commit has it
    content: Content  # of the image
    image: str  # what a values file says of it
    loaded: str  # the same, as Docker knows it
    user: str  # of the image
    keys: Mapping[str, str]  # documented keys of Secrets -> label of their database
    made: Made


def trial(work: Work, stage: Stage, database: Database, manifest: Manifest, streams: Streams) -> Verdict:
    """Run the Job of a database; ``streams`` are those that build it, with what is deployed of each.

    Raises Refused for a Job that cannot be rehearsed, and what building the database raises.
    """
    job = read(manifest)
    settled = settle(job, Secrets(database.label, stage.keys, stage.made))
    findings = [*startable(job, stage.image, stage.user), *settled.findings]
    if findings:
        return Verdict(findings=findings)
    command, args = words(job, job.command, settled.texts), words(job, job.args, settled.texts)
    if database.engine == "clickhouse" and stage.daemon.rootless:
        raise Refused(
            f"{database.label} cannot be rehearsed by a rootless Docker",
            why="ClickHouse is reached over the network, and a rootless daemon's containers do not see this machine's",
            todo="use a daemon that root runs, by DOCKER_HOST or docker context use",
        )
    baseline = place.baseline(stage.catalog, database)
    with ground(work, streams, database.names[stage.environment], baseline) as there:
        way, (texts, notes) = there.guest.way(there.site.application), _texts(stage, database, settled, there)
        mounts = [Mount(source=way.socket[0], target=way.socket[1])] if way.socket else []
        if database.engine == "clickhouse":
            mounts.append(Mount(source=_placed(stage, database, texts), target=stage.content.folder(database.key)))
        given = _Given(
            command=command,
            args=args,
            variables={**settled.texts, **dict.fromkeys(settled.url, way.url)},
            mounts=mounts,
            network="none" if way.socket else NETWORK,
        )
        work.progress.now(f"{job.name} runs")
        verdict = judge(_facts(stage, job, streams[0], there, texts, given, _run(stage, job, given)))
        return replace(verdict, notes=[*notes, *verdict.notes])


class _Given(NamedTuple):
    """What a Job's container gets that is not in the Job as it stands."""

    command: Sequence[str]
    args: Sequence[str]
    variables: Mapping[str, str]
    mounts: Sequence[Mount]
    network: str


class _Ended(NamedTuple):
    """How a container ended: its exit code, None where its time was up, and what it said."""

    code: int | None
    said: str


def _texts(
    stage: Stage, database: Database, settled: Settled, there: Ground
) -> tuple[Mapping[str, bytes], Sequence[str]]:
    """The image's files as one server can run them, by name, and what that leaves unproved."""
    files = stage.content.streams[database.key]
    if database.engine != "clickhouse":
        return {file.name: file.data for file in files}, ()
    staged = there.site.server.staged({file.path: file.data for file in files}, settled.texts)
    return {Path(path).name: text for path, text in staged.texts.items()}, [CLUSTER, *staged.remarks]


def _run(stage: Stage, job: Job, given: _Given) -> _Ended:
    said: list[str] = []
    try:
        done = stage.daemon.run(
            stage.loaded,
            given.args,
            entrypoint=given.command,
            environment=given.variables,
            user=job.user,
            folder=job.folder,
            read_only=job.read_only,
            writable=job.writable,
            drop=job.drop,
            no_more_rights=job.no_more_rights,
            network=given.network,
            mounts=given.mounts,
            deadline=job.deadline or DEADLINE,
            on_line=said.append,
        )
    except ToolTimeout:
        return _Ended(None, "\n".join(said))
    return _Ended(done.code, done.out)


def _facts(  # noqa: PLR0917 - all that is known of one run
    stage: Stage,
    job: Job,
    stream: tuple[Database, Sequence[Migration]],
    there: Ground,
    texts: Mapping[str, bytes],
    given: _Given,
    ended: _Ended,
) -> Facts:
    (database, before), log, tables = stream, parse_log(ended.said), there.tables
    files, folder = stage.content.streams[database.key], stage.content.folder
    table = database.table.removeprefix("public.")
    explained = ""
    if log.failure and log.failure.name and ended.code is not None:
        pending = [file for file in files if file.version not in {one.version for one in before}]
        left = {file.version for file in pending} - tables.get(table, frozenset())
        result = Result(code=ended.code, log=log, raw=ended.said)
        error = failure.explain(there.site, files, pending, texts, result, left=left)
        again = f"doit rehearse:{database.service}@{stage.environment}"
        error.todo = error.todo.replace(f"then doit test:{database.label}", f"commit it, then {again}")
        explained = str(error)
    default = folder(database.key) if len(stage.content.streams) == 1 else ""  # as the image's own variable has it
    return Facts(
        files={file.version: file.name for file in files},
        before={file.version: file.name for file in before},
        log=log,
        code=ended.code,
        deadline=job.deadline,
        explained=explained,
        directory=given.variables.get("GOOSE_MIGRATION_DIR", default).rstrip("/"),
        folders={folder(key) for key in stage.content.streams},
        table=table,
        tables=tables,
        structure=there.site.server.structure(there.site.name, sorted(tables)),
        validated=frozenset(_validated(files)),
    )


def _validated(files: Sequence[Migration]) -> Iterator[str]:
    for file in files:
        for statement in parse(file.data, os.environ).up:
            yield from (found["name"] for found in VALIDATES.finditer(statement.text))


def _placed(stage: Stage, database: Database, texts: Mapping[str, bytes]) -> Path:
    """A folder of files that whoever runs in a container may read; it goes with the copy of the commit."""
    folder = stage.catalog.root / ".rehearsal" / database.key
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    for name, text in texts.items():
        (folder / name).write_bytes(text)
        (folder / name).chmod(0o644)
    return folder
