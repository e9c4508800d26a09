"""What is not merged may be edited: it goes down with the text it was applied with, and up again, in a real git."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests.journeys.clickhouse import CREATE, clickhouse, query
from tests.journeys.conftest import counts, ran, typed

if TYPE_CHECKING:
    from tests.journeys.conftest import Make, Monorepo

FIRST = "-- +goose Up\nCREATE TABLE first (id TEXT PRIMARY KEY);\n-- +goose Down\nDROP TABLE first;\n"
SECOND = "-- +goose Up\nCREATE TABLE second (id TEXT PRIMARY KEY);\n-- +goose Down\nDROP TABLE second;\n"
THIRD = "-- +goose Up\nCREATE TABLE third (id TEXT PRIMARY KEY);\n-- +goose Down\nDROP TABLE third;\n"
WIDER = SECOND.replace("PRIMARY KEY", "PRIMARY KEY, size BIGINT")
NAME = ("-c", "user.name=Someone", "-c", "user.email=someone@example.com", "-c", "commit.gpgsign=false")


def git(monorepo: Monorepo, *words: str) -> str:
    done = subprocess.run(
        [shutil.which("git") or "git", *NAME, *words], cwd=monorepo.root, check=True, capture_output=True, text=True
    )
    return done.stdout


def save(monorepo: Monorepo, message: str) -> None:
    git(monorepo, "add", "--all")
    git(monorepo, "commit", "--quiet", "--message", message)


def begun(make: Make) -> Monorepo:
    """One merged file, applied; we are on a branch of our own."""
    monorepo = make({"shop": {"20260101000001_first.sql": FIRST}})
    (monorepo.root / ".gitignore").write_text(".state/\n")
    git(monorepo, "init", "--quiet", "--initial-branch", "main")
    save(monorepo, "first")
    git(monorepo, "checkout", "--quiet", "-b", "ours")
    monorepo.fine("start")
    monorepo.fine("migrate")
    return monorepo


def put(monorepo: Monorepo, name: str, text: str) -> Path:
    file = monorepo.folder("shop") / name
    file.write_text(text)
    return file


def tables(monorepo: Monorepo) -> list[str]:
    rows = monorepo.sql(
        "shop/main", "SELECT relname FROM pg_stat_user_tables WHERE relname NOT LIKE 'goose%' ORDER BY 1"
    )
    return [str(name) for (name,) in rows]


def versions(monorepo: Monorepo) -> list[int]:
    rows = monorepo.sql("shop/main", "SELECT version_id FROM goose_db_version WHERE version_id > 0 ORDER BY id")
    return [int(str(version)) for (version,) in rows]


def test_an_edited_file_goes_down_and_up_and_is_at_head_then(make: Make) -> None:
    monorepo = begun(make)
    file = put(monorepo, "20260101000002_second.sql", SECOND)
    monorepo.fine("migrate")
    file.write_text(WIDER)
    assert "1 applied file is to go down and up again: 1 changed" in monorepo.fine("why", "migrate:shop").stdout
    done = monorepo.fine("migrate")
    assert "20260101000002_second.sql was edited and is not merged yet" in done.stderr
    assert "1 file applied, 1 taken down before" in done.stderr
    assert monorepo.sql("shop/main", "SELECT count(*) FROM information_schema.columns WHERE table_name = 'second'") == [
        (2,)
    ]
    assert counts(monorepo.fine("migrate")) == (0, 1, 0)
    assert monorepo.doit("status").returncode == 0


def test_rows_that_would_go_are_named_and_asked_about_and_never_go_in_ci(make: Make) -> None:
    monorepo = begun(make)
    file = put(monorepo, "20260101000002_second.sql", SECOND)
    monorepo.fine("migrate")
    monorepo.sql("shop/main", "INSERT INTO second VALUES ('a'), ('b')")
    file.write_text(WIDER)
    for variables in ({}, {"CI": "true"}):
        refused = monorepo.doit("migrate", "yes=shop", **variables) if variables else monorepo.doit("migrate")
        assert refused.returncode == 1
        assert "second: 2 rows" in refused.stderr
        assert monorepo.sql("shop/main", "SELECT count(*) FROM second") == [(2,)]
    code, shown = typed(monorepo, ("migrate",), "Type shop to go on:", "no")
    assert code == 1
    assert "nothing was changed" in shown
    code, shown = typed(monorepo, ("migrate",), "Type shop to go on:", "shop")
    assert code == 0, shown
    assert monorepo.sql("shop/main", "SELECT count(*) FROM second") == [(0,)]


def test_a_merged_file_that_was_edited_is_refused_and_the_printed_command_brings_it_back(make: Make) -> None:
    monorepo = begun(make)
    file = put(monorepo, "20260101000001_first.sql", FIRST + "\n-- more\n")
    refused = monorepo.doit("migrate")
    assert refused.returncode == 1
    assert "was changed after it had been applied; it is on main" in refused.stderr
    command = f"git restore --source=main {file.relative_to(monorepo.root)}"
    assert command in refused.stderr
    git(monorepo, *command.split()[1:])
    assert counts(monorepo.fine("migrate")) == (0, 1, 0)


def test_a_colleagues_older_file_goes_up_before_ours(make: Make) -> None:
    monorepo = begun(make)
    put(monorepo, "20260101000003_third.sql", THIRD)
    monorepo.fine("migrate")
    save(monorepo, "ours")
    git(monorepo, "checkout", "--quiet", "main")
    put(monorepo, "20260101000002_second.sql", SECOND)
    save(monorepo, "theirs")
    git(monorepo, "checkout", "--quiet", "ours")
    git(monorepo, "rebase", "--quiet", "main")
    done = monorepo.fine("migrate")
    assert "20260101000002_second.sql is older than what is applied" in done.stderr
    assert versions(monorepo) == [20260101000001, 20260101000002, 20260101000003]
    assert tables(monorepo) == ["first", "second", "third"]


def test_a_file_of_ours_below_a_merged_one_is_renumbered(make: Make) -> None:
    monorepo = begun(make)
    put(monorepo, "20260101000002_second.sql", SECOND)
    monorepo.fine("migrate")
    save(monorepo, "ours")
    git(monorepo, "checkout", "--quiet", "main")
    put(monorepo, "20260101000003_third.sql", THIRD)
    save(monorepo, "theirs")
    git(monorepo, "checkout", "--quiet", "ours")
    git(monorepo, "rebase", "--quiet", "main")
    monorepo.fine("migrate")
    put(monorepo, "20260101000002_second.sql", WIDER)
    refused = monorepo.doit("migrate")
    assert refused.returncode == 1
    assert "→ give it a later version: doit renumber:shop/main" in refused.stderr
    done = monorepo.fine("renumber:shop")
    assert "1 file renamed; local: 2 files applied, 2 taken down before" in done.stderr
    assert versions(monorepo)[:2] == [20260101000001, 20260101000003]
    assert len(versions(monorepo)) == 3
    assert "R" in git(monorepo, "status", "--porcelain")
    assert tables(monorepo) == ["first", "second", "third"]
    assert "nothing to do" in monorepo.fine("renumber:shop").stderr
    (ours,) = monorepo.folder("shop").glob("*_second.sql")
    ours.rename(ours.with_name("20990101000000_second.sql"))  # as a run does that is killed before the database
    assert "nothing to rename" in (again := monorepo.fine("renumber:shop").stderr)
    assert "local: 1 file applied, 1 taken down before" in again
    assert versions(monorepo)[-1] == 20990101000000
    put(monorepo, "20990101000001_fourth.sql", "-- +goose Up\nSELECT 1;\n")
    assert "local is not at head: doit migrate:shop/main" in monorepo.fine("renumber:shop").stderr
    monorepo.fine("migrate")
    assert counts(monorepo.fine("migrate")) == (0, 1, 0)


def test_another_branchs_file_makes_way(make: Make) -> None:
    monorepo = begun(make)
    put(monorepo, "20260101000002_second.sql", SECOND)
    save(monorepo, "ours")
    monorepo.fine("migrate")
    git(monorepo, "checkout", "--quiet", "main")
    done = monorepo.fine("migrate")
    assert "20260101000002_second.sql is applied, not merged, and its file is gone" in done.stderr
    assert "1 file taken down, at head, 1 file" in done.stderr
    assert tables(monorepo) == ["first"]


def test_a_file_that_was_changed_in_review_is_done_again_with_the_merged_text(make: Make) -> None:
    monorepo = begun(make)
    put(monorepo, "20260101000002_second.sql", SECOND)
    monorepo.fine("migrate")
    git(monorepo, "checkout", "--quiet", "main")
    put(monorepo, "20260101000002_second.sql", WIDER)
    save(monorepo, "reviewed")
    assert ran(monorepo.fine("migrate")) == ["migrate:shop/main"]
    assert monorepo.sql("shop/main", "SELECT count(*) FROM information_schema.columns WHERE table_name = 'second'") == [
        (2,)
    ]


def test_without_git_an_edited_file_is_refused_and_nothing_of_git_is_advised(make: Make) -> None:
    monorepo = make({"shop": {"20260101000001_first.sql": FIRST}})
    monorepo.fine("migrate")
    put(monorepo, "20260101000001_first.sql", FIRST + "-- more\n")
    refused = monorepo.doit("migrate")
    assert refused.returncode == 1
    assert "was changed after it had been applied" in refused.stderr
    assert "in no git repository" in monorepo.doit("renumber:shop").stderr


def test_a_clickhouse_file_is_edited_alike(tmp_path: Path) -> None:
    name = "20260101000001_a.sql"
    monorepo = clickhouse(tmp_path / "monorepo", {"log": {name: CREATE.format(db="log", table="a")}})
    (monorepo.root / ".gitignore").write_text(".state/\n")
    git(monorepo, "init", "--quiet", "--initial-branch", "main")
    save(monorepo, "first")
    file = monorepo.folder("log") / "20260101000002_b.sql"
    file.write_text(CREATE.format(db="log", table="b"))
    monorepo.fine("start")
    monorepo.fine("migrate")
    file.write_text(CREATE.format(db="log", table="b").replace("at DateTime64(3)", "at DateTime64(3), size UInt64"))
    monorepo.fine("migrate")
    assert query(monorepo, "SELECT name FROM system.columns WHERE database = 'log' AND table = 'b'") == [
        ["id"],
        ["at"],
        ["size"],
    ]
    query(monorepo, "INSERT INTO log.b VALUES (1, now(), 2)")
    file.write_text(CREATE.format(db="log", table="b"))
    refused = monorepo.doit("migrate")
    assert refused.returncode == 1
    assert "not tried beforehand, as ClickHouse has no transactions" in refused.stderr
    assert query(monorepo, "SELECT count() FROM log.b") == [[1]]
    monorepo.fine("migrate", "yes=log")
    monorepo.fine("stop")
