"""kill -9 at each moment of a step that writes files: none is ever half there, and the next run finishes."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.monorepo import Monorepo, clean
from tests.faults.steps import SECOND, TABLE, anew, fixture_ours, folder, git, nothing_left, quiet, until
from tools import whole

__all__ = ["fixture_ours"]


MOST = 40  # moments of one command: more would be a loop
HERE = r"^(opened|link|rename|remove) services/"
STATE = r"|^(opened|rename) \.state/\.*(gitignore|catalog)"
COMMIT = ("-s", "commit:ant-service")
COMMITS = r"^start(ed)? git (add|commit) "
RENAMES = r"^rename services/|^start(ed)? git mv "


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
