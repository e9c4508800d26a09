"""How often a server is asked again: later and later, and not for each question anew once it is known to be away."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection
from typing import Protocol, TypeVar

import httpx

__all__ = ["Patience"]

NOBODY = 2  # attempts where no connection is made to a server that this run has not heard yet
AWAY = 10.0  # seconds in which a server that did not answer is not asked again


class Reply(Protocol):
    """What a server answered."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> httpx.Headers:
        """Its headers."""


Answer = TypeVar("Answer", bound=Reply)


class Patience:
    """The patience with one server; safe to use from several threads."""

    def __init__(
        self,
        *,
        attempts: int,
        longest: float,
        pause: Callable[[float], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.attempts, self.longest, self.pause = attempts, longest, pause
        self._clock, self._heard = clock, False
        self._away: tuple[float, httpx.TransportError] | None = None

    def answer(self, exchange: Callable[[], Answer], busy: Collection[int], *, once: bool = False) -> Answer:
        """The answer to a question, asked again while it is a status of ``busy`` or none; the last where it stays so.

        Raises httpx.TransportError where there is none, and for questions of the next seconds without asking. With
        ``once`` that is raised at once, of this very question: for what may not be done twice.
        """
        for trial in range(1, self.attempts + 1):
            if not once:
                self._unless_away()
            try:
                answer = exchange()
            except httpx.TransportError as error:
                if once:
                    raise
                if self._final(error, trial):
                    self._away, self._heard = (self._clock(), error), False
                    raise
                wait = self._delay(trial, "")
            else:
                self._heard, self._away = True, None
                if answer.status not in busy or trial == self.attempts:
                    return answer
                wait = self._delay(trial, answer.headers.get("retry-after", ""))
            self.pause(wait)
        raise AssertionError("the last trial returns or raises")

    def _unless_away(self) -> None:
        since, error = self._away or (0.0, None)
        if error and self._clock() - since < AWAY:
            raise type(error)(str(error)) from error

    def _final(self, error: httpx.TransportError, trial: int) -> bool:
        """Whether there is no use in another attempt."""
        nobody = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)) and not self._heard
        return trial >= (NOBODY if nobody else self.attempts) or "CERTIFICATE_VERIFY_FAILED" in str(error)

    def _delay(self, trial: int, asked: str) -> float:
        """Seconds to wait: what the server asks for, else twice as long each time, never all at the same moment."""
        if asked.isdigit():
            return min(float(asked), self.longest)
        return min(0.5 * 2.0**trial, self.longest) * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing
