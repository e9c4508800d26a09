from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.catalog import Environment
from schemas.errors import GanderError
from tasks.plan.prospect import Facts, Prospect, foresee
from tasks.plan.report import markdown, text
from tasks.promote.image import Image

CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "cases" / "prospect.yaml").read_text())
COMMIT = "1f2e3d4c5b6a" + "0" * 28


def error(what: str | None) -> GanderError | None:
    return GanderError(what, todo="do something about it") if what else None


def foreseen(case: dict[str, Any]) -> Prospect:
    image = Image("shop/cart:m-2", case.get("digest", "sha256:2"), COMMIT, case["then"]) if "then" in case else None
    return foresee(
        Facts(
            service="cart",
            environment=Environment(name="dev", servers={}),
            image=error(case.get("no image")) or image,
            said=error(case.get("error")) or case.get("now", ""),
            before=case.get("before"),
            refusal=error(case.get("refusal")),
        )
    )


@pytest.mark.parametrize("name", CASES)
def test_what_a_release_would_change(name: str) -> None:
    case, found = CASES[name], foreseen(CASES[name])
    assert found.code == case["code"]
    assert (None if found.runs is None else dict(found.runs)) == case["runs"]
    assert list(found.notes) == case.get("notes", [])
    assert list(found.problems) == case.get("problems", [])
    if "todo" in case:
        assert list(found.todo) == case["todo"]
    assert bool(found.todo) == (found.code == 4 or "todo" in case)


def test_the_report_for_a_person() -> None:
    case = CASES["new files would run, in their order"]
    assert list(text([foreseen(case)])) == [
        "cart@dev  would change",
        "  now   m-1",
        "  then  m-2, of 1f2e3d4c5b6a",
        "  cart: 2 migrations would run",
        "    2_b.sql",
        "    3_c.sql",
        "  → doit promote:cart@dev",
        "  → then a person syncs it in Argo CD",
    ]


def test_the_report_for_a_pull_request() -> None:
    names = (
        "new files would run, in their order",
        "a file with another content is told, for goose does not run it again",
    )
    assert list(markdown([foreseen(CASES[name]) for name in names])) == [
        "| release | now | then | migrations that would run |",
        "|---|---|---|---|",
        "| cart@dev | `m-1` | `m-2` | `cart/2_b.sql`<br>`cart/3_c.sql` |",
        "| cart@dev | `m-1` | `m-2` | none |",
        "",
        "- cart@dev: cart/1_a.sql is changed: goose does not run it again",
    ]
