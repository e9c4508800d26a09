"""`ci` runs the checks in order and stops at the first that fails."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import pytest

from schemas.catalog_file import load
from schemas.errors import ToolError
from tasks import ci
from tasks.work import Outcome, Progress, Session, Work


def run(folder: Path) -> tuple[Outcome, list[str]]:
    (folder / "services" / "a").mkdir(parents=True)
    (folder / "services.yaml").write_text("version: 1\nservices: {a: {databases: {a: {engine: postgres, name: a}}}}\n")
    catalog, lines = load(folder / "services.yaml"), list[str]()
    session = Session(catalog, lines.append)
    work = Work(
        catalog=catalog, targets=(), variables={}, session=session, progress=Mock(spec=Progress), out=lines.append
    )
    return ci.run(work), lines


def python(script: str) -> tuple[str, ...]:
    return ("python", "-c", script)


def test_the_tests_come_last_and_are_shown_as_they_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [name for name, _ in ci.CHECKS] == ["format", "lint", "types", "floors", "tests"]
    (tmp_path / "test_one.py").write_text("def test_one() -> None:\n    assert True\n")
    tests = (*ci.CHECKS[-1][1], str(tmp_path), "-p", "no:cacheprovider", "-n", "0", "-c", "/dev/null")
    monkeypatch.setattr(ci, "CHECKS", (("lint", python("print('fine')")), ("tests", tests)))
    outcome, lines = run(tmp_path)
    assert (outcome.exit_code, outcome.summary) == (0, "2 checks passed")
    assert lines[0].startswith("lint     ok")
    assert any("1 passed" in line for line in lines[1:-1])
    assert lines[-1].startswith("tests    ok")


def test_the_first_failure_ends_it_with_its_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = python("import sys; print('bad.py:1'); print('one error', file=sys.stderr); sys.exit(1)")
    monkeypatch.setattr(ci, "CHECKS", (("lint", failing), ("types", python("raise SystemExit('never run')"))))
    outcome, lines = run(tmp_path)
    assert (outcome.exit_code, outcome.summary) == (1, "lint failed")
    assert lines == ["bad.py:1\none error", "lint     failed"]


def test_a_check_that_is_not_installed_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ci, "CHECKS", (("lint", ("no-such-linter",)),))
    with pytest.raises(ToolError, match="no-such-linter is not installed") as caught:
        run(tmp_path)
    assert caught.value.todo == "./run doit ci"
