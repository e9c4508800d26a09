"""The rules on the files beside migrations: each on the cases beside it, and on files that nobody means well with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.catalog import Database
from schemas.catalog import Service as Entry
from tasks.lint.around import check
from tasks.lint.rule import Listed, listed
from tasks.lint.rules.prisma import pr05_version
from tasks.lint.service import Service
from tasks.lint.source import Source, kind

Case = dict[str, Any]
RULES = tuple(one for one in listed() if one.rule.needs == "service")
DATABASE = Database(
    service="auth-service",
    key="auth",
    engine="postgres",
    names={},
    url_env={},
    migrations="db/migrations",
    table="goose_db_version",
    job="",
    prisma="prisma/schema.prisma",
)
ENTRY = Entry(name="auth-service", folder="", migration_job="", image="", databases=(DATABASE,))


def each() -> Iterator[Any]:
    for rule in RULES:
        text = rule.cases.read_text(encoding="utf-8")
        found: dict[str, dict[str, Case | str]] = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - it makes texts alone
        for verdict, cases in found.items():
            for name, case in cases.items():
                whole = {"deploy.sh": case} if isinstance(case, str) else case
                yield pytest.param(rule, whole, id=f"{rule.rule.code} {verdict}: {name}")


def service(files: dict[str, str | bytes]) -> Service:
    sources = []
    for path, text in files.items():
        form = kind(path)
        assert form is not None, path
        sources.append(Source(path, form, text if isinstance(text, bytes) else text.encode()))
    return Service(ENTRY, tuple(sources))


def test_the_version_that_is_told_is_the_one_that_pulls() -> None:
    package = json.loads((Path(__file__).parents[3] / "tools" / "locks" / "prisma" / "package.json").read_text())
    assert package["dependencies"]["prisma"] == pr05_version.USUAL


@pytest.mark.parametrize(("rule", "case"), tuple(each()))
def test_a_rule_finds_in_its_cases_exactly_what_they_say(rule: Listed, case: Case) -> None:
    wanted = case.get("finds", [])
    found = check(service({path: text for path, text in case.items() if path != "finds"}), [rule])
    assert [one.where for one in found] == [one["at"] for one in wanted]
    for one, expected in zip(found, wanted, strict=True):
        assert one.message == expected.get("says", one.message)
        assert one.instead == expected.get("write", one.instead)
        assert one.severity == expected.get("severity", rule.rule.severity)
        assert one.message.endswith(".")
