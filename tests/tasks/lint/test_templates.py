"""What `doit create` writes is what `doit lint` asks for."""

from __future__ import annotations

import pytest

from schemas.catalog import EngineName, Retention
from schemas.stream import Migration
from tasks.create.template import fill, kinds
from tasks.lint.check import check, check_along
from tasks.lint.reading import Readings, files
from tasks.lint.rule import rules
from tasks.lint.schema import Schema
from tests.tasks.lint.conftest import database
from tools.clickhouse.syntax import Parser

WORDS = {"table": "devices", "column": "name", "database": "shop", "cluster": "default", "retention": "5 YEAR"}
FACTS = {
    "postgres": (frozenset({"absent"}), frozenset({"users", "trigger"})),
    "clickhouse": (frozenset({"forever"}), frozenset({"retention"})),
}
ENGINES: tuple[EngineName, ...] = ("postgres", "clickhouse")
TEMPLATES = [(engine, kind, facts) for engine in ENGINES for kind in kinds(engine) for facts in FACTS[engine]]


@pytest.mark.parametrize(("engine", "kind", "facts"), TEMPLATES)
def test_a_template_breaks_no_rule(engine: EngineName, kind: str, facts: frozenset[str], parser: Parser) -> None:
    retention = Retention(min_days=5 * 365 if "retention" in facts else None)
    text = fill(engine, kind, WORDS, facts).encode()
    name = f"20260101000000_{kind}.sql"
    migration = Migration(version=20260101000000, name=name, path=f"m/{name}", sha256="", data=text)
    readings = Readings(parser)
    (file,) = files([migration], database(engine, retention=retention), readings)
    readings.looked_at = (file,)
    assert check(file, rules(engine, "file", "statements")) == []
    assert check_along(file, rules(engine, "catalogue"), Schema(), new=True) == []
