"""What charts make of every environment, and which Applications deploy them: the facts of the AR rules."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from schemas.catalog import Catalog, Database, Environment, Service
from schemas.errors import ToolError
from schemas.manifest import Manifest, Place, manifests
from schemas.target import LOCAL
from schemas.yaml_lenient import LARGEST, documents
from tasks.lint.applications import KINDS, Index, deploying, deployment, indexed
from tasks.lint.manifests import Found, chart_of, find, places, text
from tasks.lint.release import Release
from tools.toolchain import pinned_helm

__all__ = ["Made", "Releases", "parts"]

TOGETHER = 32  # services: some 25 ms each, where Helm takes 300 ms to start
STAND_IN = f"@sha256:{'0' * 64}"
ONCE = re.compile(rb"^--[ \t]*\+goose[ \t]+NO[ \t]+TRANSACTION\b", re.MULTILINE | re.IGNORECASE)
BY_FILE = re.compile(r"repository:\s*[\"']?file://(?P<path>[^\s\"',}]+)")


class Made(NamedTuple):
    """What is known of one service: its releases, and the environments to which no image of it was promoted yet."""

    releases: tuple[Release, ...] = ()
    unpromoted: tuple[str, ...] = ()  # there a stand-in takes the image's place
    unread: tuple[str, ...] = ()  # charts of Applications of which nothing could be made, and why
    unchecked: ToolError | None = None  # why nothing is known, where Helm is not to be had


class _Asked(NamedTuple):
    """A chart that is to be rendered for an environment, or manifests that are read as they stand."""

    service: Service
    environment: Environment
    chart: str  # its folder; empty where the manifests are plain
    applications: tuple[Manifest, ...]
    image: str
    promoted: bool
    rendered: Any  # the Chart for Helm; None for plain manifests


class Releases:
    """The releases of a run: each read and rendered once, several services together, as Helm takes a while to start."""

    def __init__(self, catalog: Catalog, say: Callable[[str], None]) -> None:
        self.catalog, self.say = catalog, say
        self._lock = Lock()
        self._there: Found | None = None
        self._index = indexed(())
        self._made: dict[str, Made] = {}

    def of(self, service: str) -> Made:
        """What is known of a service."""
        if self.catalog.environments.keys() <= {LOCAL}:
            return Made()
        with self._lock:
            if self._there is None:
                self._there = self._find()
                self._index = indexed(self._there.manifests)
            if service not in self._made:
                names = [name for name in self.catalog.services if name not in self._made]
                begin = names.index(service)
                together = [self.catalog.services[name] for name in names[begin : begin + TOGETHER]]
                self._made |= {one.name: Made() for one in together}
                self._made |= _made(self.catalog, together, self._index, self.say)
            return self._made[service]._replace(unread=self._there.unread)

    def _find(self) -> Found:
        charts = [_chart(self.catalog.root, one) for one in self.catalog.services.values()]
        try:
            return find(self.catalog.root, charts, self.say)
        except ToolError as error:
            self._made = {name: Made(unchecked=error) for name in self.catalog.services}
            return Found(())

    def close(self) -> None:
        """Nothing is open."""


def parts(catalog: Catalog, service: Service, digest: Callable[[Path], str]) -> dict[str, str]:
    """What the releases of a service depend on beside services.yaml; nothing where it has no chart."""
    if catalog.environments.keys() <= {LOCAL}:
        return {}
    found = {"applications": _key(catalog.root, digest)}
    chart = _chart(catalog.root, service)
    folders = [chart] if chart else [posixpath.dirname(service.migration_job)]
    if chart:
        found["Helm"] = pinned_helm()
        folders += _by_file(catalog.root, chart, 0)
    values = {one.values.file.replace("{service}", service.name) for one in catalog.environments.values() if one.values}
    folders += sorted(file for file in values if not file.startswith(f"{chart}/"))
    return found | {"chart": repr([(folder, digest(catalog.root / folder)) for folder in folders])}


@lru_cache(maxsize=1)
def _key(root: Path, digest: Callable[[Path], str]) -> str:
    """The content of every place in which an Application may stand, as a run found it when it began."""
    whole = sha256()
    there = places(root)
    for path in (*there.files, *there.charts):
        whole.update(f"{path}\0{digest(root / path)}\n".encode())
    return whole.hexdigest()


def _made(catalog: Catalog, services: Sequence[Service], there: Index, say: Callable[[str], None]) -> dict[str, Made]:
    asked = [
        one
        for service in services
        for environment in catalog.environments.values()
        if environment.name != LOCAL and any(isinstance(one, Database) for one in service.databases)
        if (one := _asked(catalog, service, environment, there))
    ]
    charts = [one.rendered for one in asked if one.rendered]
    try:
        if charts:
            from tools.helm import render  # noqa: PLC0415 - start-up: only who lints charts renders them

            rendered = dict(zip([id(one) for one in charts], render(catalog.root, charts, say), strict=True))
        else:
            rendered = {}
    except ToolError as error:
        return {one.service.name: Made(unchecked=error) for one in asked}
    found: dict[str, Made] = {}
    for one in asked:
        before = found.get(one.service.name, Made())
        release = _release(catalog, one, rendered.get(id(one.rendered)))
        unpromoted = () if one.promoted else (one.environment.name,)
        found[one.service.name] = Made((*before.releases, release), (*before.unpromoted, *unpromoted))
    return found


def _asked(catalog: Catalog, service: Service, environment: Environment, there: Index) -> _Asked | None:
    chart = _chart(catalog.root, service)
    applications = deploying(there, service, chart or posixpath.dirname(service.migration_job), environment)
    if not chart:
        plain = (catalog.root / service.migration_job).is_file()
        none = _Asked(service, environment, "", tuple(applications), "", promoted=True, rendered=None)
        return none if plain or applications else None
    from tools.helm import Chart  # noqa: PLC0415 - start-up

    how = deployment(applications, service, chart, environment)
    sets, image, promoted = dict(how.sets), "", True
    if environment.values:
        file = environment.values.file.replace("{service}", service.name)
        key = environment.values.key.replace("{service}", service.name)
        given = [_value(text(catalog.root / path), key) for path in (f"{chart}/values.yaml", *how.values)]
        image = next((one for one in reversed(given) if one), "")
        promoted = bool(image) or file not in how.values
        if not promoted:
            image = sets[key] = f"{service.image or service.name}{STAND_IN}"
        if key.rpartition(".")[2].lower() != "image":
            image = ""
    wanted = Chart(chart, how.values, sets, how.release, environment.namespace or "default")
    return _Asked(service, environment, chart, tuple(applications), image, promoted, wanted)


def _release(catalog: Catalog, asked: _Asked, rendering: Any) -> Release:
    own = [one for one in asked.service.databases if isinstance(one, Database)]
    found: list[Manifest] = []
    broken: list[tuple[Place, str]] = []
    if rendering is None:
        file = asked.service.migration_job
        for one in manifests(text(catalog.root / file), file):
            if isinstance(one, Manifest):
                found.append(one)
            else:
                broken.append(one)
    else:
        found += rendering.manifests
        broken += rendering.unreadable
        if rendering.error:
            broken.append((_place(rendering.error.where), rendering.error.what.partition(": ")[2]))
    return Release(
        service=asked.service.name,
        environment=asked.environment.name,
        template=asked.service.migration_job,
        jobs={one.job: one.label for one in own},
        once={one.job: why for one in own if (why := _once(catalog.root, one))},
        manifests=tuple(found),
        applications=(*asked.applications, *(one for one in found if one.kind in KINDS)),
        image=asked.image,
        broken=tuple(broken),
    )


def _once(root: Path, database: Database) -> str:
    """Why the files of a stream must not be run again blindly after a failure; empty where they may be."""
    if database.engine == "clickhouse":
        return "ClickHouse has no transactions"
    for file in sorted((root / database.migrations).glob("*.sql")):
        if file.is_file() and ONCE.search(file.read_bytes()[:LARGEST]):
            return "some files run without a transaction"
    return ""


def _chart(root: Path, service: Service) -> str:
    """The folder of the chart that the migration Job's template is in; empty where there is none."""
    return chart_of(root, service.migration_job)


def _by_file(root: Path, chart: str, depth: int) -> list[str]:
    """The charts of the monorepo that a chart depends on."""
    found = []
    for one in BY_FILE.finditer(text(root / chart / "Chart.yaml")) if depth < 5 else ():  # noqa: PLR2004 - as Helm's
        folder = posixpath.normpath(posixpath.join(chart, one["path"]))
        if not folder.startswith(("/", "..")):
            found += [folder, *_by_file(root, folder, depth + 1)]
    return found


def _value(text: str, key: str) -> str:
    """The text under a dotted key of a values file; empty where there is none."""
    found: Any = next(iter(documents(text)), None)
    for part in key.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""


def _place(where: str) -> Place:
    path, line, column = (*where.rsplit(":", 2), "", "")[:3]
    return Place(path, int(line), int(column)) if line.isdigit() and column.isdigit() else Place(where)
