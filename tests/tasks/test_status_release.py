"""How a release stands, decided from what git, the registry and the values file say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.errors import GanderError
from tasks.promote.history import Earlier
from tasks.status.release import Head, stand

CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "cases" / "releases.yaml").read_text())
COMMIT = "1f2e3d4c5b6a" + "0" * 28


@pytest.mark.parametrize("name", CASES)
def test_a_release(name: str) -> None:
    case = CASES[name]
    digest = GanderError(case["registry"]) if "registry" in case else case.get("digest", "sha256:2")
    head = GanderError(case["no head"]) if "no head" in case else Head("shop/cart:m-2", digest, case["head"])
    said = GanderError(case["error"]) if "error" in case else case["said"]
    earlier = Earlier(COMMIT, case["before"]) if "before" in case else Earlier("", None)
    found = stand("cart", "dev", head, said, earlier)
    pending = found.pending("cart")
    assert {
        "promoted": found.promoted,
        "version": found.version("cart"),
        "newest": found.newest("cart"),
        "pending": None if pending is None else list(pending),
    } == case["is"]
    assert list(found.problems) == case.get("problems", [])
    assert found.commit == (COMMIT if "before" in case else "")
