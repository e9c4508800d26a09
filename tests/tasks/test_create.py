from __future__ import annotations

from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import Refused
from schemas.goose_file import parse
from tasks.create import template
from tasks.create.write import NAME, named, new_file
from tasks.versions import following

CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "cases" / "versions.yaml").read_text())
KINDS = [(engine, kind) for engine in ("postgres", "clickhouse") for kind in template.kinds(engine)]


@pytest.mark.parametrize("name", CASES)
def test_versions(name: str) -> None:
    case = CASES[name]
    assert list(following(case["names"], case["now"].replace(tzinfo=UTC), case.get("count", 1))) == case["next"]


@pytest.mark.parametrize(
    ("typed", "better"),
    [
        ("add users", "add_users"),
        ("Add/Users", "add_users"),
        ("../../etc/passwd", "etc_passwd"),
        ("2fa", "fa"),
        ("ünï_Größe", "uni_grosse"),
        ("日本語", "add_user_preferences"),
        ("---", "add_user_preferences"),
        ("a" * 300, "a" * 100),
        ("", "add_user_preferences"),
        ("///", "add_user_preferences"),
    ],
)
def test_a_name_that_would_not_do_is_refused_with_one_that_would(typed: str, better: str) -> None:
    with pytest.raises(Refused) as raised:
        named(typed, "doit create:a/b")
    assert raised.value.todo == f"doit create:a/b name={better}"
    assert len(str(raised.value)) < 500


@given(st.text())
def test_any_name_is_taken_or_refused_with_one_that_is_taken(typed: str) -> None:
    try:
        assert NAME.fullmatch(named(typed, "c"))
    except Refused as refused:
        better = refused.todo.partition("name=")[2]
        assert named(better, "c") == better


@pytest.mark.parametrize(("engine", "kind"), KINDS)
@pytest.mark.parametrize("facts", [{"users", "trigger", "retention"}, {"absent", "forever"}])
def test_each_template_is_a_goose_file_without_a_hole(engine: Any, kind: str, facts: set[str]) -> None:
    words = {"table": "things", "column": "size", "database": "db", "cluster": "c", "retention": "90 DAY"}
    text = template.fill(engine, kind, words, facts)
    assert "<" not in text
    assert "--?" not in text
    assert text == "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
    parsed = parse(text.encode())
    assert parsed.up
    assert parsed.has_down
    assert parsed.down or "-- irreversible: " in text


@pytest.mark.parametrize(
    ("kind", "name", "table", "column"),
    [
        ("table", "add_user_preferences", "user_preferences", ""),
        ("table", "create_x", "x", ""),
        ("table", "devices", "devices", ""),
        ("column", "add_nick_name_to_users", "users", "nick_name"),
        ("index", "index_users_by_email", "users", "email"),
        ("function", "touch_rows_of_users", "users", ""),
        ("backfill", "backfill_slug_of_resumes", "resumes", "slug"),
        ("irreversible", "drop_slug_from_resumes", "resumes", "slug"),
    ],
)
def test_a_migrations_name_says_what_it_is_about(kind: str, name: str, table: str, column: str) -> None:
    assert template.subject(kind, name) == (table, column)


def test_what_is_given_goes_before_what_the_name_says() -> None:
    assert template.subject("column", "add_a_to_b", table="t", column="c") == ("t", "c")


def test_a_name_that_says_too_little_is_refused_with_both_ways() -> None:
    with pytest.raises(Refused, match="needs a table and a column") as raised:
        template.subject("index", "faster")
    assert raised.value.todo == "name it index_TABLE_by_COLUMN, or add table=… column=…"


def test_a_new_file_never_replaces_another(tmp_path: Path) -> None:
    assert new_file(tmp_path / "new", "1_a.sql", "x").read_text() == "x"
    with pytest.raises(Refused, match="File exists"):
        new_file(tmp_path / "new", "1_a.sql", "y")
    assert [path.read_text() for path in (tmp_path / "new").iterdir()] == ["x"]
