"""The operation `logs`: what goose printed in the pods of a release's Jobs, all of them, oldest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from schemas.catalog import Database
from schemas.errors import GanderError, Refused
from schemas.goose_log import GooseLog, parse_log
from schemas.job import Job, Pod
from schemas.target import Target
from tasks.image import content
from tasks.verify import kept
from tasks.verify.masking import without_logins
from tasks.verify.run import Servers, servers
from tasks.work import Outcome, Work
from tools.argocd import Server
from tools.shell import redact

__all__ = ["run"]

AT_ONCE = 8


class Told(NamedTuple):
    """The lines about something, and whether nothing of it is missing."""

    lines: tuple[str, ...]
    whole: bool


def run(work: Work) -> Outcome:
    """Print the log of each pod of the Jobs that there are; exit code 1 where a Job or its pods are not there."""
    shared = servers(work)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(lambda target: _release(work, shared, target), work.targets))
    for target, told in zip(work.targets, found, strict=True):
        work.out(f"{target.service}@{target.environment}")
        for line in told.lines:
            work.out(redact(f"  {line}".rstrip()))
    lacking = sum(not told.whole for told in found)
    if lacking:
        return Outcome(summary=f"{lacking} of {len(found)} not there", exit_code=1)
    return Outcome(summary="all there")


def _release(work: Work, shared: Servers, target: Target) -> Told:
    """What there is of a service in an environment, or why there is nothing."""
    try:
        told = list(_databases(work, shared, target))
    except GanderError as error:
        return Told(tuple(str(error).splitlines()), whole=False)
    lines = tuple(line for one in told for line in one.lines)
    return Told(lines or ("no database of its own",), whole=all(one.whole for one in told))


def _databases(work: Work, shared: Servers, target: Target) -> Iterator[Told]:
    environment, service = work.catalog.environments[target.environment], target.service or ""
    if environment.argocd is None:
        raise Refused(
            f"`{target.environment}` has no `argocd:`",
            where=work.catalog.file.name,
            todo="say which Application deploys a service there: argocd: {application: …, server: …}",
        )
    name = environment.argocd.application.format(service=service)
    owned = content.own(work.catalog.services[service])
    if not owned:
        return
    server = shared.of(work, target)
    application = server.application(name, compared=True)  # Jobs and pods are found in what it last compared
    for one in owned:
        told = _database(server, name, environment.namespace or application.namespace, one)
        left = () if told.whole else (f"  {line}" for line in kept.told(work, target, one.job))
        yield told._replace(lines=(*told.lines, *left))


def _database(server: Server, application: str, namespace: str, database: Database) -> Told:
    """A database's Job, and what each of its pods printed."""
    called = f"{database.label}: Job {namespace}/{database.job}"
    job = server.job(application, namespace, database.job)
    if job is None:
        return Told((f"{called}: not there",), whole=False)
    lines = [f"{called}, {_state(job)}, made {job.created:%Y-%m-%d %H:%M:%S} UTC"]
    pods = server.pods(application, namespace, job.uid)
    for pod in pods:
        lines.append(f"  pod {pod.name}, {pod.reason or pod.phase}{f' on {pod.node}' if pod.node else ''}")
        lines += [f"    {line}" for line in _pod(server, application, namespace, pod)]
    return Told(tuple(lines) if pods else (*lines, "  none of its pods is there"), whole=bool(pods))


def _pod(server: Server, application: str, namespace: str, pod: Pod) -> Iterator[str]:
    """What goose did in a pod, and what it printed; of one that has not begun, why."""
    for one in (*(early for early in pod.before if early.exit_code != 0), *pod.containers):
        if one.started is None:
            yield f"{one.name} has not begun: {one.waiting or pod.unscheduled or 'it waits'} {one.said}".rstrip()
            continue
        log = server.log(application, namespace, pod.name, one.name)
        yield f"{one.name}: {_told(parse_log(log.text))}{', without its beginning' if log.cut else ''}"
        yield from (f"  {line}" for line in without_logins(log.text).splitlines())


def _told(log: GooseLog) -> str:
    """A log in a phrase."""
    if log.failure:
        return f"failed{f' in {log.failure.name}' if log.failure.name else ''}"
    if log.nothing_to_do:
        return f"nothing to run, at {log.version}"
    if log.version is None:
        return "no end in sight"
    return f"{_count(log.ran)} to {log.version}"


def _count(ran: Sequence[object]) -> str:
    return "1 file applied" if len(ran) == 1 else f"{len(ran)} files applied"


def _state(job: Job) -> str:
    return f"failed: {job.failed}" if job.failed else "complete" if job.complete else "running"
