"""The process that runs a cluster, for as long as its standard input is open: ``python -m tests.cluster.serve``.

Everything runs in namespaces of its own (processes, network, mounts), which the kernel takes down whole when their
first process ends, and that ends with this one, however this one ends. Outside of them are only a folder and control
groups of its name; where it was killed, the next one takes those away.

On the machine's loopback address it listens for the few servers that tests talk to, and hands connections on to the
same port inside, so that a URL means the same on both sides.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import re
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from tests.cluster.telling import tell

__all__ = ["main", "sweep"]

ROOT = Path(__file__).parents[2]
NAME = "gander-cluster"
CGROUPS = Path("/sys/fs/cgroup")
DOORS = ("kubernetes", "argocd", "registry", "git", "postgres", "clickhouse")
CLONE_NEWNET = 0x40000000  # linux/sched.h
PATIENCE = 20.0  # seconds for control groups to become empty
BUFFER = 65536


def main(programs: str) -> int:
    """Bring a cluster up, tell its facts, and take it down when the input ends or a signal comes."""
    sweep()
    name = f"{NAME}-{os.getpid()}-{_started(os.getpid())}"
    folder = Path(tempfile.gettempdir()) / name
    folder.mkdir(mode=0o700)
    try:
        with _doors() as doors:
            ports = {door: listener.getsockname()[1] for door, listener in doors.items()}
            settings = {"name": name, "folder": str(folder), "ports": ports, **json.loads(programs)}
            return asyncio.run(_serve(doors, settings))
    finally:
        _remove(name)


def sweep() -> None:
    """Take away what clusters have left whose process was killed."""
    for name in {path.name for folder in (Path(tempfile.gettempdir()), *CGROUPS.glob("*")) for path in _named(folder)}:
        found = re.fullmatch(rf"{NAME}-(\d+)-(\d+)", name)
        if found and _started(int(found[1])) != found[2]:
            _remove(name)


def _named(folder: Path) -> Iterator[Path]:
    yield from folder.glob(f"{NAME}-*-*") if folder.is_dir() else ()


def _started(process: int) -> str:
    """When a process began, in ticks since the machine did: with its number, that names it for ever (proc(5), stat)."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    except OSError:
        return ""


def _remove(name: str) -> None:
    """Remove the folder and the control groups, which the kernel may need a moment to let go of."""
    shutil.rmtree(Path(tempfile.gettempdir()) / name, ignore_errors=True)
    deadline = time.monotonic() + PATIENCE
    for root in (CGROUPS / name, *CGROUPS.glob(f"*/{name}")):
        while root.is_dir() and time.monotonic() < deadline:
            for folder, _, _ in os.walk(root, topdown=False):
                with suppress(OSError):
                    Path(folder).rmdir()
            if root.is_dir():
                time.sleep(0.05)


@contextmanager
def _doors() -> Iterator[dict[str, socket.socket]]:
    """A listener for each server, on a port of its own that is free."""
    doors = {door: socket.socket() for door in DOORS}
    try:
        for listener in doors.values():
            listener.bind(("127.0.0.1", 0))
        yield doors
    finally:
        for listener in doors.values():
            listener.close()


async def _serve(doors: Mapping[str, socket.socket], settings: Mapping[str, Any]) -> int:
    apart = ("--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child=SIGKILL")
    namespaces = await asyncio.create_subprocess_exec(
        *("setpriv", "--pdeathsig=KILL", "unshare", *apart, "--"),
        *(sys.executable, "-m", "tests.cluster.inside", json.dumps(settings)),
        cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,  # unshare complains when its child is killed, which is how a cluster ends
    )
    assert namespaces.stderr
    complaint = asyncio.create_task(namespaces.stderr.read())
    over, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, over.set)

    def listen() -> None:
        if not os.read(sys.stdin.fileno(), BUFFER):
            over.set()

    loop.add_reader(sys.stdin.fileno(), listen)
    first = asyncio.create_task(_relay(namespaces, doors))
    await asyncio.wait({first, asyncio.create_task(over.wait())}, return_when=asyncio.FIRST_COMPLETED)
    loop.remove_reader(sys.stdin.fileno())
    for child in _children(namespaces.pid):
        os.kill(child, signal.SIGKILL)  # the first process inside; unshare ends when all are gone
    await namespaces.wait()
    await first
    if not over.is_set():
        tell({"failed": f"the cluster has ended by itself\n{(await complaint).decode(errors='replace')}"})
    return 0 if over.is_set() else 1


async def _relay(namespaces: asyncio.subprocess.Process, doors: Mapping[str, socket.socket]) -> None:
    """Hand on what is told inside, until nobody is left there; the doors open once their namespace is known."""
    assert namespaces.stdout
    if not await namespaces.stdout.readline():
        return  # there are none
    _enter(namespaces.pid)
    for listener in doors.values():
        await asyncio.start_server(partial(_through, listener.getsockname()[1]), sock=listener)
    while line := await namespaces.stdout.readline():
        tell(json.loads(line))


def _enter(process: int) -> None:
    """Make new sockets in the network of that process; those that there are stay where they are."""
    with Path(f"/proc/{process}/ns/net").open(encoding="ascii") as network:
        if ctypes.CDLL(None, use_errno=True).setns(network.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


def _children(process: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []


async def _through(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Join a connection with one of the same port inside, until both sides have ended theirs."""
    try:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        writer.close()
        return
    await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))
    for one in (writer, inner_writer):
        one.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hand on what is read to its end, which a connection that breaks is too."""
    with suppress(OSError):
        while data := await reader.read(BUFFER):
            writer.write(data)
            await writer.drain()
    with suppress(OSError):
        writer.write_eof()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
