"""doit's own commands and options on real targets: nothing gets past a guard, nothing is falsely up to date."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.journeys.conftest import Make, Monorepo

from tests.journeys.conftest import ROOT, counts, ran

TABLE = "-- +goose Up\nCREATE TABLE {0} (id TEXT PRIMARY KEY);\n-- +goose Down\nDROP TABLE {0};\n"


@pytest.fixture
def shops(make: Make) -> Monorepo:
    """Four services, none migrated yet."""
    return make({name: {"00001_a.sql": TABLE.format("a")} for name in ("one", "two", "three", "four")})


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["ignore", "migrate:auth-service"], "a target that is left out would count as done"),
        (["reset-dep"], "files alone do not prove that a target is up to date"),
        (["reset-dep", "migrate:auth-service/auth"], "doit why TARGET"),
        (["clean"], "doit reset:SERVICE drops and rebuilds"),
        (["clean", "--clean-all", "migrate"], "doit reset:SERVICE drops and rebuilds"),
        (["info", "migrate:auth-service/auth"], "doit why TARGET"),
        (["dumpdb"], "doit why TARGET format=json"),
        (["strace", "migrate"], "steps declare no file dependencies"),
    ],
)
def test_what_would_mislead_is_refused(migrated: Monorepo, words: list[str], says: str) -> None:
    done = migrated.doit(*words)
    assert done.returncode == 1
    assert f"`doit {words[0]}` is not offered" in done.stderr
    assert says in done.stderr
    assert counts(migrated.fine("migrate")) == (0, 6, 0)


@pytest.mark.parametrize(
    "words", [["help"], ["help", "migrate"], ["help", "run"], ["help", "why"], ["list"], ["list", "--all"]]
)
def test_help_and_list_need_nothing_and_leave_nothing(migrated: Monorepo, words: list[str]) -> None:
    before = {path.name for path in ROOT.iterdir()}
    done = migrated.fine(*words)
    assert done.stdout
    assert done.stderr == ""
    assert {path.name for path in ROOT.iterdir()} - before <= {"__pycache__"}


def test_the_list_is_one_line_each_in_one_voice(migrated: Monorepo) -> None:
    lines = migrated.fine("list").stdout.splitlines()
    for verb in ("migrate", "status", "start", "stop", "reset", "rollback", "doctor", "ci", "why", "list", "forget"):
        assert sum(line.startswith((f"  {verb} ", f"  {verb}[")) for line in lines) == 1, verb
    assert max(map(len, lines)) <= 120


def test_options_stand_before_or_after_names_and_always_means_always(shops: Monorepo) -> None:
    shops.fine("start")
    done = shops.fine("migrate:one", "-n", "4", "migrate:two", "--continue")
    assert sorted(ran(done)) == ["migrate:one/main", "migrate:two/main"]
    again = shops.fine("migrate:one", "-a")
    assert ran(again) == ["migrate:one/main"]
    assert "at head, 1 file" in again.stderr  # it ran, looked, and had nothing to apply
    single = shops.fine("-s", "-n", "1", "migrate:three")
    assert ran(single) == ["migrate:three/main"]
    assert "forgotten: migrate:one/main" in shops.fine("forget", "migrate:one").stdout
    assert counts(shops.fine("migrate:one")) == (0, 1, 0)  # the database proves it, whatever is kept
    assert "forgotten: everything" in shops.fine("forget", "--all").stdout
    assert counts(shops.fine("migrate")) == (1, 3, 0)


def test_without_continue_the_first_failure_ends_the_run_and_the_rest_is_counted(shops: Monorepo) -> None:
    (shops.folder("one") / "00001_a.sql").write_text("-- +goose Up\nSELECT nonsense;\n")
    done = shops.doit("-n", "1", "migrate")
    assert done.returncode == 1
    assert "0 ran, 0 up to date, 1 failed, 3 not run in" in done.stderr
    assert "failed: migrate:one/main" in done.stderr
    going_on = shops.doit("-n", "4", "-c", "migrate")
    assert going_on.returncode == 1
    assert counts(going_on) == (3, 0, 1)
    assert counts(shops.doit("migrate", "--continue")) == (0, 3, 1)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["migrate", "--frist"], "option --frist not recognized"),
        (["migrate", "-n", "many"], "doit help run"),
        (["-n", "-1", "migrate"], "at least one job must run"),
        (["why", "status"], "it is never cached"),
        (["forget"], "name the targets to forget"),
        (["migrate", "status", "format=xml"], "give format=text or format=json"),
        (["status", "format=json", "format=text"], "`format` is given twice"),
        (["migrate", "list"], "`list` is a command"),
        (["help", "migrat"], "did you mean `migrate`?"),
    ],
)
def test_bad_command_lines_get_one_message(migrated: Monorepo, words: list[str], says: str) -> None:
    done = migrated.doit(*words)
    assert done.returncode == 3, done.stderr
    assert says in done.stderr
    assert done.stdout == ""


def test_a_reader_that_leaves_early_is_no_error(migrated: Monorepo) -> None:
    words = migrated.command("status:auth-service")
    with subprocess.Popen(
        words, cwd=ROOT, env=migrated.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        told = process.stderr.read()
    assert "Traceback" not in told
    assert process.returncode in {0, 141}
