"""The five facts of a release, looked at now: Argo CD, the cluster behind it, and the databases themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple, TypeVar

from schemas.application import Application
from schemas.catalog import EngineName
from schemas.errors import GanderError, ServerError
from schemas.goose_log import parse_log
from schemas.job import Pod
from schemas.target import Target
from tasks import elsewhere, place
from tasks.status.standing import judge as standing
from tasks.verify.facts import Expected, Facts, Held, Look, Part, Printed, Seen
from tasks.verify.masking import masked
from tasks.verify.release import Release, known, said
from tasks.verify.undone import sort
from tasks.work import Work
from tools.argocd import Server
from tools.oci.registry import Registries
from tools.remote import Place, Reader, Sight, Undone

__all__ = ["Gathered", "container", "gather", "printed"]

AT_ONCE = 8  # questions about one release

Found = TypeVar("Found")


class Gathered(NamedTuple):
    """What was seen, and what it is to be set against."""

    facts: Facts
    expected: Expected


class Contents(NamedTuple):
    """What a database was seen to hold."""

    sight: Sight
    undone: tuple[Undone, ...]
    differing: tuple[str, ...]  # servers whose schema is not that of the first


def gather(work: Work, target: Target, release: Release, server: Server) -> Gathered:
    """Look at everything; what cannot be looked at is a fact without a value, and says why."""
    environment = work.catalog.environments[target.environment]
    called = release.expected("").application
    with ThreadPoolExecutor(AT_ONCE) as pool:
        asked = pool.submit(_databases, work, release)
        application = _look(f"Argo CD {server.host}", lambda: server.application(called))
        state, there = (application.value.state, application.value.namespace) if application.value else (None, "")
        expected = release.expected(environment.namespace or there)
        meant = said(release, state.revisions, expected.application) if state else Look(why="no operation is known")
        jobs = dict(
            pool.map(lambda part: (part.job, _job(server, expected, part, application)), expected.parts),
        )
        engines = {part.job: release.databases[part.label].engine for part in expected.parts}
        logs = dict(
            pool.map(lambda name: (name, _log(server, expected, engines[name], name, jobs[name])), jobs),
        )
        databases = asked.result()
    parts = tuple(_explained(work, release, part, databases[part.label].value) for part in expected.parts)
    return Gathered(
        Facts(application=application, said=meant, jobs=jobs, logs=logs, databases=databases),
        replace(_with_manifests(expected, jobs), parts=parts),
    )


def _look(source: str, ask: Callable[[], Found | None], nothing: str = "") -> Look[Found]:
    """What a question comes to; an error of ours is a fact that nobody knows."""
    at = datetime.now(UTC)
    try:
        value = ask()
    except GanderError as error:
        why = f"{error.what}{f' ({error.why})' if error.why else ''}"
        return Look(why=why, todo=error.todo, source=source, at=at)
    return Look(value=value, why=nothing if value is None else "", source=source, at=at)


def _job(server: Server, expected: Expected, part: Part, application: Look[Application]) -> Look[Seen]:
    """The Job as it is in the cluster, and all its pods."""
    source = f"Job {expected.namespace}/{part.job} through {server.host}"
    if application.value is None:
        return Look(why="Argo CD was not heard", source=source)

    def patiently() -> Seen | None:
        """Argo CD finds Jobs and pods in what it last compared, which may be from before the operation ended."""
        seen = _seen(server, expected, part.job)
        if seen is None or not seen.pods:
            server.application(expected.application, compared=True)
            seen = _seen(server, expected, part.job)
        return seen

    return _look(source, patiently, "it is not there")


def _log(
    server: Server, expected: Expected, engine: EngineName, name: str, seen: Look[Seen]
) -> Look[tuple[Printed, ...]]:
    """What goose printed in each pod of a Job that began."""
    source = f"log of Job {expected.namespace}/{name} through {server.host}"
    if seen.value is None:
        return Look(why=seen.why, source=source)
    pods = seen.value.pods

    def ask() -> tuple[Printed, ...]:
        return tuple(_printed(server, expected, engine, one) for one in pods if container(one, expected.image))

    return _look(source, ask)


def _printed(server: Server, expected: Expected, engine: EngineName, pod: Pod) -> Printed:
    log = server.log(expected.application, expected.namespace, pod.name, container(pod, expected.image))
    text = masked(log.text, engine)
    return Printed(pod=pod.name, text=text, cut=log.cut, log=parse_log(text))


def container(pod: Pod, image: str) -> str:
    """The container of a pod that ran the image, or its first one; empty where that has not begun."""
    began = [one for one in pod.containers if one.started is not None]
    return next((one.name for one in began if one.image == image), began[0].name if began else "")


def _with_manifests(expected: Expected, jobs: Mapping[str, Look[Seen]]) -> Expected:
    """With the digests of the image's manifests too, where a node names it by another digest than the index's."""
    named = {
        one.digest
        for seen in jobs.values()
        for pod in (seen.value.pods if seen.value else ())
        for one in pod.containers
        if one.image == expected.image and one.digest
    }
    if named <= expected.digests:
        return expected
    with Registries() as registries:
        found = _look("the registry", lambda: registries.manifests(expected.image))
    return replace(expected, digests=expected.digests | (found.value or frozenset()))


def printed(server: Server, expected: Expected, engines: Mapping[str, EngineName]) -> Facts:
    """The Jobs that are there now, whosever they are, and what they printed; nothing else is looked at."""
    jobs: dict[str, Look[Seen]] = {}
    for part in expected.parts:
        jobs[part.job] = _look("", lambda name=part.job: _seen(server, expected, name))  # type: ignore[misc]
    logs = {name: _log(server, expected, engines[name], name, seen) for name, seen in jobs.items()}
    return Facts(application=Look(), said=Look(), jobs=jobs, logs=logs, databases={})


def _seen(server: Server, expected: Expected, name: str) -> Seen | None:
    """A Job and its pods as Argo CD finds them; None where it finds none."""
    found = server.job(expected.application, expected.namespace, name)
    if found is None:
        return None
    return Seen(job=found, pods=server.pods(expected.application, expected.namespace, found.uid))


def _databases(work: Work, release: Release) -> dict[str, Look[Held]]:
    """What the databases themselves say, all asked together."""
    environment = release.place.environment.name
    there = [
        elsewhere.place(work.catalog, one, environment, release.streams[label])
        for label, one in release.databases.items()
    ]
    at = datetime.now(UTC)
    found: dict[str, Look[Held]] = {}
    for one, seen in zip(there, elsewhere.each(there, _contents), strict=True):
        source = f"database {one.name} of {one.variable}"
        if isinstance(seen, ServerError):
            why = f"{seen.what}{f' ({seen.why})' if seen.why else ''}"
            found[one.label] = Look(why=why, todo=seen.todo, source=source, at=at)
        else:
            found[one.label] = Look(value=_held(release, one, seen), source=source, at=at)
    return found


def _held(release: Release, where: Place, seen: Contents) -> Held:
    """A database's versions on every server, and what is unfinished in it."""
    files = release.streams[where.label]
    judged = standing(place.files(files), seen.sight, where.table, where.streams)
    left = sort(seen.undone, files)
    return Held(
        versions=frozenset(one.version for one in judged.versions if one.state in {"applied", "missing"}),
        against=(*(judged.notes if judged.doubtful else ()), *seen.differing),
        unfinished=left.against,
        remarks=(*left.remarks, *(() if judged.doubtful else judged.notes)),
    )


def _contents(reader: Reader) -> Contents:
    from schemas.structure import difference  # noqa: PLC0415 - start-up: a release alone needs it

    sight = reader.sight()
    structures = dict(reader.structures()) if len(sight.replicas) > 1 else {}
    first = next(iter(structures), "")
    differing = tuple(
        f"{name} and {first} differ in {changes[0].object}"
        for name, one in structures.items()
        if (changes := difference(structures[first], one))
    )
    return Contents(sight=sight, undone=reader.undone(), differing=differing)


def _explained(work: Work, release: Release, part: Part, held: Held | None) -> Part:
    """With the versions that git knows of other releases, where a database holds more than the image's files."""
    if held is None or held.versions <= part.files.keys():
        return part
    return replace(part, known=known(work, release.place.environment, release.databases[part.label]))
