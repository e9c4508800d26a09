"""A cluster goes with the tests that use it, however they end, and leaves the machine as it was."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster import serve
from tests.cluster.cluster import programs
from tests.cluster.inside import KEYS, RUN, SYSCTLS
from tests.journeys.conftest import ROOT
from tools.toolchain.cluster import cluster_lacks

USER = """
import sys, time
from tests.cluster.cluster import up
with up(lambda line: print(line, flush=True)) as cluster:
    print("namespace", cluster.kubectl("create", "namespace", "anything"), flush=True)
    time.sleep(600)
"""
PATIENCE = 60.0
PLACES = (
    *("/run/netns", "/run/gander", "/var/lib/cni", "/var/lib/kubelet", "/var/log/containers", "/var/log/pods"),
    *("/etc/cni", "/opt/cni", "/usr/libexec/kubernetes"),
)
Machine = dict[str, object]


@pytest.fixture(autouse=True)
def possible() -> None:
    lacks = cluster_lacks()
    if lacks:
        reason = f"a real cluster: needs {' and '.join(lacks)}"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)


@pytest.fixture
def ending() -> Iterator[Callable[[subprocess.Popen[str]], subprocess.Popen[str]]]:
    """Ends a process after the test, whatever became of it."""
    begun: list[subprocess.Popen[str]] = []

    def keep(process: subprocess.Popen[str]) -> subprocess.Popen[str]:
        begun.append(process)
        return process

    yield keep
    for process in begun:
        process.kill()
        process.communicate()


def left() -> list[str]:
    """Folders and control groups of clusters."""
    folders = (Path(tempfile.gettempdir()), *serve.CGROUPS.glob("*"))
    return sorted(str(path) for folder in folders for path in folder.glob(f"{serve.NAME}-*"))


def of(process: int) -> list[str]:
    """What is left of the cluster of a process of `serve`."""
    return [path for path in left() if f"{serve.NAME}-{process}-" in path]


def machine() -> Machine:
    """What servers of a cluster would change of the machine, were they not kept apart."""
    values = {name: (Path("/proc/sys") / name).read_text() for name in (*SYSCTLS, *KEYS)}
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    ours = [one for one in mounts if "kubelet" in one or "containerd" in one or one.startswith(str(RUN))]
    files = {place: sorted(path.name for path in Path(place).glob("*")) for place in PLACES}
    return {"sysctls": values, "mounts": ours, "files": files}


def network(process: int) -> str:
    """The network namespace of a process's first child."""
    (child,) = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return str(Path(f"/proc/{child}/ns/net").readlink())


def inhabitants(namespace: str) -> list[int]:
    """The processes in a network namespace."""
    found = []
    for path in Path("/proc").glob("[0-9]*/ns/net"):
        try:
            found += [int(path.parts[2])] if str(path.readlink()) == namespace else []
        except OSError:
            continue
    return found


def wait(until: Callable[[], bool], what: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not until():
        assert time.monotonic() < deadline, what()
        time.sleep(0.05)


def test_tests_that_are_killed_take_their_cluster_with_them(
    ending: Callable[[subprocess.Popen[str]], subprocess.Popen[str]],
) -> None:
    before = machine()
    user = ending(subprocess.Popen([sys.executable, "-c", USER], cwd=ROOT, stdout=subprocess.PIPE, text=True))
    assert user.stdout
    assert any(line.startswith("namespace namespace/anything created") for line in user.stdout)
    (server,) = [int(one) for one in Path(f"/proc/{user.pid}/task/{user.pid}/children").read_text().split()]
    namespace = network(server)
    names = {Path(f"/proc/{one}/comm").read_text().strip() for one in inhabitants(namespace)}
    assert {"etcd", "kube-apiserver", "kubelet", "containerd", "argocd-server"} <= names
    assert len(of(server)) > 1, "a folder and control groups"
    user.send_signal(signal.SIGKILL)
    wait(lambda: not inhabitants(namespace), lambda: inhabitants(namespace))
    wait(lambda: not of(server), lambda: of(server))
    assert machine() == before


def test_a_cluster_whose_own_process_is_killed_leaves_a_folder_that_the_next_one_takes_away(
    ending: Callable[[subprocess.Popen[str]], subprocess.Popen[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # out of sight of clusters that begin meanwhile
    command = [sys.executable, "-m", "tests.cluster.serve", json.dumps(programs(lambda _: None))]
    server = ending(
        subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(tmp_path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ),
    )
    assert server.stdout
    assert any(json.loads(line) == {"say": "starting Argo CD"} for line in server.stdout)
    namespace = network(server.pid)
    assert inhabitants(namespace)
    server.send_signal(signal.SIGKILL)
    server.wait()
    wait(lambda: not inhabitants(namespace), lambda: inhabitants(namespace))
    assert of(server.pid)
    serve.sweep()
    assert of(server.pid) == []
