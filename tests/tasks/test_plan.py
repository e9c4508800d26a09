"""What migrating would do and what forbids it, decided from values alone."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tasks.migrate.plan import Applied, File, compare, plan

CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "cases" / "plan.yaml").read_text())
FOLDER = "services/s/migrations"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _file(name: str, text: str) -> File:
    return File(version=int(name.partition("_")[0]), name=name, path=f"{FOLDER}/{name}", sha256=_hash(text))


@pytest.mark.parametrize("name", CASES)
def test_the_plan_when(name: str) -> None:
    case = CASES[name]
    names = case.get("names", {})
    decided = plan(
        [_file(file, text) for file, text in case["files"].items()],
        [
            Applied(version=version, name=names.get(version, ""), sha256="" if text == "?" else _hash(text))
            for version, text in case["held"].items()
        ],
        label="s/d",
        folder=FOLDER,
        table="goose_db_version",
        other_tables=case.get("other_tables", {}),
        begun=case.get("begun", {}),
    )
    assert [file.name for file in decided.pending] == case["pending"]
    expected = case.get("refuses", [])
    assert [refusal.path for refusal in decided.refusals] == [path for path, _, _ in expected]
    for refusal, (_, message, way) in zip(decided.refusals, expected, strict=True):
        assert message in refusal.message
        assert any(way in one for one in refusal.ways_out), refusal.ways_out


VERSIONS = st.sets(st.integers(1, 30), max_size=12)


@given(files=VERSIONS, held=VERSIONS)
def test_every_version_has_exactly_one_state_and_pending_files_never_lie_below_an_applied_one(
    files: set[int], held: set[int]
) -> None:
    versions = compare(
        [_file(f"{version}_x.sql", "x") for version in files],
        [Applied(version=version, sha256=_hash("x")) for version in held],
    )
    assert [version.version for version in versions] == sorted(files | held)
    states = {version.version: version.state for version in versions}
    assert {version for version, state in states.items() if state == "applied"} == files & held
    assert {version for version, state in states.items() if state == "missing"} == held - files
    assert all(version > max(held, default=0) for version, state in states.items() if state == "pending")
    assert {version for version, state in states.items() if state in {"pending", "out of order"}} == files - held
