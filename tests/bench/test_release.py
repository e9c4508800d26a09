from __future__ import annotations

import re

from tests import registries
from tests.bench.conftest import Bench

SERVICES = 2


def test_a_deploy_with_nothing_left_to_do_verifies_all_and_its_requests_are_counted(bench: Bench) -> None:
    registries.program()
    words = ("release", "--services", str(SERVICES), "--files", "2", "--rounds", "1")
    told = bench(*words)
    counted = re.findall(r"^ +(\d+) (.+), \d+\.\d\d a service", told, re.MULTILINE)
    warm, measured = counted[: len(counted) // 2], counted[len(counted) // 2 :]
    assert warm == measured, "a pair to warm up and a pair that counts"
    asked = {kind: int(number) for number, kind in measured}
    assert asked.pop("in all") == sum(asked.values())
    assert {kind: number // SERVICES for kind, number in asked.items()} == {
        "Argo CD GET application": 1,
        "Argo CD GET logs": 1,
        "Argo CD GET resource": 2,
        "Argo CD GET resource-tree": 1,
        "database connections": 1,
        "registry HEAD": 1,
    }, "one request a fact: the Job and its pod are a resource each"
    assert f"doit deploy@dev, {SERVICES} services released" in told
