"""Services that a cluster of the tests can release: files, a repository, databases, namespaces and Applications."""

from __future__ import annotations

import os
import random
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import yaml

from tests.cluster.cluster import Cluster
from tests.cluster.site import Site
from tests.journeys.conftest import ROOT, Monorepo
from tools.clickhouse.connection import Address
from tools.clickhouse.localize import localize
from tools.toolchain.golang import ARCHITECTURES

__all__ = ["begin", "example", "generated", "localized"]

MODEL = "auth-service"  # of the example: what is generated has its chart
CONSONANTS, VOWELS = "bdfgklmnprstvz", "aeiou"

Entry = dict[str, Any]


@contextmanager
def example(cluster: Cluster, folder: Path, service: str, *, more: Mapping[str, Entry] | None = None) -> Iterator[Site]:
    """A service of the example, committed and pushed, with its Application; taken away again afterwards.

    What it refers to is another service's and not there. ``more`` are environments beside dev, as changes of those
    of the example's services.yaml.
    """
    entry = yaml.safe_load((ROOT / "services.yaml").read_text())["services"][service]
    own = {key: one for key, one in entry["databases"].items() if "engine" in one}

    def write(root: Path) -> None:
        shutil.copytree(ROOT / "services" / service, root / "services" / service)
        if any(one["engine"] == "clickhouse" for one in own.values()):
            localized(cluster, root / "services" / service / "migrations")

    with _standing(cluster, folder, service, own, write=write, more=more or {}) as site:
        yield site


def localized(cluster: Cluster, folder: Path) -> None:
    """Leave the clauses of the cluster out, as the step `migrate` does for the local server: there is no Keeper."""
    files = {one.name: one.read_bytes() for one in sorted(folder.glob("*.sql"))}
    for name, text in localize(files, Address(url=cluster.clickhouse, todo="").query).texts.items():
        (folder / name).write_bytes(text)


@contextmanager
def generated(cluster: Cluster, folder: Path, seed: int) -> Iterator[Site]:
    """A service that nobody has thought of, without a migration: every name of it is one that a seed makes."""
    chance = random.Random(seed)  # noqa: S311 - repeatable names, no secret

    def word() -> str:
        return "".join(chance.choice(CONSONANTS) + chance.choice(VOWELS) for _ in range(chance.randint(2, 4)))

    service, key, table = f"{word()}-{word()}", word(), f"{word()}_{word()}_version"
    secret, url = f"{word()}-{word()}", f"{word()}_{word()}_URL".upper()
    jobs = f"{word()}-{service}" if chance.random() < 1 / 2 else ""
    own: dict[str, Entry] = {key: {"engine": "postgres", "table": table} | ({"job": jobs} if jobs else {})}

    def write(root: Path) -> None:
        for name in ("helm", "argocd"):
            shutil.copytree(ROOT / "services" / MODEL / name, root / "services" / service / name)
        for file in (root / "services" / service).rglob("*.yaml"):
            file.write_text(file.read_text().replace(MODEL, service))
        values = root / "services" / service / "helm" / "values.yaml"
        found = yaml.safe_load(values.read_text())
        found["secret"], found["application"]["urls"] = secret, [url]
        found["migrations"]["databases"] = {key: {"driver": "postgres", "url": url, "table": table}}
        values.write_text(yaml.safe_dump(found, sort_keys=False))
        if jobs:
            template = root / "charts" / "service-base" / "templates" / "_migration-job.tpl"
            before = "{{ $.Chart.Name }}-migrate{{ if not $one }}-{{ $name }}{{ end }}"
            assert before in template.read_text()
            template.write_text(template.read_text().replace(before, jobs))

    with _standing(cluster, folder, service, own, write=write, more={}) as site:
        yield site


