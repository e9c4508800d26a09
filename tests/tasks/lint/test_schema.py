"""The schema that statements build, as rules see it, without any server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.stream import Migration
from tasks.lint.reading import Readings, files
from tasks.lint.schema import Schema, Table, changes
from tests.tasks.lint.conftest import database
from tools.clickhouse.syntax import Parser

CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "cases" / "schema.yaml").read_text(encoding="utf-8"))


def built(case: dict[str, Any], parser: Parser) -> tuple[Schema, bool]:
    """The schema, and whether every statement can be followed."""
    data = f"-- +goose Up\n{case['sql']}".encode()
    (file,) = files(
        [Migration(version=1, name="1_a.sql", path="m/1_a.sql", sha256="", data=data)],
        database(case.get("engine", "postgres")),
        Readings(parser),
    )
    schema, done = Schema(), [changes(sql, file) for sql in file.up]
    for one in done:
        schema.apply(one, file.path, new=False)
    return schema, all(change.verb != "unknown" for one in done for change in one)


def shown(table: Table) -> dict[str, Any]:
    """A table in words, what is empty left out."""
    columns = []
    for one in table.columns.values():
        words = [one.name, one.type, "" if one.nullable else "not null"]
        words += [f"default {one.default}" if one.default else "", one.generated]
        columns.append(" ".join(filter(None, words)))
    constraints = []
    for key in table.constraints.values():
        to = f" → {key.table} ({', '.join(key.refers)})" if key.table else ""
        constraints.append(f"{key.name} {key.kind} ({', '.join(key.columns)}){to}{'' if key.valid else ' not valid'}")
    indexes = [f"{ix.name} ({', '.join(ix.columns)}){' unique' if ix.unique else ''}" for ix in table.indexes.values()]
    parts = {
        "kind": "" if table.kind == "table" else table.kind,
        "columns": columns,
        "constraints": constraints,
        "indexes": indexes,
        "engine": table.engine,
        "sorting": list(table.sorting),
        "incomplete": not table.complete,
    }
    return {name: value for name, value in parts.items() if value}


@pytest.mark.parametrize("name", CASES)
def test_statements_build(name: str, parser: Parser) -> None:
    case = CASES[name]
    schema, certain = built(case, parser)
    assert {table.name: shown(table) for table in schema.tables.values()} == case.get("tables", {})
    assert [" ".join(filter(None, key)) for key in schema.others] == case.get("others", [])
    assert certain is case.get("certain", True)
