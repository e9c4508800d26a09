from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.catalog import EngineName
from schemas.remote_url import form, objection


@pytest.mark.parametrize(
    ("engine", "url"),
    [
        ("postgres", "postgres://me:word@db.example.com/shop"),
        ("postgres", "postgresql://me:word@db-1:5432,db-2:5433/shop?sslmode=verify-full"),
        ("postgres", "postgres://me@/shop?host=/run/postgresql"),
        ("postgres", "postgres://me:word@[2001:db8::1]:5432/shop"),
        ("postgres", "postgres://db.example.com?dbname=shop"),
        ("clickhouse", "https://me:word@db.example.com:8443/shop"),
        ("clickhouse", "http://db.example.com?database=shop&username=me&password=word"),
    ],
)
def test_a_url_that_leads_to_the_named_database_is_taken(engine: EngineName, url: str) -> None:
    assert objection(engine, url, "shop") == ""


@pytest.mark.parametrize(
    ("engine", "url", "why"),
    [
        ("postgres", "postgres://me:word@db/shop_prod", "it leads to the database shop_prod; services.yaml says shop"),
        ("postgres", "postgres://me:word@db/shop?dbname=shop_prod", "it leads to the database shop_prod"),
        ("postgres", "postgres://me:word@db/Shop", "it leads to the database Shop"),
        ("postgres", "postgres://me:word@db", "it names no database; services.yaml says shop"),
        ("postgres", "postgres:///shop", "it names no host"),
        ("postgres", "postgres://me:wo#rd@db/shop", "are written %23"),
        ("postgres", "postgres://me:wo/rd@db/shop", "are written %23 %2F"),
        ("postgres", "postgres://me:wo?rd@db/shop", "are written %23 %2F %3F"),
        ("postgres", "postgres://me:wo@rd@db/shop", "%40"),
        ("postgres", "postgres://me:word@db/shop?service=prod", "a service file could lead to another database"),
        ("postgres", "host=db dbname=shop password=word", "it does not begin with postgres:// or postgresql://"),
        ("postgres", "mysql://me:word@db/shop", "it does not begin with"),
        ("postgres", "postgres://me:word@[::1/shop", "it is not a URL"),
        ("clickhouse", "clickhouse://me:word@db:9000/shop", "give that of the HTTP interface"),
        ("clickhouse", "https://me:word@db/shop?database=other", "it leads to the database other"),
        ("clickhouse", "https://me:word@db:port/shop", "it is not a URL"),
    ],
)
def test_every_other_url_is_refused_with_the_reason(engine: EngineName, url: str, why: str) -> None:
    assert why in objection(engine, url, "shop")


@given(st.text("#/?@:%&=+;[], \\é", max_size=4), st.text("#/?@:%&=+;[]", max_size=3))
def test_no_reason_shows_a_part_of_a_password_however_badly_it_is_written(middle: str, end: str) -> None:
    for engine in ("postgres", "clickhouse", "https"):
        for rest in ("db/other", "db", "db/shop?x=1", "/shop"):
            url = f"{engine}://me:73519{middle}80246{end}@{rest}"
            said = objection("postgres", url, "shop") + objection("clickhouse", url, "shop")
            assert "73519" not in said
            assert "80246" not in said


@pytest.mark.parametrize("engine", ["postgres", "clickhouse"])
def test_the_form_that_is_shown_is_one_that_is_taken(engine: EngineName) -> None:
    assert objection(engine, form(engine, "shop"), "shop") == ""
