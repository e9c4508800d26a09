"""kill -9 while a step works with servers and programs of its own: none stays, and what it writes is old or new."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import psycopg

from tests.faults import processes
from tests.faults.monorepo import Monorepo, clean
from tests.faults.steps import TABLE, anew, fixture_ours, folder, git, nothing_left, quiet, until

if TYPE_CHECKING:
    import pytest

__all__ = ["fixture_ours"]


TEST, PRISMA = ("-s", "test:ant-service"), "prisma:ant-service"
PULLS = (
    r"^started .* db pull ",
    r"^opened services/.*schema\.prisma",
    r"^rename \.state/prisma/.*/\.done\.json\.",
)
SCHEMA = """generator client {
  provider = "prisma-client-js"
}

datasource db {
  provider = "postgresql"
  url      = env("DATABASE_URL")
}
"""


def test_no_scratch_server_outlives_a_killed_test(ours: Monorepo) -> None:
    anew(ours)
    for moment in (r"^started .*/initdb ", r"^started .* tools\.keeper ", r"^started .*/goose .* up$"):
        assert ours.doomed(moment, 1, *TEST).code == -signal.SIGKILL
        assert processes.gone(ours.root) == []
    file = folder(ours) / "20280101000000_z.sql"
    file.write_text(TABLE.format("z").replace("CREATE", "SELECT pg_sleep(60);\nCREATE"))
    run = ours.start(*TEST)
    until(lambda: [one for one in processes.of(ours.root) if one.doing.startswith("SELECT")])
    run.process.kill()
    run.end()
    assert processes.gone(ours.root) == []
    file.write_text(TABLE.format("z"))
    done = ours.doit(*TEST)
    clean(done)
    assert done.code == 0, done.err
    assert processes.gone(ours.root) == []
    scratch = ours.root / ".state" / "scratch"
    assert [path for path in (scratch / "staging").rglob("*") if path.is_file()] == []
    assert list((scratch / "postgres").glob(".initdb-*")) == []


def test_a_schema_is_the_old_or_the_new_one(ours: Monorepo) -> None:
    anew(ours)
    file = ours.root / "services" / "ant-service" / "prisma" / "schema.prisma"
    file.parent.mkdir()
    file.write_text(SCHEMA)
    with ours.server():
        for moment in PULLS:
            assert ours.doomed(moment, 1, PRISMA).code == -signal.SIGKILL, moment
            quiet(ours)
            assert file.read_text() == SCHEMA or moment == PULLS[-1]
        pulled = file.read_text()
        done = ours.doit(PRISMA)
        clean(done)
        assert done.code == 0, done.err
        assert "model a {" in pulled
        assert file.read_text() == pulled
        nothing_left(ours)
        assert "1 up to date" in ours.doit(PRISMA).err
    assert not (ours.root / ".state" / "prisma" / "ant-service" / "ant" / "pull").exists()


def test_a_baseline_is_the_old_or_the_new_one(ours: Monorepo, monkeypatch: pytest.MonkeyPatch) -> None:
    git(ours, "reset", "-q", "--hard", "first")
    entry = {"databases": {"ant": {"engine": "postgres", "name": {"dev": "there"}}}}
    document = {"version": 1, "environments": {"local": {}, "dev": {}}, "services": {"ant-service": entry}}
    (ours.root / "services.yaml").write_text(json.dumps(document))
    file, words = folder(ours).parent / "baseline.sql", ("baseline:ant-service@dev", "force=true")
    with ours.server() as server:
        with psycopg.connect(server.url("postgres", application="test"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE there")
        with psycopg.connect(server.url("there", application="test")) as connection:
            connection.execute("CREATE TABLE before (id TEXT)")
        monkeypatch.setenv("ANT_SERVICE_ANT_DEV_URL", server.url("there", application=""))
        assert ours.doit(*words).code == 0
        expected = file.read_text()
        assert "CREATE TABLE public.before" in expected

        file.write_text("-- old")
        for moment in (r"^started .*/pg_dump ", r"^started .* tools\.keeper ", r"^rename services/"):
            assert ours.doomed(moment, 1, *words).code == -signal.SIGKILL, moment
            quiet(ours)
            assert file.read_text() == "-- old"
        done = ours.doit(*words)
        clean(done)
        assert done.code == 0, done.err
        assert file.read_text() == expected
        nothing_left(ours)
        assert processes.gone(ours.root / ".state" / "scratch") == []
    git(ours, "reset", "-q", "--hard", "first")
    git(ours, "clean", "-fdq")
