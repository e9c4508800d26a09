"""Every rule on the cases beside it; a new rule needs no test of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from schemas.stream import Migration
from tasks.lint.check import check
from tasks.lint.file import File
from tasks.lint.fix import fixed
from tasks.lint.reading import files
from tasks.lint.rule import Listed, listed
from tools import toolchain
from tools.clickhouse.syntax import Parser

RULES = listed()
PARSER = Parser(toolchain.clickhouse(print))
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
        if rule.rule.needs == "release":
            continue  # test_argo_rules.py has their subject
        for verdict, cases in read(rule).items():
            for name, case in cases.items():
                one = {"sql": case} if isinstance(case, str) else case
                yield pytest.param(rule, one, id=f"{rule.rule.code} {verdict}: {name}")


def subject(case: Case) -> File:
    data = case["latin1"].encode("latin-1") if "latin1" in case else case.get("bytes") or case["sql"].encode()
    name = case.get("name", "20260101000000_case.sql")
    migration = Migration(version=1, name=name, path=name, sha256="", data=data)
    (file,) = files([migration], case.get("engine", "postgres"), PARSER)
    return file


@pytest.fixture(scope="module", autouse=True)
def _parser() -> Iterator[None]:
    yield
    PARSER.close()


@pytest.mark.parametrize(("rule", "case"), tuple(each()))
def test_a_rule_finds_in_its_cases_exactly_what_they_say(rule: Listed, case: Case) -> None:
    file = subject(case)
    found = check(file, [rule] if file.engine in rule.rule.engines else [])
    wanted = case.get("finds", [])
    assert [(f"{one.line}:{one.column}", one.message) for one in found] == [(one["at"], one["says"]) for one in wanted]
    for one, expected in zip(found, wanted, strict=True):
        assert one.instead == expected.get("write", one.instead)
        assert one.severity == expected.get("severity", rule.rule.severity)
    if "fixed" in case:
        assert fixed(file.data, found).decode() == case["fixed"]
    elif any(one.fix for one in found):
        assert not check(subject({**case, "bytes": fixed(file.data, found)}), [rule])


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
            assert one["says"].endswith(".")
            assert "\n" not in one["says"]
