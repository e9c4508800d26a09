"""How the plan of releases reads: for a person, for a pull request, for a program."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from tasks.plan.prospect import CHANGES, NOTHING, Prospect

__all__ = ["document", "markdown", "text"]

OURS = re.compile(r".+:(?P<tag>m-[0-9a-f]+)(?:@sha256:[0-9a-f]+)?")


def text(prospects: Sequence[Prospect]) -> Iterator[str]:
    """Lines for a person on a terminal."""
    for one in prospects:
        yield f"{one.service}@{one.environment}  {_phrase(one)}"
        if one.now != one.then or one.problems:
            yield f"  now   {_short(one.now) or 'no image'}"
            if one.then:
                yield f"  then  {_short(one.then)}, of {one.commit[:12]}"
        for key, names in (one.runs or {}).items():
            yield f"  {key}: {_count(names)} would run"
            yield from (f"    {name}" for name in names)
        if one.code and one.runs == {} and one.now != one.then:
            yield "  no migration would run"
        yield from (f"  note: {line}" for line in one.notes)
        yield from (f"  cannot be told: {line}" for line in one.problems)
        yield from (f"  → {line}" for line in one.todo)


def markdown(prospects: Sequence[Prospect]) -> Iterator[str]:
    """A comment on a pull request."""
    yield "| release | now | then | migrations that would run |"
    yield "|---|---|---|---|"
    for one in prospects:
        runs = "<br>".join(f"`{key}/{name}`" for key, names in (one.runs or {}).items() for name in names)
        unknown = "not known" if one.runs is None else "none"
        cells = (f"{one.service}@{one.environment}", _code(_short(one.now)), _code(_short(one.then)), runs or unknown)
        yield f"| {' | '.join(cells)} |"
    told = [(one, line) for one in prospects for line in (*one.notes, *one.problems)]
    if told:
        yield ""
        yield from (f"- {one.service}@{one.environment}: {line}" for one, line in told)


def _phrase(one: Prospect) -> str:
    return {NOTHING: "nothing to do", CHANGES: "would change"}.get(one.code, "cannot be told")


def _short(image: str) -> str:
    """The tag of an image of ours, or the whole of what is none."""
    found = OURS.fullmatch(image)
    return found["tag"] if found else image


def _code(text: str) -> str:
    return f"`{text}`" if text else "none"


def _count(names: Sequence[str]) -> str:
    return "1 migration" if len(names) == 1 else f"{len(names)} migrations"


def document(one: Prospect) -> dict[str, Any]:
    """The JSON of one release, as schemas/plan.schema.json says."""
    return {
        "service": one.service,
        "environment": one.environment,
        "outcome": {NOTHING: "nothing", CHANGES: "changes"}.get(one.code, "unknown"),
        "now": one.now or None,
        "then": one.then or None,
        "commit": one.commit or None,
        "runs": None if one.runs is None else {key: list(names) for key, names in one.runs.items()},
        "notes": list(one.notes),
        "problems": list(one.problems),
        "todo": list(one.todo),
    }
