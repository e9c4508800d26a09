"""What `doit deploy@dev` costs where nothing is left to do: every fact is looked at, and all are verified again."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from bench.image import pushed
from bench.monorepo import generate
from bench.timing import Comparison, compare, cpu, elapsed
from bench.yard import Yard, empty, folder
from schemas.target import LOCAL
from tests import registries
from tests.argocd_standin.many import Many
from tests.argocd_standin.release import released
from tests.argocd_standin.server import TOKEN, World, serving
from tests.playground import git, publish
from tests.registries import Registry
from tools.postgres.connection import Address
from tools.toolchain.golang import ARCHITECTURES

__all__ = ["DOC", "measure", "options"]

DOC = "doit deploy@dev of many services that are released and verified, with the count of requests"
PROMISED = 5.0  # seconds
HEAD = """\
image: {{repository: "{registry}/{{service}}", platforms: [linux/{architecture}]}}
environments:
  dev:
    namespace: auth
    argocd: {{application: "{{service}}-dev", server: "{argocd}"}}
    gitops: {{repository: ., branch: main, push: direct}}
    values: {{file: "services/{{service}}/helm/values-dev.yaml", key: migrations.image}}
"""
CHART = "apiVersion: v2\nname: {service}\nversion: 1.0.0\n"
VALUES = 'migrations:\n  image: ""   # promoted\n'
FLUSH = 10.0  # seconds until a session that ended is counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Everything that a deploy asks, and the variables that lead to it."""

    yard: Yard
    registry: Registry
    argocd: Many
    server: Address
    extra: Mapping[str, str]

    def asked(self) -> Counter[str]:
        """The requests that each was asked until now, by their kinds."""
        registry = Counter(f"registry {one.split()[0]}" for one in self.registry.requests())
        argocd = Counter(f"Argo CD {_kind(one)}" for one in self.argocd.asked)
        return registry + argocd + Counter({"database connections": self._sessions()})

    def _sessions(self) -> int:
        with self.server.connect() as connection:
            told = "SELECT sum(sessions)::int FROM pg_stat_database WHERE datname = ANY(%s)"
            ((count,),) = connection.execute(told, [list(_names(self.yard).values())]).fetchall()
        return int(count)

    def settle(self) -> None:
        """Wait until the server has counted every session, which it does as each ends."""
        until, before = time.monotonic() + FLUSH, -1
        while time.monotonic() < until:
            with self.server.connect() as connection:
                told = "SELECT count(*) FROM pg_stat_activity WHERE datname = ANY(%s)"
                ((there,),) = connection.execute(told, [list(_names(self.yard).values())]).fetchall()
            now = self._sessions()
            if not there and now == before:
                return
            before = now
            time.sleep(0.1)


def options(parser: ArgumentParser) -> None:
    """Add this benchmark's options."""
    parser.add_argument("--services", type=int, default=100, help="services that are released (default: 100)")
    parser.add_argument("--files", type=int, default=20, help="files of each (default: 20)")
    parser.add_argument("--rounds", type=int, default=5, help="pairs of runs (default: 5)")


def measure(chosen: Namespace) -> Iterator[Comparison]:
    """Release all by real promotions, and measure the deploy after that.

    Registry, remote and databases are real; Argo CD is a stand-in, which says what a real one says of such releases.
    """
    if not shutil.which(registries.PROGRAM):
        sys.exit(f"it needs a registry: apt-get install {registries.PROGRAM}")
    argocd = Many()
    with (
        folder() as place,
        registries.registry(place / "registry", notes=True) as registry,
        serving(world=argocd),
    ):
        head = HEAD.format(registry=registry.host, argocd=argocd.url, architecture=ARCHITECTURES[os.uname().machine])
        file = generate(place / "many", services=chosen.services, files=chosen.files, head=head)
        yard = Yard.at(file)
        for service in yard.catalog.services:
            chart = yard.catalog.root / "services" / service / "helm"
            chart.mkdir()
            (chart / "Chart.yaml").write_text(CHART.format(service=service), encoding="utf-8")
            (chart / "values-dev.yaml").write_text(VALUES, encoding="utf-8")
        publish(yard.catalog.root, place / "remote.git")
        pushed(yard)
        with yard.kept_server() as server:
            _databases(yard, server)
            site = Site(yard=yard, registry=registry, argocd=argocd, server=server, extra=_variables(yard, server))
            yard.doit("promote@dev", extra=site.extra)
            _synced(yard, argocd, chosen.files)
            nothing = empty(place / "empty")
            title = f"doit deploy@dev, {chosen.services} services released"
            yield compare(title, lambda: _deploy(site), "an empty doit", nothing, rounds=chosen.rounds)


