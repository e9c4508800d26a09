"""The main job on the example monorepo: what runs, what does not, and that only what must run does."""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.journeys.conftest import Make, Monorepo

from tests.journeys.conftest import copied, counts, ran

OWNED = (
    "migrate:auth-service/auth",
    "migrate:personal-service/personal",
    "migrate:identity-service/identity",
    "migrate:identity-service/auth",
    "migrate:legal-service/legal",
    "migrate:audit-service/audit",
    "migrate:analytics-service/analytics",
)
ADDED = "20270101000000_add_notes.sql"


def test_a_fresh_copy_comes_to_head_and_a_second_run_starts_nothing(whole: Monorepo, tmp_path: Path) -> None:
    monorepo = copied(whole, tmp_path / "monorepo")
    first = monorepo.fine("migrate")
    assert first.stdout == ""
    assert sorted(ran(first)) == sorted(OWNED)
    assert counts(first) == (7, 1, 0)
    assert "✓ migrate:auth-service/auth            9 files applied" in first.stderr
    assert "starting the local PostgreSQL" in first.stderr
    assert "starting the local ClickHouse" in first.stderr
    assert (monorepo.state / ".gitignore").read_text() == "*\n"

    before = monorepo.control()
    second = monorepo.fine("migrate")
    assert counts(second) == (0, 8, 0)
    assert second.stderr.count("up to date: all ") == 8
    assert "starting" not in second.stderr
    assert monorepo.control() == before
    assert "all at head" in monorepo.fine("status").stderr
    assert monorepo.control() == before
    shutil.rmtree(monorepo.root)


def test_a_new_migration_runs_its_database_alone(example: Monorepo) -> None:
    example.write("personal-service", ADDED, "CREATE TABLE notes (id TEXT PRIMARY KEY);", "DROP TABLE notes;")
    why = example.fine("why", "migrate")
    assert f"would run: 1 pending: {ADDED}" in why.stdout
    assert why.stdout.count("up to date") == 5
    done = example.fine("migrate")
    assert ran(done) == ["migrate:personal-service/personal"]
    assert counts(done) == (1, 5, 0)
    assert "1 file applied" in done.stderr
    assert counts(example.fine("migrate")) == (0, 6, 0)


def test_touched_files_run_nothing(example: Monorepo) -> None:
    before = example.control()
    for path in example.root.joinpath("services").rglob("*"):
        os.utime(path)
    os.utime(example.root / "services.yaml")
    done = example.fine("migrate")
    assert counts(done) == (0, 6, 0)
    assert example.control() == before


def test_a_dropped_database_alone_is_built_again(example: Monorepo) -> None:
    example.by_hand("legal-service/legal", "DROP DATABASE auth_service_auth")
    why = example.fine("why", "migrate:auth-service")
    assert "would run: the local database auth_service_auth does not exist" in why.stdout
    done = example.fine("migrate")
    assert ran(done) == ["migrate:auth-service/auth"]
    assert "9 files applied" in done.stderr
    assert counts(done) == (1, 5, 0)


def test_a_deleted_version_row_runs_that_file_again_and_no_other_target(example: Monorepo) -> None:
    newest = "DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)"
    example.by_hand("personal-service/personal", newest)
    status = example.doit("status:personal-service")
    assert (status.returncode, "not at head: 5 applied, 1 pending" in status.stdout) == (1, True)
    done = example.fine("migrate")
    assert ran(done) == ["migrate:personal-service/personal"]
    assert "1 file applied" in done.stderr


def test_without_a_state_folder_everything_is_built_anew(example: Monorepo) -> None:
    shutil.rmtree(example.state)
    assert counts(example.fine("migrate")) == (5, 1, 0)


def test_without_the_journal_the_database_still_proves_what_is_applied(example: Monorepo) -> None:
    for name in ("journal.db", "state.db", "catalog.json"):
        (example.state / name).unlink()
    done = example.fine("migrate")
    assert counts(done) == (5, 1, 0)
    assert "9 applied files had not been seen here before; taken as they are on disk" in done.stderr
    assert "at head, 9 files" in done.stderr
    assert counts(example.fine("migrate")) == (0, 6, 0)


def test_a_change_elsewhere_in_the_monorepo_runs_nothing(example: Monorepo) -> None:
    (example.root / "services" / "auth-service" / "main.go").write_text("package main\n")
    (example.folder("auth-service") / "README.md").write_text("About these files\n")
    text = (example.root / "services.yaml").read_text()
    (example.root / "services.yaml").write_text(text + "  # a remark\n")
    assert counts(example.fine("migrate")) == (0, 6, 0)


def test_a_file_renamed_with_its_version_and_text_is_still_applied(example: Monorepo) -> None:
    folder = example.folder("personal-service")
    (folder / "20260203074526_add_slug_to_resumes.sql").rename(folder / "20260203074526_slugs.sql")
    before = example.control()
    assert counts(example.fine("migrate")) == (0, 6, 0)
    assert "20260203074526_slugs.sql" in example.fine("status:personal-service").stdout
    assert example.control() == before


def test_plain_doit_and_check_are_the_road(migrated: Monorepo) -> None:
    assert counts(migrated.fine("migrate")) == (0, 6, 0)
    listed = migrated.fine("list", "check").stdout.split()
    assert {name.partition(":")[0] for name in listed} == {"lint", "test", "migrate", "prisma"}
    told = re.findall(r"^(\S+)  ", migrated.fine("why").stdout, re.MULTILINE)
    assert sorted(told) == sorted(listed)


def test_two_monorepos_at_once_do_not_meet(make: Make) -> None:
    text = "-- +goose Up\nCREATE TABLE {0} (id TEXT PRIMARY KEY);\n-- +goose Down\nDROP TABLE {0};\n"
    one, two = (make({"shop": {"00001_init.sql": text.format(name)}}) for name in ("first", "second"))
    ports = {}
    for monorepo in (one, two):
        assert counts(monorepo.fine("migrate")) == (1, 0, 0)
        ports[monorepo.root] = monorepo.urls()["shop/main"].rpartition(":")[2]
    assert len(set(ports.values())) == 2
    tables = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname IN ('first', 'second')"
    assert one.sql("shop/main", tables) == [("first",)]
    assert two.sql("shop/main", tables) == [("second",)]
    one.stop()
    assert two.sql("shop/main", "SELECT 1") == [(1,)]
