"""`doit status` of what Argo CD rolls out: the last sync, the application's health, and verified or why not."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.argocd_standin.server import TOKEN, Fault
from tests.journeys.conftest import ROOT, Monorepo
from tests.journeys.fleet import fleet
from tests.journeys.yard import Yard, fixture_well, fixture_yard
from tests.playground import git

__all__ = ["fixture_well", "fixture_yard"]

SCHEMA = json.loads((ROOT / "schemas" / "status.schema.json").read_text())
HEADER = ["release", "last sync", "by", "phase", "commit", "application", "verdict"]
WHEN = "2026-11-23 04:56:49"


def rollouts(shown: str) -> tuple[list[str], list[str]]:
    """The cells of the one release, and the lines below its table."""
    head, row, *below = shown[shown.index("release  ") :].splitlines()
    assert re.split(r" {2,}", head) == HEADER
    return re.split(r" {2,}", row), below


def well(yard: Yard) -> None:
    """The recorded application is still progressing; this one is not."""
    status = yard.world.applications["shop-dev"]["status"]
    status["health"], status["resources"] = {"status": "Healthy"}, []


def test_a_release_that_went_well_is_verified_with_its_last_sync_and_health(yard: Yard) -> None:
    well(yard)
    done = yard.mono.fine("status:shop@dev", **yard.variables)
    cells, below = rollouts(done.stdout)
    assert cells == ["shop@dev", WHEN, "deployer", "Succeeded", yard.promoted[:12], "Healthy", "verified"]
    assert below == []
    assert "all at head, all verified" in done.stderr


def test_a_release_of_a_service_that_only_reads_is_that_of_the_owner(yard: Yard) -> None:
    cells, _ = rollouts(yard.mono.doit("status:idle@dev", **yard.variables).stdout)
    assert (cells[0], cells[-1]) == ("shop@dev", "verified")


def test_what_is_not_verified_says_why_and_what_to_type_and_fails(yard: Yard) -> None:
    well(yard)
    yard.world.jobs.clear()
    done = yard.mono.doit("status:shop@dev", **yard.variables)
    cells, below = rollouts(done.stdout)
    assert (done.returncode, cells[-1]) == (1, "job-gone")
    assert below == [
        "shop@dev: not proved: the Job cannot be looked at. it is not there",
        "  → doit sync:shop@dev",
        "  see docs/runbook.md#job-gone",
    ]
    assert "1 of 1 releases not verified" in done.stderr


def test_what_was_verified_without_a_fact_is_not_called_verified(yard: Yard) -> None:
    well(yard)
    yard.world.faults.append(Fault(status=403, on="/logs"))
    file = yard.mono.root / "services.yaml"
    before = file.read_text()
    try:
        required = "    require: [operation, hook, job, database]\n    namespace: auth\n"
        file.write_text(before.replace("    namespace: auth\n", required))
        done = yard.mono.fine("status:shop@dev", **yard.variables)
    finally:
        file.write_text(before)
    cells, below = rollouts(done.stdout)
    assert cells[-1] == "verified-without"
    assert below[0].startswith("shop@dev: verified without: log of shop-migrate")
    assert "1 of 1 verified without a fact that nobody could see" in done.stderr
    assert "all verified" not in done.stderr


def test_a_failed_migration_is_told_whole_though_its_words_have_several_lines(yard: Yard) -> None:
    state = yard.world.state("shop-dev")
    state["phase"] = "Failed"
    hook = next(one for one in state["syncResult"]["resources"] if one["kind"] == "Job")
    hook |= {"hookPhase": "Failed", "message": "Job has reached the specified backoff limit"}
    (pod,) = yard.world.logs
    yard.world.logs[pod] = "2026/11/23 04:56:47 goose run: ERROR 00002_b.sql: failed to run SQL migration: no\n"
    cells, below = rollouts(yard.mono.doit("status:shop@dev", **yard.variables).stdout)
    assert (cells[3], cells[-1]) == ("Failed", "hook-failed")
    assert "Job has reached the specified backoff limit" in below[0]
    assert "00002_b.sql" in below[1]
    assert "  see docs/runbook.md#hook-failed" in below


def test_an_operation_that_runs_is_told_with_who_asked(yard: Yard) -> None:
    application, state = yard.world.applications["shop-dev"], yard.world.state("shop-dev")
    application["operation"] = state["operation"]
    state["phase"] = "Running"
    del state["finishedAt"]
    cells, _ = rollouts(yard.mono.doit("status:shop@dev", **yard.variables).stdout)
    assert cells[1:4] == ["2026-11-23 04:56:45", "deployer", "Running"]
    assert cells[-1] == "running"


def test_a_requested_operation_that_nobody_has_taken_is_no_success(yard: Yard) -> None:
    application = yard.world.applications["shop-dev"]
    application["operation"] = yard.world.state("shop-dev")["operation"] | {"info": []}
    cells, _ = rollouts(yard.mono.doit("status:shop@dev", **yard.variables).stdout)
    assert (cells[3], cells[-1]) == ("Requested", "other-operation")


def test_one_that_was_never_synced_has_no_last_sync(yard: Yard) -> None:
    del yard.world.applications["shop-dev"]["status"]["operationState"]
    cells, below = rollouts(yard.mono.doit("status:shop@dev", **yard.variables).stdout)
    assert cells[1:5] == ["-", "-", "-", "-"]
    assert cells[-1] == "never-synced"
    assert "  → doit sync:shop@dev" in below


def test_an_unhealthy_application_is_named_and_the_database_is_verified_all_the_same(yard: Yard) -> None:
    status = yard.world.applications["shop-dev"]["status"]
    status["health"] = {"status": "Degraded"}
    done = yard.mono.fine("status:shop@dev", **yard.variables)
    cells, below = rollouts(done.stdout)
    assert cells[-2:] == ["Degraded", "verified"]
    assert below[0].startswith("shop@dev: the application is Degraded: ")


@pytest.mark.parametrize(
    ("fault", "set_to", "says"),
    [
        (Fault(status=401), TOKEN, "does not take the token of SHOP_TOKEN"),
        (None, "", "there is no token for"),
    ],
    ids=["the token is refused", "there is no token"],
)
def test_an_argo_cd_that_does_not_answer_leaves_the_rest_and_says_what_to_do(
    yard: Yard, fault: Fault | None, set_to: str, says: str
) -> None:
    yard.world.faults += [fault] if fault else []
    done = yard.mono.doit("status:shop@dev", **yard.variables | {"SHOP_TOKEN": set_to})
    cells, below = rollouts(done.stdout)
    assert cells == ["shop@dev", *"??????"]
    assert says in below[0]
    assert any("export SHOP_TOKEN=TOKEN" in line for line in below)
    assert "at head, 2 files applied" in done.stdout
    assert (done.returncode, "1 of 1 releases not known" in done.stderr) == (1, True)


def test_where_nothing_was_promoted_there_is_nothing_to_verify(yard: Yard) -> None:
    """The Application may have been synced before, by hand."""
    root = yard.mono.root
    try:
        (root / "services" / "shop" / "values.yaml").write_text('migrations:\n  image: ""\n')
        git(root, "commit", "--quiet", "-am", "nothing")
        git(root, "push", "--quiet")
        cells, below = rollouts(yard.mono.doit("status:shop@dev", **yard.variables).stdout)
    finally:
        git(root, "reset", "--quiet", "--hard", yard.promoted)
        git(root, "push", "--quiet", "--force")
    assert (cells[1], cells[-1], below) == (WHEN, "-", [])


def test_the_document_says_the_same(yard: Yard) -> None:
    well(yard)
    yard.world.jobs.clear()
    document: Any = json.loads(yard.mono.doit("status:shop@dev", "format=json", **yard.variables).stdout)
    jsonschema.validate(document, SCHEMA)
    rollout = document["releases"][0]["rollout"]
    assert (rollout["verified"], rollout["verdict"], rollout["health"]) == (False, "job-gone", "Healthy")
    assert (rollout["at"], rollout["commit"]) == ("2026-11-23T04:56:49+00:00", yard.promoted)
    assert rollout["todo"] == ["doit sync:shop@dev"]


def test_local_asks_no_argo_cd(yard: Yard) -> None:
    yard.mono.doit("status", **yard.variables)
    assert yard.world.asked == []


def test_an_argo_cd_that_is_away_is_told_once_for_all_services(empty_server: Monorepo, tmp_path: Path) -> None:
    with fleet(empty_server, tmp_path, ("bread", "cheese")) as made:
        file = made.mono.root / "services.yaml"
        file.write_text(file.read_text().replace(made.argocd.url, "http://127.0.0.1:1"))
        done = made.mono.doit("status@dev", **made.variables())
    assert done.stdout.count("127.0.0.1:1 cannot be reached") == 1
    assert "bread@dev, cheese@dev: 127.0.0.1:1 cannot be reached" in done.stdout
    assert "2 of 2 releases not known" in done.stderr
