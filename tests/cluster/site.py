"""A service as a cluster releases it, and what its team and its release engineer can see of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import yaml

from schemas.application import RUN
from schemas.catalog import EngineName
from tests.cluster.cluster import Answer, Api, Cluster
from tests.journeys.conftest import Monorepo
from tests.journeys.test_commit import WHO

__all__ = ["PATIENCE", "PAUSE", "Site"]

PAUSE = 0.2  # seconds between two looks
PATIENCE = 180.0  # seconds for what takes ten on an idle machine
DONE = ("Succeeded", "Failed", "Error")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One service in one environment: in a namespace of its own, as its team and its release engineer see it."""

    cluster: Cluster
    monorepo: Monorepo
    service: str
    namespace: str
    application: str  # the name of the Application
    databases: Mapping[str, str]  # each one's key in services.yaml: its name on the server
    engine: EngineName = "postgres"
    environment: str = "dev"

    def at(self, environment: str) -> Site:
        """The same service in another environment."""
        return replace(
            self,
            namespace=f"{self.namespace}-{environment}",
            application=f"{self.application}-{environment}",
            databases={key: f"{name}_{environment}" for key, name in self.databases.items()},
            environment=environment,
        )

    @property
    def url(self) -> str:
        """The first database's URL for the tests."""
        return self.url_of(next(iter(self.databases)))

    def url_of(self, key: str) -> str:
        """A database's URL for the tests."""
        server = self.cluster.postgres if self.engine == "postgres" else self.cluster.clickhouse
        return f"{server}/{self.databases[key]}"

    def url_in_pods(self, key: str) -> str:
        """The same for pods."""
        if self.engine == "clickhouse":
            return f"{self.cluster.clickhouse_in_pods}/{self.databases[key]}"
        return f"{self.cluster.postgres_in_pods}/{self.databases[key]}?sslmode=disable"

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
        called = f"{self.service.replace('-', '_').upper()}_{{}}_{self.environment.upper()}_URL"
        urls = {called.format(key.replace("-", "_").upper()): self.url_of(key) for key in self.databases}
        trusted = {"SSL_CERT_FILE": self.cluster.authority} if self.cluster.authority else {}
        return {**WHO, **trusted, **urls, "ARGOCD_AUTH_TOKEN": self.cluster.deployer}

    def save(self, message: str) -> str:
        """Commit everything, push it to the branch that Argo CD reads, and name the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        self.git("push", "--quiet", "origin", "HEAD:main")
        return self.git("rev-parse", "HEAD")

    @property
    def values(self) -> Path:
        """The environment's values file."""
        return self.monorepo.root / "services" / self.service / "helm" / f"values-{self.environment}.yaml"

    def valued(self, message: str, **changes: Any) -> str:
        """Change values of the migrations by hand, as somebody in a hurry does; the commit."""
        file = self.values
        found = yaml.safe_load(file.read_text())
        found["migrations"] |= changes
        file.write_text(yaml.safe_dump(found, sort_keys=False))
        return self.save(message)

    def image(self) -> str:
        """The image of migrations that the values file names."""
        file = self.values
        return str(yaml.safe_load(file.read_text())["migrations"]["image"])

    def promoted(self) -> str:
        """Promote the image of HEAD to the environment, and name the commit that says so."""
        self.monorepo.fine(f"promote:{self.service}@{self.environment}", **WHO)
        return self.pulled()

    def pulled(self) -> str:
        """Take what was pushed to the branch, such as a promotion, and name its commit."""
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

    def job(self, name: str = "") -> dict[str, Any]:
        """The migration Job as Kubernetes has it."""
        named = name or f"{self.service}-migrate"
        found: dict[str, Any] = self.cluster.read("job", named, f"--namespace={self.namespace}")
        return found

    def pods(self, job: dict[str, Any]) -> list[dict[str, Any]]:
        """The pods of a Job."""
        label = f"--selector=batch.kubernetes.io/controller-uid={job['metadata']['uid']}"
        found: list[dict[str, Any]] = self.cluster.read("pods", f"--namespace={self.namespace}", label)["items"]
        return found

    def log(self, pod: dict[str, Any]) -> str:
        """What a pod has printed."""
        return self.cluster.kubectl("logs", pod["metadata"]["name"], f"--namespace={self.namespace}")

    def versions(self, key: str = "", table: str = "goose_db_version") -> list[int]:
        """What goose's table of a database says, the first one's where none is named; nothing where there is none."""
        with psycopg.connect(self.url_of(key) if key else self.url) as connection:
            if not connection.execute("SELECT to_regclass(%s)", (table,)).fetchall()[0][0]:
                return []
            found = connection.execute(f"SELECT version_id FROM {table} WHERE version_id > 0 ORDER BY id".encode())
            return [row[0] for row in found.fetchall()]

    def files(self, key: str = "") -> list[int]:
        """The versions that the files of a database say, of the only one where none is named."""
        return sorted(
            int(one.name.partition("_")[0]) for one in self.monorepo.folder(f"{self.service}/{key}").glob("*.sql")
        )
