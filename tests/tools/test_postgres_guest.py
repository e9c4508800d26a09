"""The role that a container gets on an embedded PostgreSQL."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import psycopg
import pytest

from tests.tools.conftest import quiet
from tools.engine import Baseline, Guest
from tools.postgres.server import Connected


@pytest.fixture(name="name")
def fixture_name(server: Connected) -> Iterator[str]:
    name = f"guest_{uuid4().hex[:8]}"
    yield name
    server.drop(name)


def row(guest: Guest, name: str, statement: str) -> tuple[object, ...]:
    with psycopg.connect(guest.server.url(name, application="test"), autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return (cursor.fetchone() or ()) if cursor.description else ()


def roles(server: Connected) -> set[str]:
    with server.address.connect() as connection:
        return {role for (role,) in connection.execute("SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'")}


def test_a_guest_owns_all_that_was_built_and_has_no_more_rights_then(server: Connected, name: str) -> None:
    before = roles(server)
    text = b"CREATE TABLE there (id TEXT);\nCREATE EXTENSION pg_stat_statements;\n"
    with server.exclusive(name, quiet), server.guest(name) as guest:
        guest.server.create(name, Baseline(path="baseline.sql", text=text))
        (owner, me) = row(guest, name, "SELECT tableowner, current_user FROM pg_tables WHERE tablename = 'there'")
        assert owner == me
        assert me not in before
        guest.lower()
        assert row(guest, name, "SELECT usesuper FROM pg_user WHERE usename = current_user") == (False,)
        row(guest, name, "ALTER TABLE there ADD COLUMN more TEXT")
        row(guest, name, "CREATE EXTENSION citext")  # a trusted one, which an owner may create
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            row(guest, name, "CREATE EXTENSION file_fdw")
        server.drop(name)
    assert roles(server) == before


def test_a_container_is_shown_the_socket_and_it_alone(server: Connected, name: str) -> None:
    with server.guest(name) as guest:
        guest.server.create(name, None)
        way = guest.way("the rehearsal")
        assert way.socket is not None
        socket, there = way.socket
        url = urlsplit(way.url)
        asked = dict(parse_qsl(url.query))
        assert url.hostname is None, "no network is needed"
        assert f"{asked['host']}/.s.PGSQL.{asked['port']}" == there
        assert asked["application_name"] == "the rehearsal"
        assert stat.S_IMODE(socket.stat().st_mode) == 0o777
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        assert str(Path(there).parent) == asked["host"]
        server.drop(name)
    assert stat.S_IMODE(socket.stat().st_mode) == 0o700
