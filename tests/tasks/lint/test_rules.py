"""Every rule on the cases beside it; a new rule needs no test of its own."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.catalog import Database, Retention
from schemas.stream import Migration
from tasks.lint.base import Base
from tasks.lint.check import check, check_along, check_stream
from tasks.lint.file import File
from tasks.lint.finding import Finding
from tasks.lint.fix import fixed
from tasks.lint.gather import gather
from tasks.lint.reading import Readings, files
from tasks.lint.rule import Listed, listed
from tasks.lint.schema import Schema
from tools import toolchain
from tools.clickhouse.syntax import Parser
from tools.git import hashed

RULES = listed()
PARSER = Parser(lambda: toolchain.clickhouse(print))
FOLDER = "services/shop/migrations"
PARTS = ("Problem", "Consequence", "Solution")
Case = dict[str, Any]


def read(rule: Listed) -> dict[str, dict[str, Case | str]]:
    cases: dict[str, dict[str, Case | str]] = yaml.load(
        rule.cases.read_text(encoding="utf-8"),
        Loader=yaml.BaseLoader,  # noqa: S506 - it makes texts alone; to another one 4:1 is a number
    )
    return cases


def each() -> Iterator[Any]:
    for rule in RULES:
        if rule.rule.needs in {"release", "service", "waivers"}:
            continue  # test_argo_rules.py, test_service_rules.py and test_waivers.py have their subjects
        for verdict, cases in read(rule).items():
            for name, case in cases.items():
                one = {"sql": case} if isinstance(case, str) else case
                yield pytest.param(rule, one, id=f"{rule.rule.code} {verdict}: {name}")


def subject(case: Case) -> File:
    data = case["latin1"].encode("latin-1") if "latin1" in case else case.get("bytes") or case["sql"].encode()
    name = case.get("name", "20260101000000_case.sql")
    migration = Migration(version=1, name=name, path=name, sha256="", data=data)
    (file,) = files([migration], database(case), Readings(PARSER))
    return file


def database(case: Case) -> Database:
    return Database(
        service="shop",
        key="main",
        engine=case.get("engine", "postgres"),
        names={"local": "shop_db"},
        url_env={},
        migrations=FOLDER,
        table=case.get("table", "goose_db_version"),
        job="",
        retention=Retention(**{key: int(value) for key, value in case.get("retention", {}).items()}),
    )


@pytest.fixture(scope="module", autouse=True)
def _parser() -> Iterator[None]:
    yield
    PARSER.close()


@pytest.mark.parametrize(("rule", "case"), tuple(each()))
def test_a_rule_finds_in_its_cases_exactly_what_they_say(rule: Listed, case: Case, tmp_path: Path) -> None:
    if "files" in case:
        found = of_stream(rule, case, tmp_path)
    elif rule.rule.needs == "catalogue":
        found = of_stream(rule, {**case, "files": {"20260101000000_case.sql": case["sql"]}}, tmp_path)
    else:
        found = check(subject(case), [rule])
    wanted = case.get("finds", [])
    assert [(place(one, case), one.message) for one in found] == [(one["at"], one["says"]) for one in wanted]
    for one, expected in zip(found, wanted, strict=True):
        assert one.instead == expected.get("write", one.instead)
        assert one.severity == expected.get("severity", rule.rule.severity)
    if "fixed" in case:
        assert fixed(subject(case).data, found).decode() == case["fixed"]
    elif any(one.fix for one in found):
        assert not check(subject({**case, "bytes": fixed(subject(case).data, found)}), [rule])


def place(one: Finding, case: Case) -> str:
    if "files" not in case:
        return f"{one.line}:{one.column}"
    return os.path.relpath(one.where, FOLDER)


def of_stream(rule: Listed, case: Case, root: Path) -> list[Finding]:
    """What a rule over a stream finds in files that are there, set against what git would know."""
    for name, text in case["files"].items():
        path = root / FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    before: dict[str, str] = case.get("base", {})
    base = Base(
        name="origin/main",
        here=hashes(before),
        now=hashes(case.get("now", before)),
        text=lambda path: str({**before, **case.get("now", {})}[path.rpartition("/")[2]]),
    )
    stream = gather(root, database(case), "services/shop", base if "base" in case else None, PARSER)
    if rule.rule.needs != "catalogue":
        return check_stream(stream, [rule])
    schema = Schema()
    merged = stream.base.merged if stream.base else {file.name for file in stream.files}
    return [one for file in stream.files for one in check_along(file, [rule], schema, new=file.name not in merged)]


def hashes(files: dict[str, str]) -> dict[str, str]:
    return {f"{FOLDER}/{name}": hashed(text.encode(), "0" * 40) for name, text in files.items()}


@pytest.mark.parametrize("rule", RULES, ids=lambda one: one.rule.code)
def test_a_rule_is_told_and_has_cases_of_both_kinds(rule: Listed) -> None:
    code, name = rule.rule.code, rule.rule.name
    assert rule.file.stem == f"{code.lower()}_{name.replace('-', '_')}"
    head, *paragraphs = rule.manual.strip().split("\n\n")
    assert re.fullmatch(rf"{code} {name}: [^\n]{{10,100}}\.", head)
    assert [one.partition(":")[0] for one in paragraphs][:3] == list(PARTS)
    cases = read(rule)
    assert list(cases) == ["pass", "fail"]
    assert min(len(cases["pass"]), len(cases["fail"])) >= 2


def test_codes_are_given_once() -> None:
    codes = [one.rule.code for one in RULES]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[A-Z]{2}[0-9]{2}", code) for code in codes)


@pytest.mark.parametrize("rule", RULES, ids=lambda one: one.rule.code)
def test_a_message_is_one_sentence(rule: Listed) -> None:
    for case in read(rule)["fail"].values():
        for one in case["finds"] if isinstance(case, dict) else ():
            assert one.get("says", ".").endswith(".")
            assert "\n" not in one.get("says", "")
