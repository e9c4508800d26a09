from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.catalog import Environment
from schemas.errors import GanderError, Refused
from tasks.promote.image import Image, Streams
from tasks.promote.judgement import Facts, Wanted, answer, answer_after, refuse
from tasks.promote.message import LISTED, message
from tasks.promote.qualify import Before, Qualified, qualify

CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "cases" / "promote.yaml").read_text())
COMMIT = "1f2e3d4c5b6a" + "0" * 28
REFERENCE = "registry.example.com/shop/cart:m-0123456789abcdef"


@pytest.mark.parametrize("name", CASES["refuse"])
def test_may_it_go_there(name: str) -> None:
    case = CASES["refuse"][name]
    given = case["facts"]
    environment = Environment(name="dev", servers={}, **given.get("environment", {}))
    known = {"digest": "sha256:1", **given, "environment": environment}
    for word, holds in (("qualified", True), ("lacking", False)):
        if word in given:
            known["qualified"] = Qualified(holds=holds, says=str(known.pop(word)))
    facts = Facts(service="cart", commit=COMMIT, reference=REFERENCE, **known)
    if "says" not in case:
        refuse(facts)
        return
    with pytest.raises(Refused) as raised:
        refuse(facts)
    assert case["says"] in str(raised.value)


@pytest.mark.parametrize("name", CASES["answer"])
def test_is_there_anything_to_do(name: str) -> None:
    case = CASES["answer"][name]
    environment = Environment(name="dev", servers={})
    image = Image(REFERENCE, case.get("digest", "sha256:1"), COMMIT, {})
    said = GanderError(case["error"]) if "error" in case else case["said"]
    assert answer(environment, image, said) == (case["is"], case["because"], None)


@pytest.mark.parametrize("name", CASES["qualify"])
def test_has_the_environment_before_verified_it(name: str) -> None:
    case = CASES["qualify"][name]
    files = case.get("files", {"cart": {"1_a.sql": "a", "2_b.sql": "b"}})
    theirs = case.get("theirs", files)
    image = Image("shop/cart:m-2", case.get("digest", "sha256:2"), COMMIT, files)
    there = case.get("qa", "shop/cart:m-2@sha256:2")
    before = Before(
        environment="qa",
        verified=case.get("verified", bool(there)),
        says=case.get("verdict", ""),
        image=there,
        streams=theirs,
        labelled=case.get("theirs labelled", theirs),
    )
    found = qualify(image, case.get("labelled", files), case.get("named", "shop/cart:m-2@sha256:2"), before)
    assert found == Qualified(holds=case.get("holds", False), says=found.says)
    assert found.says.startswith(case["says"])


@pytest.mark.parametrize("name", CASES["answer after"])
def test_has_it_what_it_is_to_have(name: str) -> None:
    case = CASES["answer after"][name]
    wanted: Wanted | GanderError = Wanted(image=case.get("wanted", ""), tag=case.get("tag", ""))
    if "error" in case:
        wanted = GanderError(case["error"])
    said = case["said"] if "said" in case else GanderError("no such branch")
    found = answer_after(Environment(name="dev", servers={}), wanted, said, ours=case.get("ours", True))
    assert found == (case["is"], case["because"], None)


def test_a_service_without_migrations_has_nothing_to_promote() -> None:
    assert answer(Environment(name="dev", servers={}), None, "").up_to_date is True


def test_without_an_image_nothing_is_known() -> None:
    environment = Environment(name="dev", servers={})
    assert answer(environment, Refused("no migrations"), "").because == "not known: no migrations"


@pytest.mark.parametrize("name", CASES["message"])
def test_the_message_of_the_commit(name: str) -> None:
    case = CASES["message"][name]
    subject, body = said(case["streams"], case.get("before"), case.get("more", {}))
    assert subject == "chore(cart): promote m-0123456789abcdef to dev"
    tail = [f"Image: {REFERENCE}@sha256:1", f"Commit: {COMMIT}", *case.get("tail", [])]
    assert body == "\n".join([*case["body"], "", *tail])


def test_a_long_history_is_not_named_whole() -> None:
    files = [f"{number}_x.sql" for number in range(1, LISTED + 11)]
    _, body = said({"cart": files}, None, {})
    assert "\n  10 more, from 1_x.sql\n  11_x.sql\n" in body
    assert body.count(".sql") == LISTED + 1


def hashed(streams: dict[str, list[str]]) -> Streams:
    return {key: dict.fromkeys(names, "") for key, names in streams.items()}


def said(streams: dict[str, list[str]], before: dict[str, list[str]] | None, more: dict[str, str]) -> tuple[str, str]:
    return message(
        service="cart",
        environment="dev",
        image=f"{REFERENCE}@sha256:1",
        commit=COMMIT,
        streams=hashed(streams),
        before=None if before is None else hashed(before),
        more=more,
    )
