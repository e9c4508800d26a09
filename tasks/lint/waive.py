"""Which findings waivers allow, and what became of each waiver."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import NamedTuple

from tasks.lint.finding import Finding
from tasks.lint.settings import Unknown
from tasks.lint.waiver import WORD, Waiver

__all__ = ["Used", "Waived", "waive"]


class Used(NamedTuple):
    """A waiver, and the codes of it that allowed something, or would if it counted."""

    waiver: Waiver
    codes: frozenset[str]
    renewed: frozenset[str]  # the codes whose findings a later waiver of services.yaml allows


class Waived(NamedTuple):
    """All waivers of a target: what LA01 looks at."""

    used: tuple[Used, ...]
    today: date
    known: frozenset[str]  # the codes that there are
    judged: frozenset[str]  # those that were checked: only of them a waiver can be unused
    unknown: tuple[Unknown, ...] = ()

    @property
    def until(self) -> date | None:
        """The first day on which one of them will end; None where none will."""
        ends = [one.waiver.end for one in self.used if counts(one.waiver, self.today, self.known)]
        return min(filter(None, ends), default=None)

    def allows(self, finding: Finding) -> bool:
        """Whether one of the waivers that count is about the finding."""
        return any(one.waiver.about(finding) and counts(one.waiver, self.today, self.known) for one in self.used)


def waive(
    findings: Iterable[Finding],
    waivers: Sequence[Waiver],
    *,
    today: date,
    known: Collection[str],
    judged: Collection[str],
) -> tuple[list[Finding], Waived]:
    """The findings that nothing allows, and what became of the waivers."""
    codes = frozenset(known)
    counting = [one for one in waivers if counts(one, today, codes)]
    kept: list[Finding] = []
    used: dict[Waiver, set[str]] = {one: set() for one in waivers}
    renewed: dict[Waiver, set[str]] = {one: set() for one in waivers}
    for finding in findings:
        about = [one for one in waivers if one.about(finding)]
        allowing = [one for one in about if one in counting]
        for one in about:
            used[one].add(finding.code)
            if any(other.path != other.covers for other in allowing):
                renewed[one].add(finding.code)
        if not allowing:
            kept.append(finding)
    those = tuple(Used(one, frozenset(used[one]), frozenset(renewed[one])) for one in waivers)
    return kept, Waived(those, today, codes, frozenset(judged))


def counts(waiver: Waiver, today: date, known: Collection[str]) -> bool:
    """Whether a waiver is whole and has not ended."""
    if "LA01" in waiver.codes and waiver.path == waiver.covers:
        return False
    whole = waiver.word == WORD and waiver.codes and set(waiver.codes) <= set(known) and waiver.reason
    return bool(whole) and waiver.end is not None and today <= waiver.end
