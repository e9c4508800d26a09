"""How `status` reads for a person: databases line by line, and what is released of each in the same table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from schemas.target import LOCAL
from tasks.promote.image import short
from tasks.status.standing import Standing
from tools.shell import redact

if TYPE_CHECKING:
    from tasks.status.release import Release

__all__ = ["Releases", "lines"]

Releases = Mapping[tuple[str, str], "Release"]
"""By service and environment."""

HEADER = ("database", "image", "commit", "version", "pending", "promoted", "stands")
ROLLOUT = ("release", "last sync", "by", "phase", "commit", "application", "verdict")
NONE, UNKNOWN = "-", "?"
FEW = 5  # releases that a line names


def lines(standings: Sequence[Standing], releases: Releases, *, whole: bool) -> Iterator[str]:
    """One line a database, in a table with releases where there are any; what there is to say of each is below it.

    Below are the versions that are not applied, or all of them when ``whole``.
    """
    rows = _aligned([_row(standing, releases) for standing in standings], header=HEADER if releases else None)
    if releases:
        yield from rows
    for standing, row in zip(standings, rows[bool(releases) :], strict=True):
        below = list(_below(standing, whole=whole))
        if below or not releases:
            yield standing.called if releases else row
        yield from (f"  {line}" for line in below)
    yield from _unknown(releases)
    for (service, environment), release in releases.items():
        if release.offered:
            yield f"{service}@{environment}: {release.offered}"
        if release.override:
            yield f"{service}@{environment} has {short(release.image)} by an override: {release.override}"
    elsewhere = dict.fromkeys(one.environment for one in standings if one.environment != LOCAL and one.exists)
    if elsewhere:
        yield f"{', '.join(elsewhere)}: by version alone; goose keeps no texts, so an edited file would not show"
    yield from _rollouts(releases, whole=whole)


def _phrase(standing: Standing) -> str:
    through = f"through {standing.database.label}: " if standing.entry is not standing.database else ""
    if standing.error:
        return f"{through}{'cannot be looked at' if standing.error.why else f'not asked: {standing.error.what}'}"
    if not standing.exists:
        name = standing.database.names[standing.environment]
        return f"{through}no database {name} yet, {_files(len(standing.versions))} to apply"
    applied = len(standing.versions) - len(standing.behind)
    if standing.at_head:
        return f"{through}at head, {_files(applied)} applied"
    counts: dict[str, int] = {}
    for version in standing.behind:
        counts[version.state] = counts.get(version.state, 0) + 1
    parts = [f"{applied} applied", *(f"{count} {state}" for state, count in counts.items())]
    if standing.problems:
        parts.append(f"{len(standing.problems)} not runnable")
    return f"{through}not at head: {', '.join(parts)}"


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _cause(standing: Standing) -> Iterator[str]:
    """Why a database could not be looked at, and what to do; how to set a variable is told once for all."""
    if standing.error and standing.error.why:
        _, *lines = str(standing.error).splitlines()
        yield from (line.strip() for line in lines)


def _row(standing: Standing, releases: Releases) -> tuple[str, ...]:
    """The cells of one database."""
    if not releases:
        return standing.called, _phrase(standing)
    key, release = standing.database.key, releases.get((standing.database.service, standing.environment))
    if release is None:
        return standing.called, *[NONE] * (len(HEADER) - 2), _phrase(standing)
    pending, version = release.pending(key), release.version(key)
    known = release.there is not None
    return (
        standing.called,
        short(release.image) or (NONE if known else UNKNOWN),
        release.commit[:12] or (UNKNOWN if release.image or not known else NONE),
        str(version) if version else NONE if known else UNKNOWN,
        UNKNOWN if pending is None else str(len(pending)),
        UNKNOWN if release.promoted is None else "yes" if release.promoted else "no",
        _phrase(standing),
    )


def _aligned(rows: Sequence[tuple[str, ...]], header: tuple[str, ...] | None) -> list[str]:
    """The rows below each other, without blanks at their ends."""
    table = [header, *rows] if header else list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]


def _below(standing: Standing, *, whole: bool) -> Iterator[str]:
    """What there is to say of a database beyond its row."""
    yield from _cause(standing)
    yield from standing.notes
    for problem in standing.problems:
        yield f"{problem.path}{f':{problem.line}' if problem.line else ''}: {problem.message}"
    shown = standing.versions if whole else standing.behind if standing.exists else ()
    for version in shown:
        yield f"{version.state:<12}  {version.at[:19].replace('T', ' '):<19}  {version.name or version.version}"


def _rollouts(releases: Releases, *, whole: bool) -> Iterator[str]:
    """What has become of each release in its cluster, in a table of their own; what is not well is below it."""
    told = {f"{service}@{name}": one for (service, name), one in releases.items() if one.rollout}
    if not told:
        return
    yield from _aligned([_rolled(called, one) for called, one in told.items()], header=ROLLOUT)
    for called, one in told.items():
        verdict = one.rollout.verdict if one.rollout else None
        if verdict and not verdict.verified:
            first, *more = redact(verdict.what).splitlines()
            yield f"{called}: {first}"
            yield from (f"  {line}" for line in more)
            yield from (f"  → {line}" for line in verdict.todo if whole)
            yield f"  see docs/runbook.md#{verdict.kind}"
        yield from (redact(f"{called}: {note}") for note in (verdict.notes if verdict else ()))
    yield from _unasked(told)


def _rolled(called: str, release: Release) -> tuple[str, ...]:
    """The cells of one release."""
    rollout = release.rollout
    if rollout is None or rollout.application is None:
        return called, *[UNKNOWN] * (len(ROLLOUT) - 1)
    verdict, nothing = rollout.verdict, not release.image and release.there is not None
    return (
        called,
        f"{rollout.at:%Y-%m-%d %H:%M:%S}" if rollout.at else NONE,
        rollout.by or NONE,
        rollout.phase or NONE,
        rollout.commit[:12] or NONE,
        rollout.health or UNKNOWN,
        verdict.kind if verdict else NONE if nothing else UNKNOWN,
    )


def _unasked(told: Mapping[str, Release]) -> Iterator[str]:
    """Why rollouts are not known, each reason once, and what to do about it."""
    reasons: dict[str, list[str]] = {}
    for called, one in told.items():
        if one.rollout and one.rollout.error:
            _, *below = str(one.rollout.error).splitlines()
            reasons.setdefault("\n".join([one.rollout.error.what, *below]), []).append(called)
    for reason, those in reasons.items():
        yield from redact(f"{_few(those)}: {reason}").splitlines()


def _few(names: Sequence[str]) -> str:
    return f"{', '.join(names[:FEW])}{f' and {len(names) - FEW} more' if names[FEW:] else ''}"


def _unknown(releases: Releases) -> Iterator[str]:
    """What is not known of releases, each reason once."""
    reasons: dict[str, list[str]] = {}
    for (service, environment), release in releases.items():
        for problem in release.problems:
            reasons.setdefault(problem, []).append(f"{service}@{environment}")
    for problem, those in reasons.items():
        yield f"{_few(those)}: {problem}"
