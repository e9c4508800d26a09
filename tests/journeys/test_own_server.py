"""A PostgreSQL of the user's own, as `environments.local.postgres` names it: only what is ours is dropped there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

if TYPE_CHECKING:
    from tests.journeys.conftest import Make, Monorepo

from tests.journeys.conftest import counts, small

FILES = {"00001_a.sql": "-- +goose Up\nCREATE TABLE a (id TEXT PRIMARY KEY);\n-- +goose Down\nDROP TABLE a;\n"}
HEAD = 'environments: {{local: {{postgres: "{}"}}}}'


@pytest.fixture
def url(make: Make) -> str:
    """The maintenance database of a server that runs for somebody else."""
    other = make({"other": FILES}).urls()["other/main"]
    return re.sub(r"/other_main(?=\?|$)", "/postgres", other)


def password(url: str) -> str:
    found = re.search(r":([^:@]+)@", url)
    assert found
    return found[1]


def secret_only_in_services_yaml(monorepo: Monorepo, secret: str) -> bool:
    holding = [path for path in monorepo.root.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
    return holding == [monorepo.root / "services.yaml"]


def test_the_users_own_server_is_used_and_left_as_it_is(url: str, tmp_path: Path) -> None:
    monorepo = small(tmp_path / "mine", {"shop": FILES, "cart": FILES}, HEAD.format(url))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE cart_main")  # somebody's, made by hand
    first = monorepo.fine("migrate")
    assert counts(first) == (2, 0, 0)
    assert "starting" not in first.stderr
    second = monorepo.fine("migrate")
    assert counts(second) == (0, 2, 0)
    assert "all at head" in monorepo.fine("status").stderr
    assert not (monorepo.state / "postgres").exists()
    started = monorepo.fine("start")
    assert re.search(r"^cart/main\tpostgres://\S+/cart_main\b", started.stdout, re.MULTILINE)
    assert "stop it where you started it" in monorepo.fine("stop").stderr

    refused = monorepo.doit("reset:cart", "yes=cart")
    assert refused.returncode == 1
    assert "the database cart_main was not made by us, so it is not dropped" in refused.stderr
    assert "rebuilt, 1 file applied" in monorepo.fine("reset:shop").stderr
    assert "taken back" in monorepo.fine("rollback:cart").stderr
    with psycopg.connect(url, autocommit=True) as connection:
        names = "SELECT datname FROM pg_database WHERE datname IN ('cart_main', 'shop_main', 'other_main') ORDER BY 1"
        assert connection.execute(names).fetchall() == [("cart_main",), ("shop_main",)]

    (monorepo.folder("shop") / "00002_b.sql").write_text(
        "-- +goose Up\nSELECT 1;\nALTER TABLE nobody ADD COLUMN b TEXT;\n"
    )
    failed = monorepo.doit("migrate:shop")
    assert failed.returncode == 1
    assert 'services/shop/migrations/00002_b.sql:3: shop/main: relation "nobody" does not exist' in failed.stderr
    assert "the server's code: 42P01" in failed.stderr
    shown = [first, second, started, refused, failed]
    assert not [done for done in shown if password(url) in done.stderr]
    assert secret_only_in_services_yaml(monorepo, password(url))


def test_a_wrong_password_and_a_server_that_is_down_are_told_without_the_password(url: str, tmp_path: Path) -> None:
    wrong = url.replace(password(url), "t0p-s3cret-and-wrong")
    down = re.sub(r"@127\.0\.0\.1:\d+/", "@127.0.0.1:1/", url)
    nobody = re.sub(r"postgres://[^:]+:", "postgres://nobody:", url)
    for number, bad in enumerate((wrong, down, nobody)):
        monorepo = small(tmp_path / f"mine{number}", {"shop": FILES}, HEAD.format(bad))
        for words in (["migrate"], ["status"], ["start"], ["reset:shop"])[: 4 if number == 0 else 1]:
            done = monorepo.doit(*words)
            assert done.returncode == 1, done.stderr
            assert password(bad) not in done.stdout + done.stderr
            assert "cannot be reached" in done.stderr
            assert "environments.local.postgres" in done.stderr
        assert "would run: not known" in monorepo.doit("why", "migrate").stdout
        assert secret_only_in_services_yaml(monorepo, password(bad))


def test_a_url_that_may_lead_elsewhere_is_refused_before_anything_connects(tmp_path: Path) -> None:
    for number, bad in enumerate(
        (
            "postgres://u:topsecret@db.example.com/postgres",
            "postgres://u:topsecret@127.0.0.1,10.0.0.1/postgres",
            "postgres://u:topsecret@127.0.0.1/postgres?host=10.0.0.1",
            "postgres://u:topsecret@/postgres?service=production",
        )
    ):
        monorepo = small(tmp_path / str(number), {"shop": FILES}, HEAD.format(bad))
        done = monorepo.doit("migrate")
        assert done.returncode == 3
        assert "services.yaml:2:" in done.stderr
        assert "the local postgres server's URL is refused" in done.stderr
        assert "topsecret" not in done.stderr
