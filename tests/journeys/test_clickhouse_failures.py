"""Migrations that ClickHouse refuses: where, why and what to do, each case on the embedded server."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.journeys.clickhouse import clickhouse
from tests.journeys.conftest import counts

CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "cases" / "clickhouse_failures.yaml").read_text())
PLACES = {name: f"case-{number}" for number, name in enumerate(CASES, 1)}


def filled(name: str, text: str) -> str:
    """A text of a case, with the name of its database."""
    return text.replace("{db}", f"db{list(CASES).index(name) + 1}")


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What one run says of each case, by name; all of it under ''."""
    files = {PLACES[name]: {"00001_case.sql": f"-- +goose Up\n{filled(name, CASES[name]['up'])}\n"} for name in CASES}
    names = {PLACES[name]: filled(name, "{db}") for name in CASES}
    monorepo = clickhouse(tmp_path_factory.mktemp("failures") / "monorepo", files, names=names)
    done = monorepo.doit("--continue", "migrate")
    monorepo.stop()
    assert counts(done) == (0, 0, len(CASES))
    found = dict(re.findall(r"^✗ migrate:(\S+)/main +(.*\n(?:  .*\n)*)", done.stderr, re.MULTILINE))
    return {name: found[PLACES[name]] for name in CASES} | {"": done.stderr}


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_of(name: str, said: dict[str, str]) -> None:
    case, text = CASES[name], said[name]
    lines = text.splitlines()
    path = f"services/{PLACES[name]}/migrations/00001_case.sql"
    line = f"-- +goose Up\n{filled(name, case['up'])}".split("\n")[case["where"] - 1]
    column = f":{line.rindex(case['at']) + 1}" if "at" in case else ""
    assert f"  {path}:{case['where']}{column}: {PLACES[name]}/main: " in text
    for part in (f"the server's code: {case['code']}", f"→ correct the file, then doit migrate:{PLACES[name]}"):
        assert part in text
    for part in case["says"]:
        assert filled(name, part) in text
    for noise in ("message:", "DB::Exception: Replicated", "goose run", *case.get("without", ())):
        assert noise not in "\n".join(line for line in lines if " | " not in line)
    if "at" in case:
        caret = next(n for n, line in enumerate(lines) if line.rstrip().endswith("^"))
        assert lines[caret - 1][lines[caret].index("^") :].startswith(case["at"]), text
    advice = [line for line in lines if line.lstrip().startswith("→ ") and "correct the file, then" not in line]
    assert case["hint"] in " ".join(advice) if "hint" in case else advice == [], text


@pytest.mark.parametrize("name", [name for name in CASES if "remarks" in CASES[name]])
def test_what_cannot_run_on_the_embedded_server_is_said_before_it_is_tried(name: str, said: dict[str, str]) -> None:
    before = re.findall(rf"^{PLACES[name]}/main: (.*)$", said[""], re.MULTILINE)
    assert any(CASES[name]["remarks"] in line for line in before), before


def test_no_other_case_has_a_remark(said: dict[str, str]) -> None:
    with_remark = set(re.findall(r"^(case-\d+)/main: ", said[""], re.MULTILINE))
    known = {PLACES[name] for name in CASES if "remarks" in CASES[name] or CASES[name]["code"] == 392}
    assert with_remark <= known
