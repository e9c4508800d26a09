"""Where an embedded ClickHouse keeps its files, and what it remembers between two starts."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import ServerError
from tools import account, private
from tools.account import Account
from tools.shell import hide

__all__ = ["TITLE", "Home", "python"]

TITLE = "the local ClickHouse"


def python() -> Path:
    """The interpreter that the server runs in: itself, not a link in a virtual environment that others cannot enter."""
    return Path(sys.executable).resolve()


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The folder of one embedded server: data, configuration, log, password, and what the keeper needs."""

    path: Path

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.path / "data"

    @property
    def run(self) -> Path:
        """The working directory of the server, with its configuration and program."""
        return self.path / "run"

    @property
    def log(self) -> Path:
        """What the server prints."""
        return self.path / "server.log"

    def account(self, package: Path) -> Account | None:
        """The account that runs the server when root starts it; ``package`` is the folder of the engine."""
        return account.choose(self.data, (python(), package / "chdb"), title="ClickHouse", named="clickhouse")

    def password(self) -> str:
        """Our user's password, hidden from everything that this process shows; ServerError without one."""
        try:
            password = (self.path / "password").read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ServerError(
                f"the password of {TITLE} cannot be read: {self.path / 'password'}",
                why=error.strerror or "",
                todo=f"run the command as the account that made it, or let a new one be made: {self.afresh()}",
            ) from error
        hide(password)
        return password

    def afresh(self) -> str:
        """The command after which the next start makes a new password; the data stays."""
        return f"rm -f {shlex.quote(str(self.path / 'password'))}"

    def aside(self) -> str:
        """The commands that put a data directory aside and build a new one."""
        data = shlex.quote(str(self.data))
        return (
            f"mv {data} {shlex.quote(f'{self.data}.old')}\ndoit migrate   (builds every database anew from its files)"
        )

    def clusters(self) -> frozenset[str]:
        """The clusters that the server was ever asked to know, and `default`."""
        try:
            return frozenset(json.loads((self.path / "clusters.json").read_bytes())) | {"default"}
        except (OSError, ValueError):
            return frozenset({"default"})

    def remember(self, clusters: Iterable[str]) -> None:
        """Have the next start know these clusters too."""
        if not self.clusters() >= set(clusters):
            private.write(self.path / "clusters.json", json.dumps(sorted(self.clusters() | set(clusters))))

    def prepare(self, package: Path, version: str) -> None:
        """Make what a start needs; ServerError for data that this version cannot run."""
        if not (self.path / "password").exists():
            private.write(self.path / "password", secrets.token_urlsafe(24))
        self.password()
        owner = self.account(package)
        self._check(owner, version)
        for folder in (self.data, self.run):
            private.folder(folder, owner)
        private.write(self.path / "version", version)

    def _check(self, owner: Account | None, version: str) -> None:
        """Refuse data that a newer ClickHouse wrote, or that is not the account's to use."""
        if not self.data.exists():
            return
        us = owner.uid if owner else os.geteuid()
        if self.data.stat().st_uid != us and any(self.data.iterdir()):
            raise ServerError(
                f"{self.data} belongs to another account (uid {self.data.stat().st_uid})",
                todo=f"run the command as that account, or chown -R {us} {shlex.quote(str(self.data))}",
            )
        try:
            wrote = (self.path / "version").read_text(encoding="ascii").strip()
        except OSError:
            return
        if _numbers(wrote) > _numbers(version):
            raise ServerError(
                f"{self.data} was used by ClickHouse {wrote}; here runs ClickHouse {version}",
                why="ClickHouse does not promise to read what a newer version wrote",
                todo=f"go back to the newer version of this project\nor: {self.aside()}",
            )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split(".") if number.isdigit())
