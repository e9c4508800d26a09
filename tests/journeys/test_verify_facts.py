"""False success is the one error that must not be: whatever two facts are not as they should be, nothing is verified.

One release for each fact that is missing, stale or wrong, and for each two of them, all verified by one command.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from subprocess import CompletedProcess
from typing import Any

import jsonschema
import pytest

from tests.argocd_standin.server import TOKEN
from tests.journeys.conftest import ROOT, Monorepo, ran
from tests.journeys.fleet import Fleet, fleet
from tests.journeys.wrong import FACTS, WRONG

SCHEMA = json.loads((ROOT / "schemas" / "evidence.schema.json").read_text())
GOOD = "all-well"


def fact(name: str) -> str:
    return name.partition("-")[0]


PAIRS = [pair for pair in itertools.combinations(WRONG, 2) if fact(pair[0]) != fact(pair[1])]
CASES = {"-and-".join(names): names for names in [*((one,) for one in WRONG), *PAIRS]}


@pytest.fixture(scope="module", name="fleet")
def fixture_fleet(empty_server: Monorepo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with fleet(empty_server, tmp_path_factory.mktemp("facts"), [GOOD, *CASES]) as made:
        for service, names in CASES.items():
            for name in names:
                WRONG[name](made.places[service])
        yield made


@pytest.fixture(scope="module", name="done")
def fixture_done(fleet: Fleet) -> CompletedProcess[str]:
    unknown = [service for service, names in CASES.items() if "database-missing" in names]
    variables = fleet.variables(*unknown)
    return fleet.mono.doit("run", "--continue", "verify:*@dev", f"evidence={fleet.mono.root}/kept", **variables)


@pytest.fixture(scope="module", name="kept")
def fixture_kept(fleet: Fleet, done: CompletedProcess[str]) -> dict[str, Any]:
    """The evidence of each service."""
    assert done.returncode == 1
    documents = [json.loads(file.read_text()) for file in (fleet.mono.root / "kept").iterdir()]
    return {one["service"]: one for one in documents}


@pytest.fixture(scope="module", name="told")
def fixture_told(done: CompletedProcess[str]) -> dict[str, str]:
    """The verdict that the command gave on each that is not verified, by service."""
    found = re.findall(r"^✗ verify:(\S+)@dev +failed .*\n((?:  .*\n)+)", done.stderr, re.MULTILINE)
    return dict(found)


UNSEEN = {
    *("job-missing", "log-missing", "database-missing", "job-missing-and-log-missing"),
    *("job-missing-and-database-missing", "log-missing-and-database-missing"),
    *("job-missing-and-log-stale", "job-missing-and-log-wrong"),  # a log goes with its Job
}


@pytest.fixture(scope="module", name="lax")
def fixture_lax(fleet: Fleet, done: CompletedProcess[str]) -> CompletedProcess[str]:
    """The same releases in an environment that leaves out as much as can be, after they were judged by all five."""
    assert done.returncode == 1
    for service, names in CASES.items():
        if "operation-missing" in names:
            WRONG["operation-missing"](fleet.places[service])
    file = fleet.mono.root / "services.yaml"
    strict = file.read_text()
    file.write_text(strict.replace("namespace: auth", "namespace: auth\n    require: [operation, hook]"))
    try:
        variables = fleet.variables(*(service for service, names in CASES.items() if "database-missing" in names))
        return fleet.mono.doit("run", "--continue", "verify:*@dev", f"evidence={fleet.mono.root}/lax", **variables)
    finally:
        file.write_text(strict)


def lacking(document: Any) -> set[str]:
    return {one["fact"] for one in document["facts"] if one["holds"] is not True}


def test_the_matrix_has_each_fact_missing_stale_and_wrong_and_every_two_of_them() -> None:
    assert set(WRONG) == {f"{one}-{how}" for one in FACTS for how in ("missing", "stale", "wrong")}
    assert (len(PAIRS), len(CASES)) == (90, 105)


def test_of_all_releases_only_the_one_that_went_well_is_verified(
    done: CompletedProcess[str], kept: dict[str, Any], told: dict[str, str]
) -> None:
    assert ran(done) == [f"verify:{GOOD}@dev"]
    assert re.findall(r"^. (verify:\S+) +verified:", done.stderr, re.MULTILINE) == [f"verify:{GOOD}@dev"]
    assert f"1 ran, 0 up to date, {len(CASES)} failed" in done.stderr
    assert [name for name, one in kept.items() if one["verified"] or one["verdict"] == "verified"] == [GOOD]
    assert lacking(kept[GOOD]) == set()
    assert kept[GOOD]["built"] is None  # nobody wrote it down
    assert set(told) == set(CASES)
    assert TOKEN not in done.stdout + done.stderr


@pytest.mark.parametrize("service", CASES)
def test_evidence_and_verdict_name_each_fact_that_does_not_hold(
    service: str, kept: dict[str, Any], told: dict[str, str]
) -> None:
    document, verdict = kept[service], told[service]
    jsonschema.validate(document, SCHEMA)
    alone = [lacking(kept[name]) for name in CASES[service]]
    assert lacking(document) == set().union(*alone)
    assert {fact(name) for name in CASES[service]} <= lacking(document)
    (named,) = re.findall(r"^ +lacking: (.*)$", verdict, re.MULTILINE)
    assert set(re.findall(r"(\w+) of ", named)) == lacking(document)
    assert re.match(r"  (not proved|failed)", verdict)
    assert re.search(rf"^ +→ doit .*:{service}", verdict, re.MULTILINE)


def test_where_facts_may_be_left_out_those_that_nobody_can_see_are_forgiven_and_nothing_that_is_wrong(
    fleet: Fleet, lax: CompletedProcess[str]
) -> None:
    assert (lax.returncode, ran(lax)) == (1, [f"verify:{GOOD}@dev"])
    assert f"{1 + len(UNSEEN)} ran, 0 up to date, {len(CASES) - len(UNSEEN)} failed" in lax.stderr
    documents = [json.loads(file.read_text()) for file in (fleet.mono.root / "lax").iterdir()]
    kept = {one["service"]: one for one in documents}
    for document in documents:
        jsonschema.validate(document, SCHEMA)
    assert [name for name, one in kept.items() if one["verified"]] == [GOOD]
    assert {name for name, one in kept.items() if one["left_out"]} == UNSEEN
    for name in UNSEEN:
        assert kept[name]["verdict"] == "verified-without"
        assert {*kept[name]["left_out"]} == lacking(kept[name])
        told = ", ".join(kept[name]["left_out"])
        assert re.search(rf"^! verify:{name}@dev +verified without {told}: 2 versions of ", lax.stderr, re.MULTILINE)


def test_one_release_alone_ends_as_it_does_among_others(fleet: Fleet) -> None:
    done = fleet.mono.fine(f"verify:{GOOD}@dev", **fleet.variables())
    assert "verified: 2 versions of " in done.stderr
    done = fleet.mono.doit("verify:job-stale-and-database-stale@dev", **fleet.variables())
    assert done.returncode == 1
    assert "0 ran, 0 up to date, 1 failed" in done.stderr


def test_status_calls_nothing_verified_that_verify_does_not(fleet: Fleet) -> None:
    unknown = [service for service, names in CASES.items() if "database-missing" in names]
    for service, names in CASES.items():
        for name in names:
            if name == "operation-missing":  # what is not there for one question alone
                WRONG[name](fleet.places[service])
    done = fleet.mono.doit("status@dev", "format=json", **fleet.variables(*unknown))
    found = {one["service"]: one["rollout"] for one in json.loads(done.stdout)["releases"]}
    assert found.keys() == {GOOD, *CASES}
    assert [service for service, one in found.items() if one["verified"] or one["verdict"] == "verified"] == [GOOD]
    assert done.returncode == 1
