"""`doit history`: the releases that Argo CD remembers, with what they hold and what was verified of them."""

from __future__ import annotations

import re
from pathlib import Path

from tests.argocd_standin.server import Fault
from tests.journeys.yard import Yard, fixture_well, fixture_yard

__all__ = ["fixture_well", "fixture_yard"]


def test_the_history_tells_releases_with_what_they_hold_and_what_was_verified(yard: Yard, tmp_path: Path) -> None:
    status = yard.world.applications["shop-dev"]["status"]
    (deployed,) = status["history"]
    begun = yard.world.state("shop-dev")["startedAt"]
    older = {
        **deployed,
        "revision": yard.before,
        "deployedAt": "2026-11-22T04:56:48Z",
        "initiatedBy": {"automated": True},
    }
    lost = {**deployed, "revision": "0" * 40, "deployedAt": "2026-11-21T04:56:48Z"}
    status["history"] = [lost, older, deployed | {"revision": yard.promoted, "deployStartedAt": begun}]
    yard.mono.fine("verify:shop@dev", f"evidence={tmp_path}/kept", **yard.variables)
    (tmp_path / "kept" / "other.json").write_text("[]")
    done = yard.mono.fine("history:shop@dev", f"evidence={tmp_path}/kept", **yard.variables)
    head, first, what, proof, second, before, third, unknown = done.stdout.splitlines()
    assert head == "shop@dev"
    assert first == f"  2026-11-23 04:56:48 UTC  deployer  {yard.promoted[:12]}"
    assert what == f"    m-0123456789abcdef, of {yard.before[:12]}, main to 2"
    assert re.fullmatch(r"    verified, 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC by .+", proof)
    assert second == f"  2026-11-22 04:56:48 UTC  automated sync  {yard.before[:12]}"
    assert before == "    m-fedcba9876543210"
    assert third == "  2026-11-21 04:56:48 UTC  deployer  000000000000"
    assert unknown == "    origin/main has no such commit"
    assert "other.json is no evidence of an operation, and passed over" in done.stderr


def test_a_history_that_cannot_be_asked_for_is_told_for_that_service_alone(yard: Yard) -> None:
    yard.world.faults.append(Fault(status=401))
    done = yard.mono.doit("history:shop@dev", **yard.variables)
    assert done.returncode == 1
    assert "does not take the token of SHOP_TOKEN" in done.stdout
