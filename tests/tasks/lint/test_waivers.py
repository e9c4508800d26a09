"""Waivers and severities: what counts in the end, and LA01 on the cases beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from schemas.catalog import Catalog, Database
from schemas.catalog_file import load
from schemas.stream import Migration
from tasks.lint.check import check
from tasks.lint.comments import in_sql
from tasks.lint.conclude import codes
from tasks.lint.file import File
from tasks.lint.finding import Finding
from tasks.lint.fix import fixed
from tasks.lint.reading import Readings, files
from tasks.lint.rule import listed, rules
from tasks.lint.settle import settle
from tasks.lint.waiver import of_text

TODAY = date(2026, 6, 1)
FOLDER = "services/shop/migrations"
NAME = "20260101000000_case.sql"
(LA01,) = (one for one in listed() if one.rule.needs == "waivers")
Case = dict[str, Any]
HEAD = "version: 1\nservices: {shop: {databases: {main: {engine: postgres, name: shop}}}}\n"


def each() -> Iterator[Any]:
    cases: dict[str, dict[str, Case | str]] = yaml.load(LA01.cases.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 - it makes texts alone
    for verdict, those in cases.items():
        for name, case in those.items():
            yield pytest.param({"sql": case} if isinstance(case, str) else case, id=f"{verdict}: {name}")


def catalog(root: Path, **settings: Any) -> Catalog:
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    text = "".join(f"  {key}: {json.dumps(value)}\n" for key, value in settings.items() if value)
    (root / "services.yaml").write_text(f"{HEAD}lint:\n{text}" if text else HEAD)
    return load(root / "services.yaml")


def read(case: Case, within: Catalog) -> File:
    (database,) = within.services["shop"].databases
    assert isinstance(database, Database)
    path = f"{FOLDER}/{NAME}"
    (within.root / path).write_text(case["sql"])
    migration = Migration(version=1, name=NAME, path=path, sha256="", data=case["sql"].encode())
    (file,) = files([migration], database, Readings(None))
    return file


def settled(within: Catalog, file: File, *, merged: bool = False) -> list[Finding]:
    raw = check(file, rules("postgres", "file", "statements"))
    judged = codes("file", "statements")
    done = settle(within, raw, [file], [], today=TODAY, judged=judged, merged=[file.path] if merged else [])
    return done.findings


@pytest.mark.parametrize("case", tuple(each()))
def test_la01_finds_in_its_cases_exactly_what_they_say(case: Case, tmp_path: Path) -> None:
    assert case.keys() <= {"sql", "merged", "allow", "severity", "left", "finds", "fixed"}
    within = catalog(tmp_path, severity=case.get("severity"), allow=case.get("allow"))
    file = read(case, within)
    found = settled(within, file, merged="merged" in case)
    bad = [one for one in found if one.code == "LA01"]
    wanted = case.get("finds", [])
    told = [(one.where.removeprefix(f"{file.path}:"), one.message) for one in bad]
    assert told == [(one["at"], one["says"]) for one in wanted]
    assert [one.code for one in found if one.code != "LA01"] == case.get("left", [])
    for one, expected in zip(bad, wanted, strict=True):
        assert one.instead == expected.get("write", one.instead)
        assert one.excerpt
    assert fixed(file.data, bad).decode() == case.get("fixed", case["sql"])


SQL = "-- +goose Up\nSELECT 1; SELECT 2;\n-- +goose Down\nSELECT 3;\n"


@pytest.mark.parametrize(
    ("severity", "becomes"),
    [
        ({}, ["warning"]),
        ({"GS09": "error"}, ["error"]),
        ({"GS09": "off"}, []),
        ({"GS09": {FOLDER: "advice"}}, ["advice"]),
        ({"GS09": {"services/shop": "off", FOLDER: "error"}}, ["error"]),
        ({"GS09": {"services/shop/migr": "off"}}, ["warning"]),
        ({"GS09": {f"{FOLDER}/{NAME}": "off"}}, []),
        ({"GS02": "off"}, ["warning"]),
    ],
)
def test_the_longest_path_that_services_yaml_names_says_how_grave_a_finding_is(
    tmp_path: Path, severity: dict[str, Any], becomes: list[str]
) -> None:
    within = catalog(tmp_path, severity=severity)
    assert [one.severity for one in settled(within, read({"sql": SQL}, within))] == becomes


def test_a_rule_that_is_off_unless_asked_for_is_asked_for_by_a_severity(tmp_path: Path) -> None:
    case = {"sql": "-- +goose Up\nCREATE TABLE a (id TEXT PRIMARY KEY);\n-- +goose Down\nDROP TABLE a;\n"}
    quiet = catalog(tmp_path)
    assert settled(quiet, read(case, quiet)) == []
    asking = catalog(tmp_path, severity={"PL04": "warning"})
    assert {(one.code, one.severity) for one in settled(asking, read(case, asking))} == {("PL04", "warning")}


VALUES = """# lint:allow AR07 the whole chart moves in spring until=2027-03-01

