"""Where an embedded PostgreSQL keeps its files."""

from __future__ import annotations

import os
import shlex
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from schemas.errors import ServerError

__all__ = ["MAINTENANCE", "USER", "Home"]

USER = "gander"
MAINTENANCE = "postgres"  # the database that we connect to in order to make and drop others
SOCKET_LIMIT = 103  # bytes of a socket's path: 107 on Linux, 103 on macOS (sun_path without its end)


class Home(NamedTuple):
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
        from tools.shell import hide  # noqa: PLC0415 - start-up: only who talks to the server needs it

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

    def aside(self) -> str:
        """The commands that put a data directory aside and build a new one."""
        data = shlex.quote(str(self.data))
        return (
            f"mv {data} {shlex.quote(f'{self.data}.old')}\ndoit migrate   (builds every database anew from its files)"
        )
