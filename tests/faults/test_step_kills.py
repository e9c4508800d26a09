"""kill -9 at each moment of a step that writes files: none is ever half there, and the next run finishes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.faults import processes
from tests.faults.monorepo import Monorepo, clean
from tests.faults.processes import Process
from tools import whole

FIRST, SECOND = "20260101000001_a.sql", "20260101000002_b.sql"
TABLE = "-- +goose Up\nCREATE TABLE {0} (id TEXT PRIMARY KEY);\n-- +goose Down\nDROP TABLE {0};\n"
MOST = 40  # moments of one command: more would be a loop
HERE = r"^(opened|link|rename|remove) services/"
STATE = r"|^(opened|rename) \.state/\.*(gitignore|catalog)"
COMMIT = ("-s", "commit:ant-service")
COMMITS = r"^start(ed)? git (add|commit) "
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
RENAMES = r"^rename services/|^start(ed)? git mv "


def folder(monorepo: Monorepo) -> Path:
    return monorepo.root / "services" / "ant-service" / "migrations"


def git(monorepo: Monorepo, *words: str) -> str:
    command = [shutil.which("git") or "git", *words]
    return subprocess.run(command, cwd=monorepo.root, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monorepo]:
    """A monorepo in git: one service with two merged migrations, at head; nothing else is in its state."""
    root = tmp_path_factory.mktemp("steps") / "monorepo"
    one = Monorepo(root=root)
    folder(one).mkdir(parents=True)
    entry = {"databases": {"ant": {"engine": "postgres", "name": "ant"}}}
    (root / "services.yaml").write_text(json.dumps({"version": 1, "services": {"ant-service": entry}}))
    (root / ".gitignore").write_text(".state/\n")
    (folder(one) / FIRST).write_text(TABLE.format("a"))
    (folder(one) / SECOND).write_text(TABLE.format("b"))
    git(one, "init", "-q", "-b", "main")
    for name, value in (("user.name", "Someone"), ("user.email", "someone@example.com"), ("commit.gpgsign", "false")):
        git(one, "config", name, value)
    git(one, "add", "--all")
    git(one, "commit", "-qm", "first")
    git(one, "tag", "first")
    yield one
    one.doit("stop")
    assert processes.gone(root) == []


def killed_at_each(
    monorepo: Monorepo, pattern: str, words: tuple[str, ...], *, before: Callable[[], object], then: Callable[[], None]
) -> int:
    """Kill the command at its first moment and run it again, then at its second, and so on; how many there were.

    ``before`` prepares each round, ``then`` looks at the files after the kill and after the second run.
    """
    for which in range(1, MOST):
        before()
        first = monorepo.doomed(pattern, which, *words)
        if first.code != -signal.SIGKILL:
            assert first.code == 0, first.err
            return which - 1
        quiet(monorepo)
        then()
        second = monorepo.doit(*words)
        clean(second)
        assert second.code == 0, f"moment {which}\nfirst:\n{first.err}\nsecond:\n{second.err}"
        then()
        nothing_left(monorepo)
    raise AssertionError(f"{words} has more than {MOST} moments")


def quiet(monorepo: Monorepo) -> None:
    """Wait until nothing that the killed run has started is at work but a server, which the next run may use."""
    until(lambda: all(map(of_server, processes.of(monorepo.root, anywhere=True))))


def anew(monorepo: Monorepo, at: str = "first") -> None:
    """Bring the files back to what a commit holds; what git ignores stays."""
    git(monorepo, "reset", "-q", "--hard", at)
    git(monorepo, "clean", "-fdq")


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def of_server(one: Process) -> bool:
    return one.kind in {"keeper", "postmaster"} or one.command.startswith("postgres: ")


def nothing_left(monorepo: Monorepo) -> None:
    """Nobody's half-written file is there any more, and git can go on."""
    root, state = monorepo.root, monorepo.root / ".state"
    assert [path for path in (*root.rglob(".*"), *state.rglob("*")) if whole.is_part(path)] == []
    assert list(state.glob("catalog.json.*")) == []
    assert list((root / ".git").glob("*.lock")) == []
    git(monorepo, "fsck", "--no-progress")
    assert json.loads((state / "catalog.json").read_text().partition("\n")[2])
    assert (state / ".gitignore").read_text() == "*\n"


