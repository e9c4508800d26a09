"""How the keeper runs an embedded ClickHouse: configure and start it, look at it a last time, stop it."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from schemas.errors import ServerError
from tools import private
from tools.clickhouse import leftovers, settled, smoke
from tools.clickhouse.config import Ports, server_xml, users_xml
from tools.clickhouse.embedded import address
from tools.clickhouse.farewell import look
from tools.clickhouse.home import TITLE, Home, python
from tools.clickhouse.trouble import broken, failure
from tools.ports import any_port, free

__all__ = ["ClickHouse", "charge"]

PROGRAM = Path(__file__).with_name("serve.py")
TRIES = 5  # pairs of ports to try when others take them between our look and the server's start
READY = 120.0  # seconds: a data directory with many tables takes its time
LOOK = 0.01  # seconds between two looks whether the server answers
PATIENCE = 20.0  # seconds for a shutdown, before a kill
LOG = 1024 * 1024  # bytes of the server's log


def charge(home: Path, arguments: list[str]) -> ClickHouse:
    """The embedded server of this folder, for `tools.keeper`; the one argument is the folder of its package."""
    (package,) = arguments
    return ClickHouse(Home(path=home), Path(package))


class ClickHouse:
    """One process with the engine and the files around it."""

    def __init__(self, home: Home, package: Path) -> None:
        self.home, self.package = home, package
        self.facts: dict[str, Any] = {}

    def start(self) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
        """Start the server on the remembered ports, else on free ones, and see that it does what we rely on."""
        leftovers.wait(self.home.data)
        ports, problem = self._remembered(), ""
        for _ in range(TRIES):
            token = f"gander-{secrets.token_hex(8)}"
            clusters = sorted(self.home.clusters())
            self.facts = {"http": ports.http, "tcp": ports.tcp, "token": token, "clusters": clusters}
            child = self._launch(ports, token)
            try:
                problem = self._wait(child, token)
                if not problem:
                    self._check(ports)
                    (self.home.path / "ports.json").write_text(json.dumps([ports.http, ports.tcp]), encoding="ascii")
                    return child, {**self.facts, "pid": child.pid}
            except BaseException:
                self.stop(child)
                raise
            if "Address already in use" not in problem:
                break
            ports = Ports(http=any_port(), tcp=any_port())
        raise failure(self.home, problem)

    def rest(self, child: subprocess.Popen[bytes]) -> None:
        """Note what all databases hold, shut down, and keep the note if no file changed in between."""
        seen = look(address(self.home, self.facts), self.home)
        self.stop(child)
        if seen:
            settled.accept(self.home, seen.contents, seen.signature)

    def stop(self, child: subprocess.Popen[bytes]) -> None:
        """End the server's standard input, and with it the server."""
        if child.stdin:
            with suppress(OSError):
                child.stdin.close()
        try:
            child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def tend(self) -> None:
        """Empty a log that has grown large."""
        with suppress(FileNotFoundError):
            if self.home.log.stat().st_size > LOG:
                os.truncate(self.home.log, 0)

    def _check(self, ports: Ports) -> None:
        """Raise ServerError for a server that does not do what we rely on, or has lost rows."""
        here = address(self.home, self.facts)
        smoke.prove(here, ports, self.home.password())
        if lost := broken(self.home, here):
            raise lost

    def _remembered(self) -> Ports:
        """The ports of the last start, if both are free."""
        try:
            http, tcp = map(int, json.loads((self.home.path / "ports.json").read_bytes()))
        except (OSError, ValueError, TypeError):
            http = tcp = 0
        if http and tcp and free(http) and free(tcp):
            return Ports(http=http, tcp=tcp)
        return Ports(http=any_port(), tcp=any_port())

    def _launch(self, ports: Ports, token: str) -> subprocess.Popen[bytes]:
        (self.home.path / "settled.json").unlink(missing_ok=True)
        password, run = self.home.password(), self.home.run
        account = self.home.account(self.package)
        clusters = self.facts["clusters"]
        files = {
            "config.xml": server_xml(run, ports, token=token, password=password, clusters=clusters),
            "users.xml": users_xml(password),
            PROGRAM.name: PROGRAM.read_text(encoding="utf-8"),  # its own folder may be closed to the account
        }
        for name, text in files.items():
            private.write(run / name, text)
            if account:
                account.own(run / name)
        words = tuple(map(str, (python(), "-I", "-S", run / PROGRAM.name, self.package, self.home.data, run)))
        with self.home.log.open("wb") as log:
            os.fchmod(log.fileno(), 0o600)
            return subprocess.Popen(
                account.command(words) if account else words,
                env={"TZ": "UTC", "LC_ALL": "C.UTF-8", "HOME": str(run), "PATH": os.defpath},
                cwd="/",
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _wait(self, child: subprocess.Popen[bytes], token: str) -> str:
        """Wait until this very launch answers; what it said when it ends instead, with whatever exit code."""
        here, deadline = address(self.home, self.facts), time.monotonic() + READY
        while child.poll() is None:
            with suppress(ServerError):  # not yet
                if here.ask("SELECT displayName()", patience=READY).rows == [[token]]:
                    return ""
            if time.monotonic() > deadline:
                raise ServerError(f"{TITLE} did not answer within {READY:.0f} s", todo="./run doit doctor")
            time.sleep(LOOK)
        said = self.home.log.read_text(encoding="utf-8", errors="replace")
        return said or f"the engine ended at once with exit code {child.returncode}"
