"""A role of its own on an embedded server, with which a container of this machine works as an application's Job does.

While the role builds what was there before, it is a superuser, since nobody here knows who had made that; then it is
made an owner without more rights.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

from tools.engine import Guest, Way
from tools.ports import from_container
from tools.postgres.connection import Address

if TYPE_CHECKING:
    from tools.postgres.server import Connected

__all__ = ["guest"]

MOUNTED = "/run/postgresql"  # where a container finds the socket
OPEN, OURS = (
    0o777,
    0o700,
)  # modes of the socket: to others it is open through a container's mount alone, its folder is ours


@contextmanager
def guest(server: Connected, database: str) -> Iterator[Guest]:
    """The role for a database that is not there yet; it goes with the context, so the database must have gone before.

    Raises ServerError.
    """
    from psycopg.sql import SQL, Identifier, Literal  # noqa: PLC0415 - start-up: as in tools/postgres/server.py

    name, password = f"owner_{sha256(database.encode()).hexdigest()[:8]}", secrets.token_urlsafe(24)
    role, there = Identifier(name), urlsplit(server.address.url)
    login = f"{name}:{quote(password, safe='')}@{there.hostname}:{there.port}"
    address = Address(
        url=there._replace(netloc=login).geturl(),
        host=server.address.host,
        todo=server.address.todo,
        disk=server.address.disk,
    )
    with server.address.connect() as connection:
        kept = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
        connection.execute(SQL("DROP ROLE IF EXISTS {}").format(role))
        connection.execute(SQL("CREATE ROLE {} LOGIN SUPERUSER PASSWORD {}").format(role, Literal(kept)))

    def lower() -> None:
        with server.address.connect() as connection:
            connection.execute(SQL("ALTER ROLE {} NOSUPERUSER").format(role))

    socket = Path(address.host) / f".s.PGSQL.{there.port}"
    try:
        socket.chmod(OPEN)
        yield Guest(
            server=replace(server, address=address),
            lower=lower,
            way=lambda application: _way(address, socket, database, application),
        )
    finally:
        socket.chmod(OURS)
        with server.address.connect() as connection:
            connection.execute(SQL("DROP ROLE IF EXISTS {}").format(role))


def _way(address: Address, socket: Path, database: str, application: str) -> Way:
    """By the server's socket, so that the container needs no network; Docker Desktop mounts no sockets."""
    url = address.to(database, application)
    if sys.platform != "linux":
        return Way(url=from_container(url))
    query = {"host": MOUNTED, "port": socket.suffix[1:], "application_name": application}
    login = urlsplit(url).netloc.rpartition("@")[0]
    return Way(
        url=f"postgres://{login}@/{quote(database, safe='')}?{urlencode(query, quote_via=quote)}",
        socket=(socket, f"{MOUNTED}/{socket.name}"),
    )
