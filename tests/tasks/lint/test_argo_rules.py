"""The rules on what charts make: each on the cases beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from schemas.manifest import Manifest, manifests
from tasks.lint.release import Release
from tasks.lint.rule import Listed, listed

Case = dict[str, Any]
RULES = tuple(one for one in listed() if one.rule.needs == "release")


def each() -> Iterator[Any]:
    for rule in RULES:
        text = rule.cases.read_text(encoding="utf-8")
        found: dict[str, dict[str, Case]] = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - it makes texts alone
        for verdict, cases in found.items():
            for name, case in cases.items():
                yield pytest.param(rule, case, id=f"{rule.rule.code} {verdict}: {name}")


def objects(text: str, file: str) -> tuple[Manifest, ...]:
    found = tuple(manifests(text, file))
    assert [one for one in found if not isinstance(one, Manifest)] == []
    return tuple(one for one in found if isinstance(one, Manifest))


def release(case: Case) -> Release:
    assert case.keys() <= {"chart", "applications", "jobs", "once", "image", "finds"}
    return Release(
        service="auth-service",
        environment="dev",
        template="migration-job.yaml",
        jobs=case.get("jobs", {"auth-service-migrate": "auth-service/auth"}),
        once=case.get("once", {}),
        manifests=objects(case.get("chart", ""), "chart.yaml"),
        applications=objects(case.get("applications", ""), "app.yaml"),
        image=case.get("image", ""),
    )


@pytest.mark.parametrize(("rule", "case"), tuple(each()))
def test_a_rule_finds_in_its_cases_exactly_what_they_say(rule: Listed, case: Case) -> None:
    found = sorted(rule.check(release(case)), key=lambda one: (one.path, one.line, one.column))
    wanted = case.get("finds", [])
    told = [(f"{one.path}:{one.line}:{one.column}", one.message) for one in found]
    assert told == [(one["at"], one["says"]) for one in wanted]
    assert ("finds" in case) == bool(found)
    for one, expected in zip(found, wanted, strict=True):
        assert one.instead == expected.get("write", one.instead)
        assert (one.severity or rule.rule.severity) == expected.get("severity", rule.rule.severity)
        assert one.message.endswith(".")
        assert "hunter2" not in one.message + one.instead


def test_all_twelve_are_here() -> None:
    assert [one.rule.code for one in RULES] == [f"AR{number:02}" for number in range(1, 13)]
    assert all("Source: " in one.manual for one in RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda one: one.rule.code)
@pytest.mark.parametrize(
    "text",
    [
        "kind: Job\nmetadata: []\nspec: 3\n",
        "kind: Job\nmetadata: {annotations: [x]}\nspec: {template: {spec: {containers: 3}}}\n",
        "kind: Job\nmetadata: {name: [a]}\nspec: {template: {spec: {containers: [3, {env: [4, {name: {}}]}]}}}\n",
        "kind: Job\nmetadata: {name: auth-service-migrate}\nspec: {backoffLimit: x, activeDeadlineSeconds: []}\n",
        "kind: Job\nspec: {template: {spec: {volumes: 3, containers: [{image: goose, envFrom: {}, env: {}}]}}}\n",
        "kind: Application\nspec: {syncPolicy: [], template: 3, templatePatch: {}, source: {helm: null}}\n",
        "kind: ApplicationSet\nspec: {generators: [3, {list: []}], syncPolicy: {automated: 3}, template: {spec: []}}\n",
        "kind: Secret\nmetadata: {name: x}\ndata: 3\nstringData: [a]\n",
        "kind: ConfigMap\nmetadata: null\ndata: {a: [1], 3: {}}\nbinaryData: x\n",
        "kind: ExternalSecret\nspec: {target: 3, template: []}\n",
    ],
)
def test_a_rule_takes_every_shape(rule: Listed, text: str) -> None:
    for one in rule.check(release({"chart": text, "applications": text, "once": {"auth-service-migrate": "so"}})):
        assert one.message
