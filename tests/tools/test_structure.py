"""Every kind of object that migrations may make is seen in the structure, when it comes, changes and goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from schemas.structure import Change, Object, difference, told
from tools.postgres import structure
from tools.postgres.server import Connected

CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "cases" / "structure.yaml").read_text())
GOOSE = ("goose_db_version",)


def sign(change: Change) -> str:
    return "+" if change.before is None else "-" if change.after is None else "~"


def test_each_object_is_seen_when_it_comes_changes_and_goes(
    server: Connected, database: str, execute: Callable[[str], None]
) -> None:
    before = server.structure(database, GOOSE)
    assert {str(one) for one in before} == {"schema public"}
    seen = {}
    for name, case in CASES.items():
        execute(case["sql"])
        after = server.structure(database, GOOSE)
        seen[name] = [f"{sign(change)} {change.object}" for change in difference(before, after)]
        before = after
    assert seen == {name: case["changes"] for name, case in CASES.items()}


def test_a_column_that_was_dropped_and_made_again_is_the_same(
    server: Connected, database: str, execute: Callable[[str], None]
) -> None:
    execute("CREATE TABLE t (a INT, b INT)")
    before = server.structure(database, ())
    execute("ALTER TABLE t DROP COLUMN a; ALTER TABLE t ADD COLUMN a INT")
    assert difference(before, server.structure(database, ())) == ()


def test_a_role_that_may_only_connect_sees_the_same(
    server: Connected, database: str, execute: Callable[[str], None]
) -> None:
    execute("CREATE TABLE t (a INT PRIMARY KEY); CREATE ROLE looker LOGIN PASSWORD 'look'")
    try:
        with psycopg.connect(server.url(database, application="test"), autocommit=True) as connection:
            whole = structure.read(connection)
            connection.execute("SET ROLE looker")
            assert structure.read(connection) == whole
    finally:
        execute("DROP ROLE looker")


def test_a_change_is_told_with_the_lines_that_differ() -> None:
    table = Object(kind="function", name="f()")
    (change,) = difference({table: "a\nb\nc"}, {table: "a\nx\nc"})
    assert told(change) == ["~ function f()", "    - b", "    + x"]
    (gone,) = difference({table: "a\nb"}, {})
    assert told(gone) == ["- function f(): a …"]


STRUCTURES = st.dictionaries(
    st.builds(
        Object, kind=st.sampled_from(["table", "column", "enum"]), name=st.sampled_from(["a", "a.b", "c", "c.d"])
    ),
    st.text(max_size=3),
)


@given(STRUCTURES, STRUCTURES)
def test_no_difference_means_equal_and_each_is_told_once(before: dict[Object, str], after: dict[Object, str]) -> None:
    changes = difference(before, after)
    assert (not changes) == (before == after)
    assert len({change.object for change in changes}) == len(changes)
    assert all(told(change) for change in changes)


@pytest.mark.parametrize("kind", ["table", "view"])
def test_parts_of_a_missing_table_are_not_told(kind: str) -> None:
    gone = {Object(kind=kind, name="a"): "", Object(kind="column", name="a.b"): "int"}
    assert [change.object.kind for change in difference(gone, {})] == (
        ["table"] if kind == "table" else ["column", "view"]
    )
