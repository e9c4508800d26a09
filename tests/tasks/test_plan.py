"""What migrating would do and what forbids it, decided from values alone."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tasks.migrate.plan import plan
from tasks.migrate.versions import Applied, File, Merged, compare

CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "cases" / "plan.yaml").read_text())
FOLDER = "services/s/migrations"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _file(name: str, text: str) -> File:
    return File(version=int(name.partition("_")[0]), name=name, path=f"{FOLDER}/{name}", sha256=_hash(text))


def _merged(told: dict[int, str]) -> Merged:
    same, other = (frozenset(version for version, word in told.items() if word == kind) for kind in ("same", "other"))
    return Merged(base="main", same=same, other=other)


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
        undoing=case.get("undoing", ()),
        baseline=case.get("baseline", ""),
        merged=_merged(case["merged"]) if "merged" in case else None,
    )
    assert list(decided.going) == case.get("going", [])
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


@given(files=VERSIONS, held=VERSIONS, edited=VERSIONS, same=VERSIONS, other=VERSIONS)
def test_nothing_merged_goes_down_for_good_and_goose_never_meets_a_file_out_of_order(
    files: set[int], held: set[int], edited: set[int], same: set[int], other: set[int]
) -> None:
    same &= files
    other -= same
    decided = plan(
        [_file(f"{version}_x.sql", "new" if version in edited else "x") for version in files],
        [Applied(version=version, sha256=_hash("x")) for version in held],
        label="s/d",
        folder=FOLDER,
        table="t",
        other_tables={},
        merged=Merged(base="main", same=frozenset(same), other=frozenset(other)),
    )
    going, pending = set(decided.going), {file.version for file in decided.pending}
    if decided.refusals:
        assert not going
        return
    left = held - going
    assert going == {version for version in held if version >= min(going, default=99)}
    assert not going - pending & other  # what others have comes up again
    assert all(version > max(left, default=0) for version in pending)
    assert left | pending == files
    assert not left & edited