image: migrate:latest
job:
  # lint:allow AR05,AR06 it is cleared by hand until=2027-03-01
  ttl:
    seconds: 5
    retries: 1
  name: "a # lint:allow AR04"
  other: 1 # lint:allow AR10 no secret until=2027-03-01
"""


def test_in_yaml_a_waiver_is_about_the_file_or_about_what_stands_below_it_or_before_it() -> None:
    found = of_text("helm/values.yaml", VALUES)
    assert [(one.codes, one.line, one.first, one.last > 1000 or one.last) for one in found] == [
        (("AR07",), 1, 1, True),
        (("AR05", "AR06"), 5, 5, 8),
        (('AR04"',), 9, 9, 9),
        (("AR10",), 10, 10, 10),
    ]


@pytest.mark.parametrize(
    ("path", "text", "lines"),
    [
        ("package.json", '{"a": "# lint:allow PR01 x until=2027-03-01"}', []),
        ("prisma/schema.prisma", "model A {\n  id String // lint:allow PR06 x until=2027-03-01\n}\n", [(2, 2)]),
        ("Makefile", "a:\n\t# lint:allow PR01 x until=2027-03-01\n\tprisma db push\n\tprisma db push\n", [(2, 3)]),
        ("a.sh", "#!/bin/sh\n\nset -e\nprisma db push # lint:allow PR01 x until=2027-03-01\r\n", [(4, 4)]),
        ("a.yaml", "---\n# lint:allow AR01 x until=2027-03-01", [(1, 1_000_000_000)]),
    ],
)
def test_other_files_have_waivers_in_their_own_comments(path: str, text: str, lines: list[tuple[int, int]]) -> None:
    assert [(one.first, one.last) for one in of_text(path, text)] == lines


def test_what_is_kept_is_true_until_the_first_waiver_ends(tmp_path: Path) -> None:
    within = catalog(tmp_path)
    text = SQL.replace("SELECT 1;", "-- lint:allow GS09 x until=2026-07-02\nSELECT 1;")
    text = text.replace("SELECT 3;", "-- lint:allow GS09 x until=2026-07-01\nSELECT 3; SELECT 4;")
    file = read({"sql": text}, within)
    raw = check(file, rules("postgres", "file", "statements"))
    done = settle(within, raw, [file], [], today=TODAY, judged=codes("file", "statements"))
    assert (done.findings, done.until) == ([], date(2026, 7, 1))


@given(text=st.text(alphabet="-'\"\\/*$e\n ab", max_size=80), engine=st.sampled_from(("postgres", "clickhouse")))
def test_comments_are_found_in_whatever_text(text: str, engine: Any) -> None:
    for one in in_sql(text, engine):
        line = text.split("\n")[one.line - 1]
        assert line[one.column - 1 :].startswith("--")
        assert one.alone == (not line[: one.column - 1].strip())


@pytest.mark.parametrize("piece", ["$a$", "$a$$", "/*", "'", "e'\\", '"', "$a$ $b$ ", "-- lint:allow GS09 x\n", "`"])
def test_a_hostile_file_is_read_within_seconds(piece: str) -> None:
    text = "".join(piece.replace("a", f"a{number}") for number in range(50_000))
    began = datetime.now(UTC)
    assert sum(1 for _ in in_sql(text, "postgres")) in {0, 50_000}
    assert sum(1 for _ in in_sql(text, "clickhouse")) in {0, 50_000}
    assert datetime.now(UTC) - began < timedelta(seconds=20)
