"""What a sync does first, and how a run that ends lets go of what it follows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.application import Application, application
from schemas.errors import GanderError, NotVerified, Refused
from schemas.windows import Windows, windows
from tasks.sync.before import Ask, Resume, Wait, begin, closed, over
from tasks.sync.watch import Follows
from tests.argocd_standin.server import recorded

CASES: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "cases/sync/before.yaml").read_text())
SOURCES = {
    "several": {"sources": [{"path": "one"}, {"path": "two"}]},
    "chart": {"source": {"chart": "shop", "repoURL": "charts.example.com"}},
}


def there(case: dict[str, Any]) -> Application:
    """The Application of a case."""
    found = recorded("succeeded")
    spec = found["spec"]
    if case.get("automated"):
        spec["syncPolicy"] = {"automated": {}}
    if "source" in case:
        del spec["source"]
        spec |= SOURCES[case["source"]]
    if {"by", "run", "image", "commit"} & case.keys():
        found["operation"] = operation(case)
    if "ended" in case:
        found["status"]["operationState"]["operation"] = operation(case["ended"])
    return application(found)


def operation(case: dict[str, Any]) -> dict[str, Any]:
    """What was asked for."""
    told = {"gander-run": case.get("run"), "gander-image": case.get("image")}
    return {
        "initiatedBy": {"username": case.get("by", "")},
        "info": [{"name": name, "value": value} for name, value in told.items() if value],
        "sync": {
            "revision": case.get("commit", ""),
            "dryRun": case.get("dry", False),
            "resources": [{"kind": "Job", "name": "x"}] if case.get("partial") else [],
        },
    }


@pytest.mark.parametrize("name", CASES)
def test_what_comes_first(name: str) -> None:
    case = CASES[name]
    says, before = case.get("says", ""), case.get("before", "")
    if case["comes"] == "refused":
        with pytest.raises(Refused) as caught:
            begin(there(case), "a", {"1", "2"}, "shop@dev", before=before)
        assert says in caught.value.what
        return
    first = begin(there(case), "a", {"1", "2"}, "shop@dev", before=before)
    expected = {
        "ask": Ask(),
        "resume": Resume(run="r", commit=case.get("ended", case).get("commit", "")),
        "wait": Wait(whose=says),
    }
    assert first == expected[case["comes"]]


@pytest.mark.parametrize(
    ("case", "run"),
    [
        ({}, ""),
        ({"ended": {"run": "r"}}, "r"),
        ({"ended": {"run": "r"}, "run": "s"}, "r"),
        ({"ended": {"run": "r"}, "run": "r"}, ""),
    ],
    ids=["somebody else's was the last", "ours was", "another one is under way since", "it goes on, or is tried again"],
)
def test_which_run_was_over(case: dict[str, Any], run: str) -> None:
    told = {"ended": {}, **case}
    assert over(there(told)) == run


ALLOW = {"kind": "allow", "schedule": "0 9 * * *", "duration": "1h"}
DENY = {"kind": "deny", "schedule": "0 22 * * *", "duration": "8h"}


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"activeWindows": [DENY], "assignedWindows": [DENY, ALLOW]}, "closed from `0 22 * * *` on, for 8h"),
        ({"activeWindows": [{**DENY, "manualSync": True}], "assignedWindows": [ALLOW]}, "open only from `0 9 * * *`"),
        ({"assignedWindows": [ALLOW]}, "open only from `0 9 * * *` on, for 1h"),
        ({}, "Argo CD does not say which"),
    ],
)
def test_a_window_that_keeps_a_sync_closed_is_told_with_its_time(told: dict[str, Any], says: str) -> None:
    with pytest.raises(Refused) as caught:
        closed(windows({"canSync": False, **told}), "shop-dev", "shop@dev")
    assert says in caught.value.why
    closed(Windows(open=True), "shop-dev", "shop@dev")


def test_a_run_that_ends_says_how_each_operation_that_it_followed_is_taken_up() -> None:
    said: list[str] = []
    follows = Follows(said.append)
    with follows.following("done@dev", "run-1"):
        pass
    with pytest.raises(GanderError), follows.following("failed@dev", "run-2"):
        raise NotVerified("it failed")
    with pytest.raises(SystemExit), follows.following("shop@dev", "run-3"):
        raise SystemExit(130)
    follows.close()
    assert said == ["detached from run run-3: it goes on in Argo CD, or ends there\n  → doit sync:shop@dev"]
    with pytest.raises(NotVerified):
        follows.pause()