@contextmanager
def _standing(
    cluster: Cluster,
    folder: Path,
    service: str,
    own: Mapping[str, Entry],
    *,
    write: Callable[[Path], None],
    more: Mapping[str, Entry],
) -> Iterator[Site]:
    """A service with these databases, whose files one writes, as it stands before its first release."""
    name = f"gander-{secrets.token_hex(4)}"
    (engine,) = {one["engine"] for one in own.values()}
    called = {key: f"{name}_{key}".replace("-", "_") for key in own}
    if engine == "clickhouse":
        called = {key: str(one["name"]) for key, one in own.items()}  # which its files name
    monorepo = Monorepo(root=folder / "monorepo")
    dev = Site(
        cluster=cluster,
        monorepo=monorepo,
        service=service,
        namespace=name,
        application=f"{service}-{name}",
        databases=called,
        engine=engine,
    )
    sites = [dev, *map(dev.at, more)]
    shutil.copytree(ROOT / "charts", monorepo.root / "charts")
    write(monorepo.root)
    _named(sites, own, more)
    dev.git("init", "--quiet", "--initial-branch=main")
    repository = cluster.git.format(name=name)
    dev.git("remote", "add", "origin", repository)
    dev.save("the example")
    with ExitStack() as standing:
        standing.callback(shutil.rmtree, monorepo.root)
        for site in sites:
            standing.callback(_drop, site)
            standing.callback(_delete, site)
            cluster.kubectl("create", "namespace", site.namespace)
            begin(site, repository)
        yield dev


def _named(sites: list[Site], own: Mapping[str, Entry], more: Mapping[str, Entry]) -> None:
    """The example's services.yaml and values files, with the cluster's names in the place of the example's."""
    dev, listed = sites[0], yaml.safe_load((ROOT / "services.yaml").read_text())
    cluster, environments = dev.cluster, listed["environments"]
    machine = ARCHITECTURES[os.uname().machine]
    listed["image"] = {
        "repository": f"{cluster.registry}/{dev.namespace}/{{service}}-migrations",
        "platforms": [f"linux/{machine}"],
    }
    listed["environments"] = {"local": {}}
    for site in sites:
        one = environments[site.environment] | more.get(site.environment, {})
        one |= {"namespace": site.namespace, "kube_context": cluster.context}
        one["argocd"] |= {"application": f"{{service}}-{site.namespace}", "server": urlsplit(cluster.argocd).netloc}
        listed["environments"][site.environment] = one
        values = yaml.safe_load(site.values.read_text())
        values["application"]["image"] = cluster.application
        site.values.write_text(yaml.safe_dump(values, sort_keys=False))
    names = {key: {site.environment: site.databases[key] for site in sites} for key in own}
    if dev.engine == "clickhouse":
        names = {key: own[key]["name"] for key in own}
    listed["services"] = {dev.service: {"databases": {key: one | {"name": names[key]} for key, one in own.items()}}}
    (dev.monorepo.root / "services.yaml").write_text(yaml.safe_dump(listed, sort_keys=False))
    (dev.monorepo.root / ".gitignore").write_text(".state/\n")


def begin(site: Site, repository: str) -> None:
    """Make what is there before the first release: databases, the Secret beside the chart, and the Application."""
    _execute(site, [f'CREATE DATABASE "{name}"' for name in site.databases.values()])
    folder = site.monorepo.root / "services" / site.service
    values = yaml.safe_load((folder / "helm" / "values.yaml").read_text())
    application = yaml.safe_load((folder / "argocd" / f"{site.environment}.yaml").read_text())
    application["metadata"]["name"] = site.application
    application["spec"]["source"]["repoURL"] = repository
    application["spec"]["destination"] = {"name": "in-cluster", "namespace": site.namespace}
    secret = _secret(site, values)
    secret["metadata"]["namespace"] = site.namespace
    site.cluster.kubectl("create", "-f=-", given={"apiVersion": "v1", "kind": "List", "items": [secret, application]})


def _drop(site: Site) -> None:
    options = "SYNC" if site.engine == "clickhouse" else "WITH (FORCE)"
    _execute(site, [f'DROP DATABASE IF EXISTS "{name}" {options}' for name in site.databases.values()])


def _execute(site: Site, statements: list[str]) -> None:
    """Run statements on the server, each of which stands alone."""
    if site.engine == "clickhouse":
        server = Address(url=site.cluster.clickhouse, todo="")
        for statement in statements:
            server.query(statement)
        return
    with psycopg.connect(f"{site.cluster.postgres}/postgres", autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def _delete(site: Site) -> None:
    kubectl = site.cluster.kubectl
    kubectl("delete", "application", site.application, "--namespace=argocd", "--ignore-not-found")
    kubectl("delete", "namespace", site.namespace, "--ignore-not-found", "--wait=false")


def _secret(site: Site, values: Entry) -> Entry:
    """What the chart takes the databases' URLs from; that of a database of another service leads nowhere."""
    urls = dict.fromkeys(values["application"]["urls"], "postgresql://nowhere")
    urls |= {one["url"]: site.url_in_pods(key) for key, one in values["migrations"]["databases"].items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": values["secret"]}, "stringData": urls}
