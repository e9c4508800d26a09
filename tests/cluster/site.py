"""The example monorepo as a cluster releases it: a namespace, a Secret, databases, a repository and Applications."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import yaml

from schemas.application import RUN
from tests.cluster.cluster import Answer, Api, Cluster
from tests.journeys.conftest import ROOT, Monorepo
from tests.journeys.test_commit import WHO
from tools.toolchain.golang import ARCHITECTURES

__all__ = ["Site", "example"]

PAUSE = 0.2  # seconds between two looks
PATIENCE = 180.0  # seconds for what takes ten on an idle machine
DONE = ("Succeeded", "Failed", "Error")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One service of the example in one namespace of its own, as its team and its release engineer see it."""

    cluster: Cluster
    monorepo: Monorepo
    service: str
    namespace: str
    key: str  # of the database in services.yaml
    database: str  # as the server has it

    @property
    def application(self) -> str:
        """The name of the Application."""
        return f"{self.service}-{self.namespace}"

    @property
    def url(self) -> str:
        """The database's URL for the tests."""
        return f"{self.cluster.postgres}/{self.database}"

    def git(self, *words: str) -> str:
        """What git says in the monorepo."""
        return subprocess.run(
            [shutil.which("git") or "git", "-c", "commit.gpgsign=false", *words],
            cwd=self.monorepo.root,
            env={**os.environ, **WHO, "NO_PROXY": "127.0.0.1,localhost"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    @property
    def variables(self) -> dict[str, str]:
        """What somebody has set who releases it."""
        url = f"{self.service.replace('-', '_').upper()}_{self.key.upper()}_DEV_URL"
        trusted = {"SSL_CERT_FILE": self.cluster.authority} if self.cluster.authority else {}
        return {**WHO, **trusted, url: self.url, "ARGOCD_AUTH_TOKEN": self.cluster.deployer}

    def save(self, message: str) -> str:
        """Commit everything, push it to the branch that Argo CD reads, and name the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        self.git("push", "--quiet", "origin", "HEAD:main")
        return self.git("rev-parse", "HEAD")

    def valued(self, message: str, **changes: Any) -> str:
        """Change values of the migrations by hand, as somebody in a hurry does; the commit."""
        file = self.monorepo.root / "services" / self.service / "helm" / "values-dev.yaml"
        found = yaml.safe_load(file.read_text())
        found["migrations"] |= changes
        file.write_text(yaml.safe_dump(found, sort_keys=False))
        return self.save(message)

    def image(self) -> str:
        """The image of migrations that the values file names."""
        file = self.monorepo.root / "services" / self.service / "helm" / "values-dev.yaml"
        return str(yaml.safe_load(file.read_text())["migrations"]["image"])

    def promoted(self) -> str:
        """Promote the image of HEAD to the environment, and name the commit that says so."""
        self.monorepo.fine(f"promote:{self.service}@dev", **WHO)
        self.git("pull", "--quiet", "--ff-only", "origin", "main")
        return self.git("rev-parse", "HEAD")

    def sync(self, api: Api, revision: str, run: str) -> dict[str, Any]:
        """Ask Argo CD for exactly that commit and follow it to its end: the Application as it is then."""
        answer = self.asked(api, revision, run)
        assert answer.status_code == 200, answer.text
        return self.ended(api, run)

    def asked(self, api: Api, revision: str, run: str) -> Answer:
        """What Argo CD says to being asked for that commit."""
        asked = {"revision": revision, "strategy": {"hook": {}}, "infos": [{"name": RUN, "value": run}]}
        return api.post(f"/applications/{self.application}/sync", json=asked)

    def idle(self, api: Api) -> None:
        """Wait until no operation is asked for or runs."""
        deadline = time.monotonic() + PATIENCE
        while "operation" in self.now(api):
            assert time.monotonic() < deadline, self.now(api)
            time.sleep(PAUSE)

    def compared(self, api: Api) -> None:
        """Wait until Argo CD has looked at what the last operation made, and calls it synced and healthy."""
        deadline = time.monotonic() + PATIENCE
        while True:
            status = self.now(api)["status"]
            if (status["sync"]["status"], status["health"]["status"]) == ("Synced", "Healthy"):
                return
            assert time.monotonic() < deadline, status
            time.sleep(PAUSE)

    def now(self, api: Api) -> dict[str, Any]:
        """The Application as it is."""
        found: dict[str, Any] = api.get(f"/applications/{self.application}").json()
        return found

    def hook(self, found: dict[str, Any]) -> dict[str, Any]:
        """The row of the migration Job in the result of an Application's operation."""
        rows = found["status"]["operationState"]["syncResult"]["resources"]
        (row,) = [row for row in rows if row.get("hookType") == "PreSync"]
        assert isinstance(row, dict)
        return row

    def ended(self, api: Api, run: str) -> dict[str, Any]:
        """The Application once the operation of that run has ended."""
        deadline = time.monotonic() + PATIENCE
        while True:
            found = self.now(api)
            state = found.get("status", {}).get("operationState", {})
            ours = {"name": RUN, "value": run} in state.get("operation", {}).get("info", [])
            if "operation" not in found and ours and state.get("phase") in DONE:
                return found
            assert time.monotonic() < deadline, state
            time.sleep(PAUSE)

    def job(self) -> dict[str, Any]:
        """The migration Job as Kubernetes has it."""
        found: dict[str, Any] = self.cluster.read("job", f"{self.service}-migrate", f"--namespace={self.namespace}")
        return found

    def pods(self, job: dict[str, Any]) -> list[dict[str, Any]]:
        """The pods of a Job."""
        label = f"--selector=batch.kubernetes.io/controller-uid={job['metadata']['uid']}"
        found: list[dict[str, Any]] = self.cluster.read("pods", f"--namespace={self.namespace}", label)["items"]
        return found

    def log(self, pod: dict[str, Any]) -> str:
        """What a pod has printed."""
        return self.cluster.kubectl("logs", pod["metadata"]["name"], f"--namespace={self.namespace}")

    def versions(self) -> list[int]:
        """What goose's table says."""
        with psycopg.connect(self.url) as connection:
            found = connection.execute("SELECT version_id FROM goose_db_version WHERE version_id > 0 ORDER BY id")
            return [row[0] for row in found.fetchall()]


@contextmanager
def example(cluster: Cluster, folder: Path, service: str) -> Iterator[Site]:
    """A service of the example, committed and pushed, with its Application; taken away again afterwards."""
    namespace = f"gander-{secrets.token_hex(4)}"
    database = namespace.replace("-", "_")
    (key,) = yaml.safe_load((ROOT / "services.yaml").read_text())["services"][service]["databases"]
    monorepo = Monorepo(root=folder / "monorepo")
    site = Site(cluster=cluster, monorepo=monorepo, service=service, namespace=namespace, key=key, database=database)
    _written(site)
    site.git("init", "--quiet", "--initial-branch=main")
    site.git("remote", "add", "origin", cluster.git.format(name=namespace))
    site.save("the example")
    with psycopg.connect(f"{cluster.postgres}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{database}"'.encode())
        try:
            _created(site)
            yield site
        finally:
            cluster.kubectl("delete", "application", site.application, "--namespace=argocd", "--ignore-not-found")
            cluster.kubectl("delete", "namespace", namespace, "--ignore-not-found", "--wait=false")
            connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)'.encode())
            shutil.rmtree(monorepo.root)


def _written(site: Site) -> None:
    """The example's own files, with the cluster's names in the place of the example's."""
    root, cluster = site.monorepo.root, site.cluster
    for name in ("charts", f"services/{site.service}"):
        shutil.copytree(ROOT / name, root / name)
    listed = yaml.safe_load((ROOT / "services.yaml").read_text())
    machine = ARCHITECTURES[os.uname().machine]
    listed["image"] = {
        "repository": f"{cluster.registry}/{site.namespace}/{{service}}-migrations",
        "platforms": [f"linux/{machine}"],
    }
    dev = listed["environments"]["dev"] | {"namespace": site.namespace, "kube_context": cluster.context}
    dev["argocd"] |= {"application": f"{{service}}-{site.namespace}", "server": urlsplit(cluster.argocd).netloc}
    listed["environments"] = {"local": {}, "dev": dev}
    (own,) = listed["services"][site.service]["databases"].values()
    own["name"] = {"dev": site.database}
    listed["services"] = {site.service: listed["services"][site.service]}
    (root / "services.yaml").write_text(yaml.safe_dump(listed, sort_keys=False))
    values = root / "services" / site.service / "helm" / "values-dev.yaml"
    found = yaml.safe_load(values.read_text())
    found["application"]["image"] = cluster.application
    values.write_text(yaml.safe_dump(found, sort_keys=False))
    (root / ".gitignore").write_text(".state/\n")


def _created(site: Site) -> None:
    """The namespace, the Secret that is no part of the chart, and the example's own Application, read from here."""
    cluster, service = site.cluster, site.service
    cluster.kubectl("create", "namespace", site.namespace)
    inside = f"{cluster.postgres_in_pods}/{site.database}?sslmode=disable"
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"{service}-databases"}}
    cluster.kubectl("create", f"-n={site.namespace}", "-f=-", given={**secret, "stringData": {"DATABASE_URL": inside}})
    application = yaml.safe_load((ROOT / "services" / service / "argocd" / "dev.yaml").read_text())
    application["metadata"]["name"] = site.application
    application["spec"]["source"]["repoURL"] = cluster.git.format(name=site.namespace)
    application["spec"]["destination"] = {"name": "in-cluster", "namespace": site.namespace}
    cluster.kubectl("create", "-f=-", given=application)