def texts(place: Path) -> list[str]:
    """The texts of a folder's files, in order of their names, without those that are being written."""
    return [path.read_text() for path in sorted(place.iterdir()) if not whole.is_part(path)]


@pytest.mark.parametrize(
    ("words", "pattern", "least"),
    [
        (("create:ant-service", "name=add_c"), HERE + STATE, 7),
        (("revert:ant-service", f"version={SECOND[:14]}"), "^link services/", 1),
    ],
)
def test_a_new_migration_is_whole_or_not_there(
    words: tuple[str, ...], pattern: str, least: int, ours: Monorepo
) -> None:
    def before() -> None:
        git(ours, "clean", "-fdqx")

    before()
    for _ in range(2):  # the second file may build on the first
        assert ours.doit(*words).code == 0
    expected = texts(folder(ours))

    def then() -> None:
        assert texts(folder(ours)) == expected[: len(texts(folder(ours)))]

    assert killed_at_each(ours, pattern, words, before=before, then=then) >= least
    assert texts(folder(ours)) == expected[:3]
    before()


def test_services_yaml_is_whole_or_not_there(ours: Monorepo, tmp_path: Path) -> None:
    file, one = tmp_path / "services.yaml", Monorepo(root=tmp_path)
    shutil.copytree(ours.root / "services", tmp_path / "services")
    assert one.doit("init").code == 0
    expected = file.read_text()
    for which in range(1, 4):
        file.unlink()
        assert one.doomed(r"^(opened|link|remove) \.?services\.yaml", which, "init").code == -signal.SIGKILL
        there = file.exists()
        second = one.doit("init")
        clean(second)
        assert second.code == there, second.err  # what is there is never overwritten
        assert file.read_text() == expected
        assert {path.name for path in tmp_path.iterdir()} <= {"services", "services.yaml", ".state"}


def test_a_commit_is_made_whole_and_git_can_go_on(ours: Monorepo) -> None:
    new = folder(ours) / "20260101000003_c.sql"

    def before() -> None:
        anew(ours)
        new.write_text(TABLE.format("c"))

    def then() -> None:
        git(ours, "status", "--porcelain")
        assert new.read_text() == TABLE.format("c")

    assert killed_at_each(ours, COMMITS, COMMIT, before=before, then=then) == 4
    assert git(ours, "diff", "--name-only", "first", "HEAD").split() == [str(new.relative_to(ours.root))]
    assert git(ours, "status", "--porcelain") == ""


def test_a_commit_that_is_killed_in_a_hook_leaves_no_lock(ours: Monorepo) -> None:
    new, hook = folder(ours) / "20260101000004_d.sql", ours.root / ".git" / "hooks" / "pre-commit"
    new.write_text(TABLE.format("d"))
    begun = ours.root / ".git" / "begun"
    hook.write_text("#!/bin/sh\necho $$ > .git/begun\nexec sleep 60\n")
    hook.chmod(0o755)
    run = ours.start(*COMMIT)
    until(lambda: begun.exists() and begun.read_text())
    assert (ours.root / ".git" / "index.lock").exists()
    run.process.kill()
    run.end()
    hook.unlink()
    os.kill(int(begun.read_text()), signal.SIGKILL)  # a hook is its own master
    quiet(ours)
    assert ours.doit(*COMMIT).code == 0
    nothing_left(ours)
    assert git(ours, "status", "--porcelain") == ""


def test_renumbered_files_keep_their_order(ours: Monorepo) -> None:
    anew(ours)
    git(ours, "checkout", "-qB", "late")
    (folder(ours) / "20270101000000_late.sql").write_text(TABLE.format("late"))
    git(ours, "add", "--all")
    git(ours, "commit", "-qm", "late")
    git(ours, "branch", "-qf", "main")

    def before() -> None:
        anew(ours, "late")
        for name in "cde":
            (folder(ours) / f"2026010100000{'abcde'.index(name) + 1}_{name}.sql").write_text(TABLE.format(name))
        git(ours, "add", "--", "*_d.sql")

    def then() -> None:
        assert sorted(texts(folder(ours))) == sorted(TABLE.format(name) for name in ("a", "b", "c", "d", "e", "late"))

    with ours.server():
        assert killed_at_each(ours, RENAMES, ("renumber:ant-service",), before=before, then=then) == 4
    then()
    assert texts(folder(ours))[2:] == [TABLE.format(name) for name in ("late", "c", "d", "e")]


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