def _deploy(site: Site) -> float:
    """Deploy all once more; the run fails unless nothing but `verify` ran, and all are verified."""
    site.settle()
    before, worked, told = site.asked(), cpu(), ""

    def work() -> None:
        nonlocal told
        told = site.yard.doit("deploy@dev", extra=site.extra)

    taken, worked = elapsed(work), cpu() - worked
    count = len(site.yard.catalog.services)
    ran = f"\n{count} ran, {2 * count} up to date, 0 failed"
    if ran not in f"\n{told}" or told.count(" verified: ") != count:
        sys.exit(f"doit deploy@dev found something to do:\n{told}")
    site.settle()
    asked = site.asked() - before
    kept = "within" if taken < PROMISED else "MORE THAN"
    print(f"{taken:.2f} s, {kept} {PROMISED:.0f} s, {worked:.2f} s of them computing; load {os.getloadavg()[0]:.1f}")
    for kind, number in sorted(asked.items()):
        print(f"  {number:5} {kind}, {number / count:.2f} a service")
    print(f"  {asked.total():5} in all, {asked.total() / count:.2f} a service; Kubernetes is not asked")
    return taken


def _databases(yard: Yard, server: Address) -> None:
    """Every database of dev, as the migrations leave it: the first by goose, the others as copies of that one."""
    first, *others = yard.databases
    yard.doit(f"migrate:{first.label.partition('/')[0]}")
    names = _names(yard)
    with server.connect() as connection:
        for label in (first.label, *(one.label for one in others)):
            connection.execute(f'CREATE DATABASE "{names[label]}" TEMPLATE "{first.names[LOCAL]}"'.encode())


def _names(yard: Yard) -> dict[str, str]:
    return {one.label: one.names["dev"] for one in yard.databases}


def _variables(yard: Yard, server: Address) -> dict[str, str]:
    urls = {one.url_env["dev"]: server.to(one.names["dev"], "") for one in yard.databases}
    return {**urls, "ARGOCD_AUTH_TOKEN": TOKEN}


def _synced(yard: Yard, argocd: Many, files: int) -> None:
    """Each Application rolled its release out at the commit that promoted it; others came after that."""
    remote = yard.catalog.root.parent / "remote.git"
    for service in yard.catalog.services:
        file = f"services/{service}/helm/values-dev.yaml"
        image = git(remote, "show", f"main:{file}").partition('image: "')[2].partition('"')[0]
        revision = git(remote, "log", "-1", "--format=%H", "main", "--", file).strip()
        world = argocd.worlds[f"{service}-dev"] = World()
        migrations = sorted(path.name for path in (yard.catalog.root / "services" / service / "migrations").iterdir())
        log = "".join(f"2026/11/23 04:56:47 OK   {name} (1.95ms)\n" for name in migrations)
        log += f"2026/11/23 04:56:47 goose: successfully migrated database to version: {files}\n"
        released(world, f"{service}-dev", image=image, revision=revision, logs={f"{service}-migrate": log})
        told = json.dumps(world.applications[f"{service}-dev"])
        chart = told.replace("charts/auth-service", f"services/{service}/helm")
        world.applications[f"{service}-dev"] = json.loads(chart)


def _kind(asked: str) -> str:
    """``GET applications/shop-dev/resource-tree`` -> ``GET resource-tree``."""
    method, _, path = asked.partition(" ")
    return f"{method} {urlsplit(path).path.partition('/')[2].partition('/')[2] or 'application'}"
