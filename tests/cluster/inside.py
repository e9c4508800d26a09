"""The first process of a cluster's namespaces: starts every server in its order, and tells when all answer."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cluster import argocd, basics, kubernetes
from tests.cluster.telling import say, tell

__all__ = ["KEYS", "RUN", "SYSCTLS", "Failed", "Inside", "Settings"]

RUN = Path("/run/gander")  # in memory, of this mount namespace alone
SYSCTLS = ("vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops")
KEYS = ("kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes")
COVERED = ("/var/lib", "/var/log")  # kubelet and the network's plugins write there, whatever they are told
PAUSE = 0.1  # seconds between two looks
TAIL = 15  # lines of a log that are shown


class Failed(Exception):
    """A server did not come up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What this process was started with."""

    name: str  # of the control groups
    folder: Path  # outside: what the tests read, and the logs
    programs: Path
    postgres: Path
    clickhouse: Path
    pod: Path
    ports: Mapping[str, int]
    run: Path = RUN

    @classmethod
    def read(cls, text: str) -> Settings:
        """The settings of a command line."""
        read = json.loads(text)
        paths = {key: Path(read[key]) for key in ("folder", "programs", "postgres", "clickhouse", "pod")}
        return cls(name=read["name"], ports=read["ports"], **paths)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """The servers that run, and what they may see."""

    settings: Settings
    environment: dict[str, str]
    servers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, command: Sequence[object], **variables: str) -> None:
        """Start a server; what it says goes to a file of its name."""
        with self._log(name).open("ab") as log:
            self.servers[name] = subprocess.Popen(
                [str(word) for word in command],
                env={**self.environment, **variables},
                cwd=self.settings.run,
                stdin=subprocess.PIPE,  # open as long as this process is there: the end of it ends ClickHouse
                stdout=log,
                stderr=log,
            )

    def until(self, name: str, answers: Callable[[], object], seconds: float = 120) -> None:
        """Wait until a server answers. Raises Failed with the end of its log when it does not, or has ended."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                if answers():
                    return
            except (OSError, subprocess.SubprocessError):
                pass
            server = self.servers.get(name)
            ended = server is not None and server.poll() is not None
            if ended or time.monotonic() > deadline:
                raise Failed(f"{name} {'has ended' if ended else 'does not answer'}\n{self.tail(name)}")
            time.sleep(PAUSE)

    def tail(self, name: str) -> str:
        """The end of a server's log."""
        lines = self._log(name).read_text(errors="replace").splitlines() if self._log(name).exists() else []
        return "\n".join(lines[-TAIL:])

    def kubectl(self, *words: str, given: Any = None) -> str:
        """What kubectl answers. Raises Failed when it refuses."""
        done = subprocess.run(
            [str(self.settings.programs / "kubectl"), *words],
            env=self.environment,
            input=None if given is None else json.dumps(given),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        if done.returncode:
            raise Failed(f"kubectl {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def _log(self, name: str) -> Path:
        return self.settings.folder / f"{name}.log"


def main(text: str) -> None:
    """Bring everything up, and stay: the namespaces live as long as this process."""
    tell({"say": "namespaces are there"})
    settings = Settings.read(text)
    _mounts(settings)
    _loopback()
    inside = Inside(settings=settings, environment=_environment(settings))
    began = time.monotonic()
    try:
        facts = _up(inside)
    except Failed as failure:
        tell({"failed": str(failure)})
        return
    say(f"Kubernetes and Argo CD answer after {time.monotonic() - began:.1f} s")
    tell({"ready": facts})
    names = {server.pid: name for name, server in inside.servers.items()}
    while True:
        child, status = os.waitpid(-1, 0)  # orphans of containers too: nobody else would
        if child in names:
            say(f"{names[child]} has ended with {os.waitstatus_to_exitcode(status)}\n{inside.tail(names[child])}")


def _up(inside: Inside) -> dict[str, Any]:
    """All servers, each after those that it needs; slow starters first."""
    say("starting Kubernetes")
    kubernetes.keys(inside)
    for part in (kubernetes.etcd, kubernetes.containerd, basics.registry, basics.git, basics.redis):
        part(inside)
    kubernetes.api_server(inside)
    postgres, clickhouse = basics.postgres(inside), basics.clickhouse(inside)
    basics.images(inside)
    kubernetes.rest(inside)
    say("starting Argo CD")
    facts = argocd.up(inside)
    kubernetes.ready(inside)
    return {**kubernetes.facts(inside), **basics.facts(inside), **postgres, **clickhouse, **facts}


def _mounts(settings: Settings) -> None:
    """Everything that servers write beside their folders lies in memory, and kubelet changes copies of sysctls."""
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    for name in ("home", "sysctl", "tmp"):
        (settings.run / name).mkdir(parents=True)
    for place in COVERED:
        upper, work = (settings.run / "over" / place.replace("/", "-") / layer for layer in ("upper", "work"))
        upper.mkdir(parents=True)
        work.mkdir()
        _mount("-t", "overlay", "-o", f"lowerdir={place},upperdir={upper},workdir={work}", "overlay", place)
    for name in (*SYSCTLS, *KEYS):
        real, copy = Path("/proc/sys") / name, settings.run / "sysctl" / name.replace("/", ".")
        if real.exists():
            copy.write_text(real.read_text())
            _mount("--bind", str(copy), str(real))


def _mount(*words: str) -> None:
    subprocess.run([shutil.which("mount") or "mount", *words], check=True)


def _loopback() -> None:
    """Bring the loopback device up (netdevice(7): SIOCSIFFLAGS with IFF_UP)."""
    with socket.socket() as anything:
        fcntl.ioctl(anything, 0x8914, struct.pack("16sH14x", b"lo", 1))


def _environment(settings: Settings) -> dict[str, str]:
    path = f"{settings.programs}:{settings.run / 'bin'}:{os.environ['PATH']}:/usr/sbin:/sbin"
    return {
        "PATH": path,
        "HOME": str(settings.run / "home"),
        "TMPDIR": str(settings.run / "tmp"),
        "KUBECONFIG": str(settings.folder / "kubeconfig"),
        "LC_ALL": "C.UTF-8",
    }


if __name__ == "__main__":
    main(sys.argv[1])
