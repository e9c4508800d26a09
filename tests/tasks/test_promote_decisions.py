from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.catalog import Environment
from schemas.errors import GanderError, Refused
from tasks.promote.image import Image, Streams
from tasks.promote.judgement import Facts, answer, refuse
from tasks.promote.message import LISTED, message

CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "cases" / "promote.yaml").read_text())
COMMIT = "1f2e3d4c5b6a" + "0" * 28
REFERENCE = "registry.example.com/shop/cart:m-0123456789abcdef"


@pytest.mark.parametrize("name", CASES["refuse"])
def test_may_it_go_there(name: str) -> None:
    case = CASES["refuse"][name]
    given = case["facts"]
    environment = Environment(name="dev", servers={}, **given.get("environment", {}))
    known = {"digest": "sha256:1", **given, "environment": environment}
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
    environment = Environment(name="dev", servers={}, after=case.get("after"))
    image = Image(REFERENCE, case.get("digest", "sha256:1"), COMMIT, {})
    said = GanderError(case["error"]) if "error" in case else case["said"]
    assert answer(environment, image, said) == (case["is"], case["because"], None)


def test_a_service_without_migrations_has_nothing_to_promote() -> None:
    assert answer(Environment(name="dev", servers={}), None, "").up_to_date is True


def test_without_an_image_nothing_is_known() -> None:
    environment = Environment(name="dev", servers={})
    assert answer(environment, Refused("no migrations"), "").because == "not known: no migrations"


@pytest.mark.parametrize("name", CASES["message"])
def test_the_message_of_the_commit(name: str) -> None:
    case = CASES["message"][name]
    subject, body = said(case["streams"], case.get("before"))
    assert subject == "chore(cart): promote m-0123456789abcdef to dev"
    tail = f"Image: {REFERENCE}@sha256:1\nCommit: {COMMIT}"
    assert body == "\n".join([*case["body"], "", tail])


def test_a_long_history_is_not_named_whole() -> None:
    files = [f"{number}_x.sql" for number in range(1, LISTED + 11)]
    _, body = said({"cart": files}, None)
    assert "\n  10 more, from 1_x.sql\n  11_x.sql\n" in body
    assert body.count(".sql") == LISTED + 1


def hashed(streams: dict[str, list[str]]) -> Streams:
    return {key: dict.fromkeys(names, "") for key, names in streams.items()}


def said(streams: dict[str, list[str]], before: dict[str, list[str]] | None) -> tuple[str, str]:
    return message(
        service="cart",
        environment="dev",
        image=f"{REFERENCE}@sha256:1",
        commit=COMMIT,
        streams=hashed(streams),
        before=None if before is None else hashed(before),
    )
