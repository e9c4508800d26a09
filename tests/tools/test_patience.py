from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import httpx
import pytest

from tools.patience import AWAY, Patience

BUSY = frozenset((429, 503))
REFUSED, BROKEN = httpx.ConnectError("refused"), httpx.ReadError("broken")


class Answer(NamedTuple):
    status: int
    headers: httpx.Headers = httpx.Headers()


FINE, ASIDE = Answer(200), Answer(503)


class Asked:
    """A server that answers by a script, the last line of it again and again; and a clock that pauses move."""

    def __init__(self, *script: Answer | Exception) -> None:
        self.script, self.count, self.pauses, self.now = list(script), 0, list[float](), 0.0
        self.patience = Patience(attempts=4, longest=10.0, pause=self._pause, clock=lambda: self.now)

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def _exchange(self) -> Answer:
        self.count += 1
        told = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(told, Exception):
            raise told
        return told

    def ask(self, *, once: bool = False) -> int:
        return self.patience.answer(self._exchange, BUSY, once=once).status

    def fails(self, *, once: bool = False) -> str:
        with pytest.raises(httpx.TransportError) as caught:
            self.ask(once=once)
        return str(caught.value)


@pytest.mark.parametrize("trouble", [REFUSED, BROKEN, ASIDE, httpx.ConnectTimeout("late")])
def test_what_fails_for_a_moment_is_asked_again(trouble: Answer | Exception) -> None:
    asked = Asked(trouble, FINE)
    assert asked.ask() == 200
    assert asked.count == 2


def test_pauses_get_longer_and_a_server_says_how_long() -> None:
    asked = Asked(ASIDE, ASIDE, Answer(429, httpx.Headers({"Retry-After": "7"})), FINE)
    assert asked.ask() == 200
    assert 0.5 <= asked.pauses[0] <= 1.0 <= asked.pauses[1] <= 2.0
    assert asked.pauses[2] == 7.0


def test_a_server_that_stays_busy_is_believed_at_last() -> None:
    asked = Asked(ASIDE)
    assert asked.ask() == 503
    assert asked.count == 4


def test_a_server_that_nobody_has_heard_is_given_up_soon_and_one_that_was_heard_is_not() -> None:
    assert (asked := Asked(REFUSED)).fails() == "refused"
    assert asked.count == 2
    asked = Asked(FINE, REFUSED)
    asked.ask()
    asked.fails()
    assert asked.count == 1 + 4


@pytest.mark.parametrize("trouble", [REFUSED, BROKEN])
def test_a_server_that_is_away_is_noticed_once(trouble: Exception) -> None:
    asked = Asked(trouble)
    said = asked.fails()
    count, pauses = asked.count, len(asked.pauses)
    for _ in range(100):
        assert asked.fails() == said
    assert (asked.count, len(asked.pauses)) == (count, pauses)


def test_a_server_that_was_away_is_asked_again_after_a_while() -> None:
    asked = Asked(REFUSED, REFUSED, FINE)
    asked.fails()
    asked.now += AWAY - 0.1
    asked.fails()
    asked.now += 0.2
    assert asked.ask() == 200
    assert asked.ask() == 200


def test_others_that_wait_to_ask_again_notice_it_too() -> None:
    asked = Asked(BROKEN)

    def pause(seconds: float) -> Iterator[None]:
        asked.pauses.append(seconds)
        asked.patience.pause = asked.pauses.append
        asked.fails()  # another thread is through with it meanwhile
        yield

    asked.patience.pause = lambda seconds: next(pause(seconds))
    assert asked.fails() == "broken"
    assert asked.count == 1 + 4


def test_a_certificate_that_is_not_trusted_is_not_asked_again() -> None:
    asked = Asked(httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED]"))
    asked.fails()
    assert asked.count == 1


@pytest.mark.parametrize("trouble", [REFUSED, BROKEN])
def test_what_may_not_be_done_twice_is_sent_once_and_its_own_error_is_told(trouble: Exception) -> None:
    asked = Asked(BROKEN, BROKEN, BROKEN, BROKEN, trouble)
    asked.fails()
    assert asked.fails(once=True) == str(trouble)
    assert asked.count == 5
    asked = Asked(ASIDE, FINE)
    assert asked.ask(once=True) == 200, "it was turned away unread"
