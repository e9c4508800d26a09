"""How a rehearsal reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from schemas.target import Target
from tasks.rehearse.judgement import Verdict

__all__ = ["Came", "Release", "lines"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """What came of one Job; without a name it is about the release as a whole."""

    job: str = ""
    where: str = ""  # in the chart
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What came of the Jobs of one service in one environment."""

    target: Target
    image: str = ""  # its tag, and the commit that it is of
    came: Sequence[Came] = ()
    notes: Sequence[str] = ()

    @property
    def failing(self) -> bool:
        """Whether a release would fail."""
        return any(one.verdict.findings for one in self.came)


def lines(release: Release) -> Iterator[str]:
    """For a person on a terminal."""
    name = f"{release.target.service}@{release.target.environment}"
    if not release.came:
        yield f"{name}  no database of its own, so no Job"
        return
    yield f"{name}  {'would fail' if release.failing else 'would work'}{release.image and f': {release.image}'}"
    for one in release.came:
        verdict = one.verdict
        if one.job:
            yield f"  {one.job} ({one.where})" if verdict.findings else f"  {one.job}: {_ran(verdict)}"
            yield from (f"    {file}" for file in verdict.ran)
        for finding in verdict.findings:
            first, *rest = finding.splitlines()
            yield f"    ✗ {first}"
            yield from (f"      {line}" for line in rest)
        yield from (f"    note: {note}" for note in verdict.notes)
    yield from (f"  note: {note}" for note in release.notes)


def _ran(verdict: Verdict) -> str:
    count = len(verdict.ran)
    ran = "1 migration ran" if count == 1 else f"{count or 'no'} migrations ran"
    return f"{ran}, {verdict.stood} were there" if verdict.stood else ran
