"""The playground with a cluster: each service of the example as it stands before its first release, to dev and prod."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import certifi
import yaml

from tests.cluster.cluster import Cluster, Say, up
from tests.cluster.making import begin, localized
from tests.cluster.site import Site
from tests.journeys.conftest import Monorepo
from tests.playground import Playground, copy_example, inhabited, publish
from tools.toolchain.cluster import PACKAGES, cluster_lacks, cluster_place

__all__ = ["playground", "refusal"]

ENVIRONMENTS = ("dev", "prod")
REPOSITORY = "services"
IMAGE = re.compile(r"registry\.example\.com/my-girok/[\w-]+:[\w.]+")  # of an application, in a values file
HOME = ("127.0.0.1", "localhost")


def refusal() -> str:
    """Why there can be no cluster here now, and what to type; empty: there can be one."""
    lacks = cluster_lacks()
    if lacks == ("root",):
        return "it needs root: sudo -E ./run python -m tests.playground --cluster"
    if lacks:
        packages = " ".join(dict.fromkeys(PACKAGES.values()))
        return f"it needs {' and '.join(lacks)}: apt-get install {packages}"
    if not cluster_place().is_dir():
        how = "builds them (fifteen minutes of one processor, once); Ctrl-C when it says how to reach it"
        return f"its programs are not there yet: ./run python -m tests.cluster {how}"
    return ""


@contextmanager
def playground(folder: Path, say: Say) -> Iterator[Playground]:
    """Make a playground in an empty folder, with a cluster that goes with it.

    Raises what ``up`` raises.
    """
    with up(say) as cluster:
        root, repository = folder / "monorepo", cluster.git.format(name=REPOSITORY)
        argocd = urlsplit(cluster.argocd).netloc
        copy_example(root, {"registry.example.com": cluster.registry, "argocd.example.com": argocd})
        sites = list(_sites(cluster, root))
        for site in sites:
            site.values.write_text(IMAGE.sub(cluster.application, site.values.read_text()))
        for service in {site.service for site in sites if site.engine == "clickhouse"}:
            localized(cluster, root / "services" / service / "migrations")
        publish(root, repository)
        say(f"making {len(sites)} Applications and their databases")
        for namespace in {site.namespace for site in sites}:
            cluster.kubectl("create", "namespace", namespace)
        for site in sites:
            begin(site, repository)
        variables = _variables(cluster, folder, sites)
        with inhabited(Playground(root=root, remote=repository, host=cluster.registry, variables=variables)) as made:
            yield made


def _sites(cluster: Cluster, root: Path) -> Iterator[Site]:
    """Each service in each environment, named as services.yaml names it.

    Those of ClickHouse in the first alone: their files name the database, and there is one server.
    """
    listed: dict[str, Any] = yaml.safe_load((root / "services.yaml").read_text())
    for service, entry in listed["services"].items():
        own = {key: one for key, one in entry["databases"].items() if "engine" in one}
        (engine,) = {one["engine"] for one in own.values()}
        for environment in ENVIRONMENTS if engine == "postgres" else ENVIRONMENTS[:1]:
            named = listed["environments"][environment]
            yield Site(
                cluster=cluster,
                monorepo=Monorepo(root=root),
                service=service,
                namespace=named["namespace"],
                application=named["argocd"]["application"].format(service=service),
                databases={
                    key: one["name"] if engine == "clickhouse" else one["name"][environment] for key, one in own.items()
                },
                engine=engine,
                environment=environment,
            )


def _variables(cluster: Cluster, folder: Path, sites: list[Site]) -> dict[str, str]:
    """What a shell needs to release them: one authority more than this machine trusts, contexts, a token, URLs."""
    trusted = Path(os.environ.get("SSL_CERT_FILE") or certifi.where()).read_text()
    authority = folder / "authorities.pem"
    authority.write_text(trusted + Path(cluster.authority).read_text())
    contexts = folder / "kubeconfig"
    contexts.touch(mode=0o600)
    contexts.write_text(json.dumps(_contexts(cluster, {site.environment: site.namespace for site in sites})))
    direct = ",".join([*filter(None, [os.environ.get("NO_PROXY", os.environ.get("no_proxy", ""))]), *HOME])
    released = {name: value for site in sites for name, value in site.variables.items()}
    own = {"KUBECONFIG": str(contexts), "PATH": cluster.environment["PATH"], "SSL_CERT_FILE": str(authority)}
    return {**released, **own, "NO_PROXY": direct, "no_proxy": direct}


def _contexts(cluster: Cluster, namespaces: dict[str, str]) -> dict[str, Any]:
    """The cluster's kubeconfig, with a context for each environment in the place of its own."""
    found: dict[str, Any] = json.loads(cluster.kubectl("config", "view", "--raw", "--flatten", "-o=json"))
    (same,) = [one["context"] for one in found["contexts"] if one["name"] == cluster.context]
    contexts = [{"name": name, "context": {**same, "namespace": space}} for name, space in namespaces.items()]
    return {**found, "contexts": contexts, "current-context": next(iter(namespaces))}
