"""Is a release verified? Every row of what Argo CD can say, and the five facts missing, stale or wrong."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from schemas.catalog import ALWAYS, FACTS, Environment
from tasks.sync.ending import Section
from tasks.verify.advice import ADVICE
from tasks.verify.required import required
from tests.tasks.verdicts import judged, part

CASES: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "cases/verify/verdicts.yaml").read_text())
ALL = [(kind, name) for kind, cases in CASES.items() for name in cases]


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_the_verdict_is_what_the_facts_say(kind: str, name: str) -> None:
    case = CASES[kind][name] or {}
    verdict = judged(case)
    assert verdict.kind == kind
    assert case.get("says", "") in verdict.what + verdict.true
    assert (verdict.verified, verdict.enough) == (kind == "verified", kind in {"verified", "verified-without"})
    assert bool(verdict.left_out) is (kind == "verified-without")
    notes = "\n".join(verdict.notes)
    assert case["notes"] in notes if case.get("notes") else ("notes" not in case or not notes)


def test_every_verdict_has_a_case() -> None:
    assert set(CASES) | {"not-proved"} == set(ADVICE)


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_a_verdict_says_what_is_true_what_is_safe_and_what_to_type(kind: str, name: str) -> None:
    verdict = judged(CASES[kind][name] or {})
    assert verdict.true
    assert verdict.safe
    assert bool(verdict.todo) is not verdict.verified
    assert "{" not in verdict.what + verdict.true + verdict.safe + "".join(verdict.todo)


def test_without_a_database_nothing_is_verified() -> None:
    verdict = judged({}, parts=())
    assert (verdict.kind, verdict.verified) == ("not-proved", False)


def test_one_of_two_databases_that_is_behind_is_enough() -> None:
    parts = (part("main"), part("other"))
    assert judged({}, parts=parts).kind == "verified"
    verdict = judged({"other": [1]}, parts=parts)
    assert (verdict.kind, verdict.verified) == ("database-behind", False)
    assert [one.about for one in verdict.findings if one.kind != "holds"] == ["cart/other"]


def test_of_two_jobs_the_verdict_says_which_failed_and_what_the_other_did() -> None:
    case = {
        "state": {"phase": "Failed", "message": "one or more synchronization tasks completed unsuccessfully"},
        "row": {"hookPhase": "Failed", "message": "Job has reached the specified backoff limit"},
        "log of cart/main": "2026/11/23 04:56:47 goose run: ERROR 2_b.sql: failed: ERROR: boom (SQLSTATE 1)",
    }
    verdict = judged(case, parts=(part("main"), part("other")))
    assert (verdict.kind, verdict.verified) == ("hook-failed", False)
    assert verdict.what.splitlines() == [
        "failed: the migration Job failed. cart-migrate: Job has reached the specified backoff limit",
        "cart-migrate: 2_b.sql: failed: ERROR: boom (SQLSTATE 1)",
        "cart/other is done: all 2 versions to 2",
    ]
    assert "is done" not in judged(case | {"other": [1]}, parts=(part("main"), part("other"))).what


def test_a_job_that_failed_with_its_first_pod_was_not_tried_again() -> None:
    failed = {"failed": 1, "conditions": [{"type": "Failed", "status": "True", "message": "no"}]}
    assert not [one for one in judged({"job": {"status": failed}}).notes if "tried" in one]


WRONG: dict[str, dict[str, dict[str, Any]]] = {
    "operation": {
        "missing": {"application": None},
        "stale": {"said": "registry.example.com/shop/cart:m-0@sha256:0"},
        "wrong": {"state": {"operation": {"info": None}}},
    },
    "hook": {
        "missing": {"row": None},
        "stale": {"row": {"images": ["registry.example.com/shop/cart:m-0@sha256:0"]}},
        "wrong": {"row": {"hookPhase": "Failed"}},
    },
    "job": {
        "missing": {"job": None},
        "stale": {"job": {"metadata": {"creationTimestamp": "2026-11-23T04:00:00Z"}}},
        "wrong": {"job": {"status": {"conditions": [{"type": "Failed", "status": "True"}]}}},
    },
    "log": {
        "missing": {"log": ""},
        "stale": {"log": "2026/11/23 04:00:00 goose: no migrations to run. current version: 1"},
        "wrong": {"log": "2026/11/23 04:56:47 goose run: failed to connect"},
    },
    "database": {
        "missing": {"database": None},
        "stale": {"database": {"versions": [1]}},
        "wrong": {"database": {"versions": [1, 2, 99]}},
    },
}
EACH = [(fact, how) for fact, hows in WRONG.items() for how in hows]
PAIRS = [(one, other) for one, other in itertools.combinations(EACH, 2) if one[0] != other[0]]


@pytest.mark.parametrize(("fact", "how"), EACH)
def test_one_fact_that_does_not_hold_is_named_and_the_release_is_not_verified(fact: str, how: str) -> None:
    verdict = judged(WRONG[fact][how])
    assert not verdict.verified
    assert verdict.outcome != "verified"
    assert fact in {one.fact for one in verdict.findings if one.kind != "holds"}


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=" ".join)
def test_two_facts_that_do_not_hold_never_make_a_verified_release(one: tuple[str, str], other: tuple[str, str]) -> None:
    verdict = judged({**WRONG[one[0]][one[1]], **WRONG[other[0]][other[1]]})
    assert not verdict.verified
    assert verdict.outcome != "verified"
    assert {one[0], other[0]} <= {found.fact for found in verdict.findings if found.kind != "holds"}


REQUIRED = [
    (*ALWAYS, *some)
    for count in range(len(FACTS) - len(ALWAYS))
    for some in itertools.combinations([one for one in FACTS if one not in ALWAYS], count)
]


@pytest.mark.parametrize("require", REQUIRED, ids=" ".join)
def test_what_is_left_out_may_be_missing_and_never_stale_or_wrong(require: tuple[str, ...]) -> None:
    for names in [*((one,) for one in EACH), *PAIRS]:
        verdict = judged({"require": require} | {k: v for fact, how in names for k, v in WRONG[fact][how].items()})
        hows = dict(names) | ({"log": "missing"} if ("job", "missing") in names else {})  # it is read through the Job
        missing = {fact for fact, how in hows.items() if how == "missing"}
        unseen_alone = missing == {*hows} and not missing & {*require}
        assert verdict.enough is unseen_alone, (names, verdict.kind)
        assert verdict.verified is False
        assert {one.fact for one in verdict.left_out} == (missing if unseen_alone else set()), names


def test_without_a_database_nothing_is_verified_whatever_is_left_out() -> None:
    verdict = judged({"require": ALWAYS}, parts=())
    assert (verdict.kind, verdict.enough) == ("not-proved", False)


def test_a_protected_environment_requires_all_five_facts_and_any_the_operation_and_its_hook() -> None:
    lax = Environment(name="dev", servers={}, require=("log",))
    assert required(lax) == (*ALWAYS, "log")
    assert required(lax._replace(protected=True)) == FACTS
    assert required(Environment(name="dev", servers={})) == FACTS


def test_there_are_five_facts_and_all_of_them_are_in_the_matrix() -> None:
    assert tuple(WRONG) == FACTS
    assert len(PAIRS) == 90


@pytest.mark.parametrize(
    ("count", "says"), [(3, "applied 1_a.sql, 2_a.sql, 3_a.sql"), (4, "applied 4 files, 1_a.sql to 4_a.sql")]
)
def test_of_many_files_that_were_applied_the_first_and_the_last_are_named(count: int, says: str) -> None:
    files = {version: f"{version}_a.sql" for version in range(1, count + 1)}
    ran = "".join(f"2026/11/23 04:56:47 OK   {name} (1.95ms)\n" for name in files.values())
    log = f"{ran}2026/11/23 04:56:47 goose: successfully migrated database to version: {count}"
    verdict = judged({"log": log, "database": {"versions": [*files]}}, (replace(part("main"), files=files),))
    assert verdict.verified
    assert [one.says for one in verdict.findings if one.fact == "log"] == [says]


def test_the_digest_of_a_job_is_what_its_node_ran() -> None:
    ran = f"registry.example.com/shop/cart@sha256:{'b' * 64}"
    verdict = judged({"container": {"imageID": ran}})
    (says,) = [one.says for one in verdict.findings if one.fact == "job"]
    assert says.endswith(" UTC, ran sha256:bbbbbbbbbbbb")


RUNBOOK = (Path(__file__).parents[2] / "docs" / "runbook.md").read_text()


def test_the_runbook_has_a_section_for_every_verdict_with_its_words() -> None:
    _, *sections = re.split(r"^## ", RUNBOOK, flags=re.MULTILINE)
    told = {head: text for head, _, text in (one.partition("\n") for one in sections)}
    assert list(told) == list(ADVICE)
    words = {"target": "SERVICE@ENV", "service": "SERVICE", "application": "APPLICATION", "lacking": "…", "said": "…"}
    for kind, advice in ADVICE.items():
        for line in (advice.true, advice.safe, *advice.todo):
            assert line.format(**words) in " ".join(told[kind].split()), kind


def test_a_sync_that_ends_otherwise_names_a_section_of_the_runbook() -> None:
    assert {*get_args(Section)} < {*ADVICE}
