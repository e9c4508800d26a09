"""A real Docker daemon for tests: one of our own in a folder of its own, or the one that runs here."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from schemas.errors import Refused
from tools import docker

__all__ = ["daemon"]

START = 60.0  # seconds within which a daemon must answer
END = 30.0  # seconds within which it must have ended its containers and itself


@contextmanager
def daemon() -> Iterator[str]:
    """The ``DOCKER_HOST`` of a daemon that answers; the test is not run where there is none, and fails where CI=true.

    Root gets one that keeps its images in a folder of its own, makes no network and no firewall rule, and that is
    gone afterwards with its processes and mounts. What stays is what any dockerd of this version writes when it
    first starts: /etc/docker/key.json.
    """
    program = _tool("dockerd")
    if program and os.geteuid() == 0 and sys.platform == "linux":
        with _own(program) as host:
            yield host
        return
    found = docker.usable()
    if isinstance(found, Refused):
        _not_run(f"needs a daemon, or root and Debian's package docker.io: {found.what}, {found.why}")
    else:
        found.close()
    yield os.environ.get("DOCKER_HOST", "")


def _tool(name: str) -> str:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") or ""


@contextmanager
def _own(program: str) -> Iterator[str]:
    folder = Path(tempfile.mkdtemp(prefix="gander-docker-"))  # short: a socket's path has 107 characters
    (folder / "daemon.json").write_text("{}")
    host = f"unix://{folder}/docker.sock"
    command = (
        *(program, "--host", host, "--config-file", str(folder / "daemon.json"), "--pidfile", str(folder / "pid")),
        *("--data-root", str(folder / "data"), "--exec-root", str(folder / "exec")),
        *("--bridge=none", "--iptables=false", "--ip-forward=false", "--ip-masq=false"),
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [_tool("setpriv"), "--pdeathsig", "TERM", *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait(process, folder, host)
        yield host
    finally:
        process.terminate()
        try:
            process.wait(END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for left in _programs(folder):
            with suppress(ProcessLookupError):
                os.kill(left, signal.SIGKILL)
        for path in _mounts(folder):
            subprocess.run([_tool("umount"), "--lazy", path], check=True)
        shutil.rmtree(folder)


def _wait(process: subprocess.Popen[bytes], folder: Path, host: str) -> None:
    deadline = time.monotonic() + START
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", host)
        while process.poll() is None and time.monotonic() < deadline:
            found = docker.usable()
            if not isinstance(found, Refused):
                found.close()
                return
            time.sleep(0.05)
    _not_run(f"dockerd does not start here: {(folder / 'log').read_text()[-1000:]}")


def _not_run(reason: str) -> None:
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"a real Docker: {reason}")


def _mounts(folder: Path) -> list[str]:
    """What is mounted below a folder, the innermost first: namespaces of networks may outlive a daemon."""
    listed = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    return sorted((path for path in listed if path.startswith(f"{folder}/")), reverse=True)


def _programs(folder: Path) -> list[int]:
    """The processes that were started with a path below a folder: containerd, and what watches a container."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and f"{folder}/".encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found
