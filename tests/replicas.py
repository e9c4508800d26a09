"""Two real ClickHouse servers on loopback that are two replicas of one shard of the cluster `my_cluster`."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from xml.etree import ElementTree as ET

from schemas.errors import ServerError
from tools import toolchain
from tools.clickhouse.config import USER, Ports, server_xml, users_xml
from tools.clickhouse.connection import Address
from tools.clickhouse.home import Home, python
from tools.ports import any_port

__all__ = ["PASSWORD", "Replica", "pair"]

PASSWORD = "r3plica-s3cret"
SERVE = Path(__file__).parents[1] / "tools" / "clickhouse" / "serve.py"
HIDDEN = "<audit_db><tenants><filter>n = 7</filter></tenants></audit_db>"  # a row policy of the owner's
READERS = {"reader": 2, "strict": 1}  # users who may only read, by their profile's `readonly`


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """One of the two: how its owner reaches it, and the URL for somebody else."""

    ports: Ports
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> Address:
        """As the user who may do everything."""
        return Address(url=self.url("gander", ""), todo="")

    def url(self, user: str, database: str) -> str:
        """What a variable would hold."""
        return f"http://{user}:{PASSWORD}@127.0.0.1:{self.ports.http}/{database}"

    def stop(self) -> None:
        """End it at once: nobody needs its data any more."""
        self.process.kill()
        self.process.wait()
        if self.process.stdin:
            self.process.stdin.close()


@contextmanager
def pair(folder: Path) -> Iterator[tuple[Replica, Replica]]:
    """Both servers, up and knowing each other; ``folder`` takes their files."""
    ports = [Ports(http=any_port(), tcp=any_port()) for _ in range(2)]
    replicas = [_launch(folder / f"replica{number}", one, ports) for number, one in enumerate(ports, 1)]
    try:
        for replica in replicas:
            _wait(replica)
        yield replicas[0], replicas[1]
    finally:
        for replica in replicas:
            replica.stop()


def _launch(folder: Path, own: Ports, all_ports: list[Ports]) -> Replica:
    package = toolchain.clickhouse(print)
    home = Home(path=folder)
    folder.mkdir(parents=True)
    home.prepare(package, "0")
    account = home.account(package)
    files = {"config.xml": _server(home.run, own, all_ports), "users.xml": _users(), SERVE.name: SERVE.read_text()}
    for name, text in files.items():
        (home.run / name).write_text(text)
        if account:
            account.own(home.run / name)
    words = tuple(map(str, (python(), "-I", "-S", home.run / SERVE.name, package, home.data, home.run)))
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            account.command(words) if account else words,
            env={"TZ": "UTC", "LC_ALL": "C.UTF-8", "HOME": str(home.run), "PATH": os.defpath},
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        )
    return Replica(ports=own, process=process)


def _wait(replica: Replica) -> None:
    deadline = time.monotonic() + 60
    while True:
        with suppress(ServerError):
            if replica.address.ask("SELECT 1").rows == [[1]]:
                return
        assert replica.process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _server(run: Path, own: Ports, all_ports: list[Ports]) -> str:
    document = ET.fromstring(server_xml(run, own, token="t", password=PASSWORD, clusters=["my_cluster"]))  # noqa: S314
    shard = document.find("remote_servers/my_cluster/shard")
    assert shard is not None
    template = ET.tostring(shard[0], encoding="unicode")
    shard.remove(shard[0])
    for ports in all_ports:
        shard.append(ET.fromstring(template.replace(f">{own.tcp}<", f">{ports.tcp}<")))  # noqa: S314
    return ET.tostring(document, encoding="unicode")


def _users() -> str:
    document = ET.fromstring(users_xml(PASSWORD))  # noqa: S314
    users, profiles = document.find("users"), document.find("profiles")
    assert users is not None
    assert profiles is not None
    ours = users.find(USER)
    assert ours is not None
    ours.append(ET.fromstring(f"<databases>{HIDDEN}</databases>"))  # noqa: S314
    for name, readonly in READERS.items():
        profile = f"<{name}><readonly>{readonly}</readonly></{name}>"
        profiles.append(ET.fromstring(profile))  # noqa: S314
        grants = ("SELECT ON audit_db.*", "REMOTE ON *.*", "CREATE TEMPORARY TABLE ON *.*")
        queries = "".join(f"<query>GRANT {grant}</query>" for grant in grants)
        password = f"<password_sha256_hex>{sha256(PASSWORD.encode()).hexdigest()}</password_sha256_hex>"
        user = (
            f"<{name}>{password}<networks><ip>127.0.0.1</ip></networks><profile>{name}</profile>"
            f"<quota>default</quota><grants>{queries}</grants></{name}>"
        )
        users.append(ET.fromstring(user))  # noqa: S314
    return ET.tostring(document, encoding="unicode")
