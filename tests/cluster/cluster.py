"""A cluster as tests see it: how to reach each part, whoever runs it, and the few things that tests do with all."""

from __future__ import annotations

import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import IO, Any

import httpx

from tests.cluster.pod.program import pod
from tools.toolchain import clickhouse, postgres
from tools.toolchain.cluster import cluster as build
from tools.toolchain.cluster import cluster_place

__all__ = ["OWN", "Answer", "Api", "Cluster", "own", "programs", "up"]

ROOT = Path(__file__).parents[2]
OWN = "GANDER_TEST_"
PATIENCE = 60.0  # seconds for everything to be taken down

Api = httpx.Client
Answer = httpx.Response
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """How to reach Kubernetes, Argo CD, and what both use; a URL means the same to the tests, the node and Argo CD."""

    context: str
    kubeconfig: str
    argocd: str  # URL
    token: str = field(repr=False)  # Argo CD's, of an administrator
    deployer: str = field(repr=False)  # another one that may only get and sync applications and read logs
    authority: str  # file with the certificate of who signed Argo CD's; empty: one that everybody knows
    registry: str  # HOST:PORT, and a path where there is one
    application: str  # an image that answers on /health of PORT
    git: str  # URL of a repository: {name} is for its name; it exists or is made by a push
    postgres: str = field(repr=False)  # URL of a server for the tests, without a database
    postgres_in_pods: str = field(repr=False)  # the same for pods
    clickhouse: str = field(repr=False)  # HTTP URL of a server for the tests, without a database
    clickhouse_in_pods: str = field(repr=False)  # the same for pods

    @property
    def environment(self) -> dict[str, str]:
        """What kubectl sees; ours is on the path where we have built one."""
        path = f"{cluster_place()}{os.pathsep}{os.environ['PATH']}"
        return {**os.environ, "KUBECONFIG": self.kubeconfig, "PATH": path}

    def kubectl(self, *words: str, given: Any = None) -> str:
        """What kubectl answers in this context; ``given`` is an object for its standard input."""
        done = subprocess.run(
            [shutil.which("kubectl", path=self.environment["PATH"]) or "kubectl", f"--context={self.context}", *words],
            env=self.environment,
            input=None if given is None else json.dumps(given),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr}"
        return done.stdout

    def read(self, *words: str) -> Any:
        """An object or list of them, as ``kubectl get … -o json`` shows it."""
        return json.loads(self.kubectl("get", *words, "-o=json"))

    @contextmanager
    def api(self, token: str = "") -> Iterator[Api]:
        """A client of Argo CD's REST API, with the deployer's token where no other is given."""
        heads = {"Authorization": f"Bearer {token or self.deployer}", "Content-Type": "application/json"}
        verify = ssl.create_default_context(cafile=self.authority or None)
        base = f"{self.argocd}/api/v1"
        with httpx.Client(base_url=base, headers=heads, verify=verify, trust_env=False, timeout=30) as client:
            if record := os.environ.get(f"{OWN}RECORD"):
                client.event_hooks = {"response": [partial(_kept, Path(record))]}
            yield client


def _kept(folder: Path, answer: httpx.Response) -> None:
    """Keep an answer in the order of answers: NUMBER-METHOD-PATH-STATUS, as it was sent."""
    asked = answer.request
    what = re.sub(r"[^\w-]+", "-", asked.url.path.removeprefix("/api/v1/"))
    number = len(list(folder.iterdir())) if folder.is_dir() else 0
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{number:03}-{asked.method}-{what}-{answer.status_code}").write_bytes(answer.read())


def own(variables: Mapping[str, str]) -> Cluster | None:
    """The cluster of somebody's own that GANDER_TEST_… variables name; None: they name none.

    Raises ValueError when they name one by halves.
    """
    names = {one.name: f"{OWN}{one.name.upper()}" for one in fields(Cluster)}
    if not variables.get(names["context"]):
        return None
    default = {"kubeconfig": os.environ.get("KUBECONFIG", str(Path.home() / ".kube" / "config")), "authority": ""}
    lacking = [name for key, name in names.items() if key not in default and not variables.get(name)]
    if lacking:
        raise ValueError(f"{names['context']} names a cluster; these are needed too: {', '.join(lacking)}")
    return Cluster(**{key: variables.get(name) or default[key] for key, name in names.items()})


def programs(say: Say) -> dict[str, str]:
    """Where the programs are that a cluster consists of, each made when first needed. Raises ToolError."""
    engines = {"postgres": str(postgres(say)), "clickhouse": str(clickhouse(say))}
    return {"programs": str(build(say)), "pod": str(pod(say)), **engines}


@contextmanager
def up(say: Say) -> Iterator[Cluster]:
    """A cluster of our own, from nothing, and nothing afterwards.

    Raises ToolError where a program cannot be built, and AssertionError with the reason where a server does not come.
    """
    with subprocess.Popen(
        [sys.executable, "-m", "tests.cluster.serve", json.dumps(programs(say))],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for the tests; this one is told by the end of its input
    ) as process:
        assert process.stdin
        assert process.stdout
        listener = threading.Thread(target=_listen, args=(process.stdout, say))
        try:
            ours = _listen(process.stdout, say)
            assert ours, "the cluster has ended before it was up"
            listener.start()
            yield ours
        finally:
            process.stdin.close()
            process.wait(PATIENCE)
            if listener.ident:
                listener.join()


def _listen(lines: IO[str], say: Say) -> Cluster | None:
    """Show what is told, until the cluster is up, or to the end: a server that has ended is worth a line."""
    for line in lines:
        told = json.loads(line)
        if "say" in told:
            say(told["say"])
        assert "failed" not in told, told["failed"]
        if "ready" in told:
            return Cluster(**told["ready"])
    return None
