from __future__ import annotations

from typing import Any, cast

from schemas.target import Target
from tasks.verify.looks import NOW, Look, Looks

LOOK = cast("Any", Look)("release", "gathered")
SYNC = Target(step="sync", service="shop", environment="dev")
VERIFY = SYNC._replace(step="verify")


def test_what_was_just_seen_is_judged_once() -> None:
    looks = Looks(clock=lambda: 100.0)
    looks.keep(SYNC, LOOK, 100.0)
    assert looks.take(VERIFY._replace(environment="qa")) is None
    assert looks.take(VERIFY._replace(service="cart")) is None
    assert looks.take(VERIFY) is LOOK
    assert looks.take(VERIFY) is None


def test_what_was_seen_a_while_ago_is_looked_at_again() -> None:
    looks = Looks(clock=lambda: 100.0 + NOW + 0.1)
    looks.keep(SYNC, LOOK, 100.0)
    assert looks.take(VERIFY) is None
