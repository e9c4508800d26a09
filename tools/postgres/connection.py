"""Connections to a PostgreSQL server, whose refusals become errors that a user understands."""

from __future__ import annotations

import shlex
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from schemas.errors import ServerError
from tools.shell import hide, redact

if TYPE_CHECKING:
    import psycopg

__all__ = ["Address", "worded"]

APPLICATION = "gander"
PATIENCE = 30.0  # seconds that a server gets to come back from a crash
LITTLE = 32 * 1024 * 1024  # bytes: two segments of its log, without which PostgreSQL ends at once
RECENT = 60.0  # seconds
TAIL = 64 * 1024  # bytes of a log that are looked at
NOT_YET = ("starting up", "recovery mode", "not yet accepting connections")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a server is: a URL whose database is the maintenance database."""

    url: str = field(repr=False)  # it may hold the password
    host: str = ""  # the folder of a private socket, which our own connections take
    todo: str  # the next command when the server does not answer
    disk: Path | None = None  # a folder on the server's disk, where we can look at it

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        for password in (parts.password, *dict(parse_qsl(parts.query)).get("password", "").splitlines()):
            hide(password or "")
            hide(unquote(password or ""))

    @property
    def maintenance(self) -> str:
        """The database to connect to in order to make and drop others."""
        parts = urlsplit(self.url)
        return unquote(parts.path.lstrip("/")) or unquote(parts.username or "") or "postgres"

    def to(self, database: str, application: str) -> str:
        """The URL of one database, password included, that names the application unless that is empty."""
        parts = urlsplit(self.url)
        ours = ("application_name", "dbname", "database")
        query = [(key, value) for key, value in parse_qsl(parts.query) if key not in ours]
        query += [("application_name", application)] if application else []
        return urlunsplit(
            (parts.scheme, parts.netloc, f"/{quote(database, safe='')}", urlencode(query, quote_via=quote), "")
        )

    @contextmanager
    def connect(
        self, database: str | None = None, *, application: str = APPLICATION, **settings: str
    ) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """A connection in autocommit mode, its `settings` set for the session; every refusal becomes a ServerError."""
        name = database or self.maintenance
        with worded(name, self.todo, self.disk), self._connection(name, application, settings) as connection:
            (reached,) = connection.execute("SELECT current_database()").fetchone() or ("",)
            if reached != name:
                raise ServerError(f"the server led to the database {reached} instead of {name}", todo=self.todo)
            yield connection

    def _connection(
        self, database: str, application: str, settings: dict[str, str]
    ) -> psycopg.Connection[tuple[Any, ...]]:
        """Connect, again for a while when the server is just coming back."""
        import psycopg  # noqa: PLC0415 - start-up: 0.1 s that only a run with a server needs

        options = " ".join(f"-c {key}={value}" for key, value in settings.items())
        ours: dict[str, Any] = {"host": self.host, "require_auth": "scram-sha-256"} if self.host else {}
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return psycopg.connect(
                    self.to(database, application), autocommit=True, connect_timeout=10, options=options, **ours
                )
            except psycopg.OperationalError as error:
                coming = any(sign in str(error) for sign in NOT_YET)
                if not coming or time.monotonic() > deadline:
                    raise
            time.sleep(0.1)


@contextmanager
def worded(database: str, todo: str, disk: Path | None = None) -> Iterator[None]:
    """Turn psycopg's errors into a ServerError with the server's own words."""
    import psycopg  # noqa: PLC0415 - start-up: 0.1 s that only a run with a server needs

    try:
        yield
    except psycopg.Error as error:
        if error.sqlstate:
            lines = [f"{error.diag.message_primary} (SQLSTATE {error.sqlstate})", error.diag.message_detail]
            what, why = f"PostgreSQL refused a statement in {database}", "\n".join(line for line in lines if line)
        else:
            what, why = f"PostgreSQL cannot be reached for {database}", str(error).strip()
            if disk and _ran_out_of_space(disk):
                what = "PostgreSQL stopped, because there is no space left on its disk"
                todo = f"free some space on the disk of {shlex.quote(str(disk))}, then run the command again"
        if "row-level security" in why:
            todo = "let the role of the URL see all rows, as their owner: ALTER ROLE … BYPASSRLS"
        if error.sqlstate == "53100" or "No space left" in why:
            what, todo = f"PostgreSQL has no space left on its disk for {database}", "free some space on that disk"
        raise ServerError(what, why=redact(why), todo=todo) from error


def _ran_out_of_space(home: Path) -> bool:
    """Whether the server's disk has hardly any space, or its log said so just now: a server that stops frees some."""
    if shutil.disk_usage(home).free < LITTLE:
        return True
    recent = [log for log in (home / "log").glob("*") if log.stat().st_mtime > time.time() - RECENT]
    return any(b"No space left on device" in log.read_bytes()[-TAIL:] for log in recent)
