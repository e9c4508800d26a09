from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.catalog import ArgoCD, Environment, GitOps
from schemas.errors import GanderError
from tasks.lint.finding import Finding
from tasks.plan.held import Asked
from tasks.plan.prospect import Facts, Prospect, foresee, linted, reading
from tasks.plan.report import document, markdown, text
from tasks.promote.image import Image
from tools.engine import Row
from tools.remote import Replica, Sight

CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "cases" / "prospect.yaml").read_text())
UNKNOWN = "an image that nobody promoted leaves open what would run"
COMMIT = "1f2e3d4c5b6a" + "0" * 28


def error(what: str | None) -> GanderError | None:
    return GanderError(what, todo="do something about it") if what else None


def environment(case: dict[str, Any]) -> dict[str, Any]:
    """What services.yaml says of dev."""
    return {
        "gitops": GitOps(repository=".", branch="main", push=case["push"]) if "push" in case else None,
        "argocd": ArgoCD(application=case["application"]) if "application" in case else None,
    }


def asked(given: dict[str, Any]) -> Asked:
    """A database that was asked, or why it was not."""
    found: Sight | GanderError | None = error(given.get("error"))
    if "tables" in given:
        tables = {name: tuple(Row(version=one, at=None) for one in held) for name, held in given["tables"].items()}
        found = Sight(replicas=(Replica(name="", tables=tables),), remarks=tuple(given.get("remarks", ())))
    return Asked(place="cart/cart@dev", variable="CART_URL", streams=frozenset(["goose_db_version"]), found=found)


def foreseen(case: dict[str, Any]) -> Prospect:
    image = Image("shop/cart:m-2", case.get("digest", "sha256:2"), COMMIT, case["then"]) if "then" in case else None
    return foresee(
        Facts(
            service="cart",
            environment=Environment(name="dev", servers={}, **environment(case)),
            image=error(case.get("no image")) or image,
            said=error(case.get("error")) or case.get("now", ""),
            before=case.get("before"),
            refusal=error(case.get("refusal")),
            asked={key: asked(given) for key, given in case.get("databases", {}).items()},
            left_out=case.get("left out", ()),
            waiting=case.get("waiting", ""),
        )
    )


@pytest.mark.parametrize("name", CASES)
def test_what_a_release_would_change(name: str) -> None:
    case, found = CASES[name], foreseen(CASES[name])
    assert found.code == case["code"]
    runs = found.runs
    assert (None if runs is None else {key: list(names) for key, names in runs.items()}) == case["runs"]
    assert list(found.notes) == case.get("notes", [])
    assert list(found.problems) == case.get("problems", [])
    if "todo" in case:
        assert list(found.todo) == case["todo"]
    assert bool(found.todo) == (found.code == 4 or "todo" in case)
    assert found.who == case.get("next", "you" if found.todo else "")


def test_the_report_for_a_person() -> None:
    case = CASES["new files would run, in their order"]
    assert list(text([foreseen(case)])) == [
        "cart@dev  would change",
        "  now   m-1",
        "  then  m-2, of 1f2e3d4c5b6a",
        "  cart: 2 migrations would run",
        "    2_b.sql",
        "    3_c.sql",
        "  next: you",
        "  → doit promote:cart@dev",
        "  → then a person syncs it in Argo CD",
    ]


def flawed(name: str = "the database decides what would run, whoever wrote the image down", **more: Any) -> Prospect:
    """A release of which lint has something to say."""
    place: dict[str, Any] = {"line": 4, "column": 1, "end_column": 0, "excerpt": "", "shift": 0, "instead": ""}
    finding = Finding(code="PG05", name="x", severity="warning", path="m/2_b.sql", message="It waits.", **place)
    return linted(foreseen(CASES[name]), {"cart": {"2_b.sql": [finding._replace(**more)]}})


def test_what_lint_finds_in_a_file_that_would_run_stands_below_it() -> None:
    assert list(text([flawed()]))[3:6] == [
        "  cart: 1 migration would run; the database holds 1 version, the newest 1",
        "    2_b.sql",
        "      4: warning PG05: It waits.",
    ]
    assert "- cart@dev: `cart/2_b.sql:4` warning PG05: It waits." in list(markdown([flawed()]))
    document_of = document(flawed())
    assert (document_of["findings"][0]["file"], document_of["held"]) == ("2_b.sql", {"cart": [1]})


def test_an_error_of_lint_is_in_the_way_of_an_image_that_is_not_built_and_of_no_other() -> None:
    wrong = flawed("an image that is not in the registry is built first", severity="error")
    assert list(wrong.problems) == ["no image is made of it: lint finds an error in cart/2_b.sql"]
    assert (wrong.code, wrong.who, wrong.todo) == (1, "you", ["correct it and commit, then doit image:cart"])
    assert flawed(severity="error").code == 4
    assert flawed("an image that is not in the registry is built first").code == 4


def test_why_a_service_may_not_go_out_beside_what_it_only_reads_is_told() -> None:
    done = foreseen(CASES["a service without migrations has nothing to do"])
    refused = reading(done, [GanderError("shop/cart@dev lacks 2_b.sql", todo="doit deploy:cart@dev\nthen again")])
    assert list(refused.notes)[1:] == ["shop/cart@dev lacks 2_b.sql: doit deploy:cart@dev"]
    assert refused.code == 0
    assert list(reading(done, []).notes) == list(done.notes)


def test_what_somebody_pushed_reaches_no_terminal_as_it_is() -> None:
    hostile = foreseen({**CASES[UNKNOWN], "now": "shop/cart:\x1b[2J|x"})
    shown = [*text([hostile]), *markdown([hostile])]
    assert "\x1b" not in "".join(shown)
    assert "  now   shop/cart:\ufffd[2J|x" in shown
    assert any("`shop/cart:\ufffd[2J\\|x`" in line for line in shown)


def test_the_report_for_a_pull_request() -> None:
    names = (
        "new files would run, in their order",
        "a file with another content is told, for goose does not run it again",
    )
    assert list(markdown([foreseen(CASES[name]) for name in names])) == [
        "| release | now | then | migrations that would run | next |",
        "|---|---|---|---|---|",
        "| cart@dev | `m-1` | `m-2` | `cart/2_b.sql`<br>`cart/3_c.sql` | you |",
        "| cart@dev | `m-1` | `m-2` | none | you |",
        "",
        "- cart@dev: next: doit promote:cart@dev; then a person syncs it in Argo CD",
        "- cart@dev: cart/1_a.sql is changed: goose does not run it again",
        "- cart@dev: next: doit promote:cart@dev; then a person syncs it in Argo CD",
    ]
