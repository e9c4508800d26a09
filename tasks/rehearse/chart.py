"""The chart as an environment would get it: rendered from a commit, with the new image in its values file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from schemas import values_file
from schemas.catalog import Catalog, Database, Environment, Service
from schemas.errors import Refused, ToolError
from schemas.manifest import Manifest, Place, manifests
from tasks.image import content
from tasks.lint.applications import deploying, deployment, indexed
from tasks.lint.manifests import chart_of, find, text
from tasks.lint.release import Release, migrations
from tasks.promote.site import Site, line
from tasks.work import Work
from tools.git.copy import copied
from tools.lease import Lock

__all__ = ["Copy", "copy", "jobs", "rendered"]

COPY = "commit-"


class Copy(NamedTuple):
    """The files of a commit, apart from the work tree, and services.yaml as it is there."""

    catalog: Catalog
    commit: str
    at_home: bool  # whether the GitOps branch is of the same repository, so that the values file is among them


@contextmanager
def copy(work: Work, place: Site, tip: str, commit: str) -> Iterator[Copy]:
    """The files that Argo CD would read once the image of ``commit`` is promoted onto the branch's ``tip``.

    Where the branch is of this repository and holds the commit already, they are the tip's; else those of the commit,
    which is still to be merged. Raises ToolError where git fails.
    """
    source = content.repository(work.catalog)
    ours = place.remote.repository.root == source.root
    at = tip if ours and source.within(commit, tip) else commit
    state = work.catalog.root / ".state" / "rehearse"
    state.mkdir(parents=True, exist_ok=True)
    with Lock(state / "lock").held(waiting=lambda: work.progress.now("waiting: another run rehearses")):
        for left in state.glob(f"{COPY}*"):  # by a killed run
            shutil.rmtree(left, ignore_errors=True)
        with copied(source, at, source.base(work.catalog.base), state / f"{COPY}{os.getpid()}") as root:
            yield Copy(content.as_of(work.catalog, source, at, root), at, ours)


def rendered(here: Copy, place: Site, tip: str, image: str, say: Callable[[str], None]) -> tuple[Manifest, ...]:
    """Everything that the chart makes for the environment with that image.

    Raises Refused where the values file is not there or lacks the key, ToolError where the chart does not render.
    """
    root, environment = here.catalog.root, place.environment
    service = here.catalog.services[place.target.service or ""]
    chart = chart_of(root, service.migration_job)
    if not chart:
        return _plain(root, service)
    _write(here, place, tip, image)
    from tools.helm import Chart, render  # noqa: PLC0415 - start-up: only who renders loads Helm

    charts = [chart_of(root, one.migration_job) for one in here.catalog.services.values()]
    applications = deploying(indexed(find(root, charts, say).manifests), service, chart, environment)
    how = deployment(applications, service, chart, environment)
    asked = Chart(chart, how.values, how.sets, how.release, environment.namespace or "default")
    (found,) = render(root, [asked], say)
    if found.error:
        found.error.todo = f"correct the chart and commit it, then doit rehearse:{service.name}@{environment.name}"
        raise found.error
    if found.unreadable:
        first = found.unreadable[0]
        raise ToolError(f"the chart makes what is no YAML: {first.why}", where=str(first.place))
    return found.manifests


def jobs(
    service: Service, environment: Environment, made: tuple[Manifest, ...]
) -> tuple[dict[str, Manifest], list[str]]:
    """The migration Job of each database, by its label, and what is wrong with what the chart makes."""
    wanted = {one.job: one.label for one in service.databases if isinstance(one, Database)}
    release = Release(service.name, environment.name, service.migration_job, jobs=wanted, once={}, manifests=made)
    found = {one.name: one for one in migrations(release)}
    problems = [
        f"{Place(service.migration_job)}: no Job {name} is made, so nothing migrates {label} (./run doit rules AR04)"
        for name, label in wanted.items()
        if name not in found
    ]
    problems += [
        f"{one.at('metadata', 'name')}: services.yaml knows no Job {name}, and goose runs in it (./run doit rules AR04)"
        for name, one in found.items()
        if name not in wanted
    ]
    return {label: found[name] for name, label in wanted.items() if name in found}, problems


def _plain(root: Path, service: Service) -> tuple[Manifest, ...]:
    """The objects of a template that is in no chart."""
    file = service.migration_job
    if not (root / file).is_file():
        raise Refused(
            f"{service.name} has no migration Job to rehearse",
            where=file,
            why="there is no such file in the commit, and no chart around it",
            todo="name its template in services.yaml: migration_job: …",
        )
    return tuple(one for one in manifests(text(root / file), file) if isinstance(one, Manifest))


def _write(here: Copy, place: Site, tip: str, image: str) -> None:
    """Have the values file of the copy name the image, as `doit promote` writes it on the branch."""
    file = here.catalog.root / place.file
    if here.at_home:
        shown = f"{here.commit[:12]}:{place.file}"
        try:
            text = file.read_bytes().decode()  # with its line ends
        except (OSError, UnicodeDecodeError) as error:
            raise Refused("there is no such values file", where=shown, why=str(error)) from error
        spot = values_file.find(text, place.key, shown)
    else:
        shown = f"{place.called}:{place.file}"
        there = line(place, tip)
        text, spot = there.file.text, there.spot
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(values_file.written(text, spot, image, shown), encoding="utf-8", newline="")
