"""Which Prisma pulls, decided from what is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.errors import Refused
from tasks.prisma.choice import choose, words
from tools.node_modules import Installed

CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "cases" / "prisma_choice.yaml").read_text())
PROGRAM = Path("node_modules/prisma/build/index.js")


@pytest.mark.parametrize("name", CASES)
def test_who_pulls_when(name: str) -> None:
    case = CASES[name]
    told = dict(case["found"])
    own = PROGRAM if told.pop("program", False) else None
    found = Installed(program=own, **{**told, "locks": tuple(told.get("locks", ()))})
    if "refuses" in case:
        what, todo = case["refuses"]
        with pytest.raises(Refused) as refused:
            choose(found, "6.19.3")
        assert what in refused.value.what
        assert todo in refused.value.todo
        return
    chosen = choose(found, "6.19.3")
    assert words(chosen, found, "6.19.3") == case["says"]
    assert chosen.native is case.get("native", False)
    assert chosen.own == (own if "the monorepo's Prisma" in case["says"] else None)
