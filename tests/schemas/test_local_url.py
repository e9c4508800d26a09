from __future__ import annotations

import pytest

from schemas.catalog import EngineName
from schemas.local_url import has_password, objection


@pytest.mark.parametrize(
    ("engine", "url"),
    [
        ("postgres", "postgres://localhost"),
        ("postgres", "postgresql://me:word@LOCALHOST:5433/x?sslmode=disable"),
        ("postgres", "postgres://127.0.0.1,127.9.9.9:5433/x"),
        ("postgres", "postgres://[::1]:5432/x"),
        ("postgres", "postgres://%2Frun%2Fpostgresql/x"),
        ("postgres", "postgres:///x?host=/run/postgresql"),
        ("postgres", "postgres://localhost/x?hostaddr=127.0.0.1"),
        ("clickhouse", "http://localhost:8123/x"),
        ("clickhouse", "https://127.0.0.1"),
    ],
)
def test_a_server_on_this_machine_is_taken(engine: EngineName, url: str) -> None:
    assert objection(engine, url) == ""


@pytest.mark.parametrize(
    ("engine", "url", "why"),
    [
        ("postgres", "postgres://db.example.com/x", "db.example.com is not this machine"),
        ("postgres", "postgres://localhost@db.example.com/x", "db.example.com is not this machine"),
        ("postgres", "postgres://a@db.example.com@localhost/x", "%40"),
        ("postgres", "postgres://localhost/x#@db.example.com", "%23"),
        ("postgres", "postgres://localhost,db.example.com/x", "db.example.com is not this machine"),
        ("postgres", "postgres://localhost%2Cdb.example.com/x", "is not this machine"),
        ("postgres", "postgres://localhost/x?host=db.example.com", "db.example.com is not this machine"),
        ("postgres", "postgres://localhost/x?ho%73t=db.example.com", "db.example.com is not this machine"),
        ("postgres", "postgres://localhost?hostaddr=10.0.0.1", "10.0.0.1 is not this machine"),
        ("postgres", "postgres://localhost/x?service=prod", "the parameter service could lead to another machine"),
        ("postgres", "postgres:///x", "it names no host"),
        ("postgres", "postgres:///x?host=", "it names no host"),
        ("postgres", "postgres://localhost.example.com/x", "is not this machine"),
        ("postgres", "postgres://0.0.0.0/x", "0.0.0.0 is not this machine"),
        ("postgres", "postgres://[::1/x", "it is not a URL"),
        ("postgres", "http://localhost/x", "it does not begin with postgres:// or postgresql://"),
        ("postgres", "host=localhost dbname=x", "it does not begin with"),
        ("clickhouse", "http://%2Frun%2Fclickhouse/x", "is not this machine"),
        ("clickhouse", "clickhouse://localhost:9000", "it does not begin with http:// or https://"),
        ("clickhouse", "http://localhost/?alt_hosts=db.example.com", "alt_hosts could lead to another machine"),
    ],
)
def test_every_other_url_is_refused_without_showing_it(engine: EngineName, url: str, why: str) -> None:
    said = objection(engine, url)
    assert why in said
    assert url not in said


def test_a_password_is_found_in_either_place() -> None:
    assert has_password("postgres://me:word@localhost/x")
    assert has_password("postgres://localhost/x?password=word")
    assert not has_password("postgres://me@localhost:5432/x?sslmode=disable")
