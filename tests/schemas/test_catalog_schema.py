from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema

from schemas.catalog_file import SCHEMA

WHOLE: dict[str, Any] = json.loads(SCHEMA.read_text())


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema within a schema that describes a value, in any depth."""
    if isinstance(schema, dict):
        yield schema
        for key in ("properties", "$defs"):
            for part in schema.get(key, {}).values():
                yield from parts(part)
        yield from parts(schema.get("additionalProperties"))


def test_the_schema_is_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(WHOLE)


def test_every_value_is_described_for_editors() -> None:
    for part in parts(WHOLE):
        target = WHOLE["$defs"][part["$ref"].rpartition("/")[2]] if "$ref" in part else {}
        assert {**target, **part}.get("description"), part


def test_no_mapping_takes_a_key_that_nothing_reads() -> None:
    for part in parts(WHOLE):
        if part.get("type") == "object":
            assert "additionalProperties" in part, part
            assert part["additionalProperties"] is not True


def test_every_pattern_says_what_it_asks_for() -> None:
    for part in parts(WHOLE):
        if "pattern" in part:
            assert part["patternErrorMessage"]


def test_every_example_is_valid() -> None:
    for part in parts(WHOLE):
        checker = jsonschema.Draft202012Validator({**part, "$defs": WHOLE["$defs"]})
        for example in part.get("examples", []):
            checker.validate(example)
