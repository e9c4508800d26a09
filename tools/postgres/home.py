"""Where an embedded PostgreSQL keeps its files, and how its data directory comes to be."""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import stat
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp

from schemas.errors import ServerError
from tools import private
from tools.engine import Say
from tools.postgres.account import Account, choose
from tools.shell import Finished, hide, inherited, run

__all__ = ["MAINTENANCE", "MAJOR", "USER", "Home"]

MAJOR = "16"
USER = "gander"
MAINTENANCE = "postgres"  # the database that we connect to in order to make and drop others
OTHERS = stat.S_IRWXG | stat.S_IRWXO
SOCKET_LIMIT = 103  # bytes of a socket's path: 107 on Linux, 103 on macOS (sun_path without its end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The folder of one embedded server: data, log, password, and what the keeper needs."""

    path: Path

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.path / "data"

    @property
    def log(self) -> Path:
        """The folder of the server's log."""
        return self.path / "log"

    @property
    def sockets(self) -> Path:
        """The private folder of its socket: a temporary one when this path is too long, or libpq would split it."""
        folder = self.path / "run"
        if len(os.fsencode(folder / ".s.PGSQL.65535")) <= SOCKET_LIMIT and "," not in str(folder):
            return folder
        return Path("/tmp") / f"gander-{sha256(os.fsencode(self.path)).hexdigest()[:16]}"  # noqa: S108 - checked: `private.folder`

    def password(self) -> str:
        """The superuser's password, hidden from everything that this process shows; ServerError without one."""
        try:
            password = (self.path / "password").read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ServerError(
                f"the password of the local PostgreSQL cannot be read: {self.path / 'password'}",
                why=error.strerror or "",
                todo=f"run the command as the account that made it, or start afresh: {self.afresh()}",
            ) from error
        hide(password)
        return password

    def afresh(self) -> str:
        """The command that throws the server away, for errors with no gentler way out."""
        return f"rm -r {shlex.quote(str(self.path))}"

    def prepare(self, programs: Path, say: Say) -> None:
        """Make what a start needs, the data directory too; ServerError for one that this PostgreSQL cannot run."""
        account = choose(self.data, programs)
        if not self.data.exists():
            say("creating the data directory of the local PostgreSQL")
            self._create(programs, account)
        self.password()
        self._check(account)
        for folder in (self.log, self.sockets):
            private.folder(folder, account)

    def _check(self, account: Account | None) -> None:
        """Refuse what the server would refuse, with a way out; put right what is safe to put right."""
        try:
            version = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        except FileNotFoundError:
            raise ServerError(
                f"{self.data} is not a PostgreSQL data directory: it has no PG_VERSION", todo=self.aside()
            ) from None
        if version != MAJOR:
            raise ServerError(
                f"{self.data} was made by PostgreSQL {version}; here runs PostgreSQL {MAJOR}",
                why="a data directory cannot be used by another major version",
                todo=f"keep rows that you need: dump them with PostgreSQL {version}\n{self.aside()}",
            )
        status, us = self.data.stat(), account.uid if account else os.geteuid()
        if status.st_uid != us:
            raise ServerError(
                f"{self.data} belongs to another account (uid {status.st_uid})",
                todo=f"run the command as that account, or chown -R {us} {shlex.quote(str(self.data))}",
            )
        if stat.S_IMODE(status.st_mode) & OTHERS:  # PostgreSQL refuses a folder that others may read or write
            self.data.chmod(0o700)

    def aside(self) -> str:
        """The commands that put a data directory aside and build a new one."""
        data = shlex.quote(str(self.data))
        return (
            f"mv {data} {shlex.quote(f'{self.data}.old')}\ndoit migrate   (builds every database anew from its files)"
        )

    def _create(self, programs: Path, account: Account | None) -> None:
        """Run initdb beside the place of the data directory and rename: an interrupted one leaves no half."""
        for old in self.path.glob(".initdb-*"):  # of a killed run, whose initdb may still write there
            shutil.rmtree(old, ignore_errors=True)
        if not (self.path / "password").exists():
            private.write(self.path / "password", secrets.token_urlsafe(24))
        place = Path(mkdtemp(prefix=".initdb-", dir=self.path))
        private.write(place / "password", self.password())
        if account:
            account.own(place)
            account.own(place / "password")
        try:
            done = self._initdb(programs, account, place, "C.UTF-8")
            if done.code and "locale" in done.err:  # not every system has C.UTF-8
                done = self._initdb(programs, account, place, "C")
            if done.code:
                full = "No space left" in done.err
                raise ServerError(
                    "the data directory of the local PostgreSQL could not be made",
                    why=done.err.strip(),
                    todo=f"free some space on the disk of {self.path}" if full else "./run doit doctor",
                )
            (place / "data").rename(self.data)
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def _initdb(self, programs: Path, account: Account | None, place: Path, locale: str) -> Finished:
        words: tuple[str, ...] = (
            str(programs / "initdb"),
            "-D",
            str(place / "data"),
            "-U",
            USER,
            "-A",
            "scram-sha-256",
        )
        words += ("-E", "UTF8", f"--locale={locale}", "--lc-messages=C", f"--pwfile={place / 'password'}")
        command = account.command(words) if account else words
        return run(command, environment={**inherited(), "LC_ALL": "C"}, timeout=300, cwd=Path("/"))
