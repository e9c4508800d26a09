"""How the plan of releases reads: for a person, for a pull request, for a program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tasks.lint.finding import Finding
from tasks.plan.prospect import CHANGES, NOTHING, Prospect
from tasks.promote.image import short

__all__ = ["document", "markdown", "text"]


def text(prospects: Sequence[Prospect]) -> Iterator[str]:
    """Lines for a person on a terminal."""
    for one in prospects:
        yield f"{one.service}@{one.environment}  {_phrase(one)}"
        if one.code:
            yield f"  now   {short(one.now) or 'no image'}"
            if one.then:
                yield f"  then  {short(one.then)}, of {one.commit[:12]}"
        yield from _databases(one)
        yield from (f"  note: {line}" for line in one.notes)
        yield from (f"  cannot be told: {line}" for line in one.problems)
        if one.who:
            yield f"  next: {one.who}"
        yield from (f"  → {line}" for line in one.todo)


def _databases(one: Prospect) -> Iterator[str]:
    """What would run in each database, with what lint finds in it, and what the asked ones hold."""
    runs = one.runs or {}
    for key in dict.fromkeys([*runs, *one.held]):
        held = one.held.get(key)
        holds = f"; the database holds {_versions(held)}" if held is not None else ""
        yield f"  {key}: {_count(runs.get(key, ()))} would run{holds}"
        for name in runs.get(key, ()):
            yield f"    {name}"
            for finding in one.findings.get(key, {}).get(name, ()):
                yield f"      {finding.line}: {_told(finding)}"
    if one.code and one.runs == {} and not one.held:
        yield "  no migration would run"


def markdown(prospects: Sequence[Prospect]) -> Iterator[str]:
    """A comment on a pull request."""
    yield "| release | now | then | migrations that would run | next |"
    yield "|---|---|---|---|---|"
    for one in prospects:
        runs = "<br>".join(f"`{key}/{name}`" for key, names in (one.runs or {}).items() for name in names)
        unknown = "not known" if one.runs is None else "none"
        cells = (
            f"{one.service}@{one.environment}",
            _code(short(one.now)),
            _code(short(one.then)),
            runs or unknown,
            one.who or "nobody",
        )
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    told = [(one, line) for one in prospects for line in (*_found(one), *one.notes, *one.problems, *_next(one))]
    if told:
        yield ""
        yield from (f"- {one.service}@{one.environment}: {line}" for one, line in told)


def _found(one: Prospect) -> Iterator[str]:
    for key, files in one.findings.items():
        for name, findings in files.items():
            yield from (f"`{key}/{name}:{finding.line}` {_told(finding)}" for finding in findings)


def _next(one: Prospect) -> Iterator[str]:
    if one.todo:
        yield f"next: {'; '.join(one.todo)}"


def _told(finding: Finding) -> str:
    return f"{finding.severity} {finding.code}: {finding.message}"


def _phrase(one: Prospect) -> str:
    return {NOTHING: "nothing to do", CHANGES: "would change"}.get(one.code, "cannot be told")


def _code(text: str) -> str:
    return f"`{text}`" if text else "none"


def _count(names: Sequence[str]) -> str:
    return {0: "no migration", 1: "1 migration"}.get(len(names), f"{len(names)} migrations")


def _versions(held: Sequence[int]) -> str:
    if not held:
        return "no version"
    return f"{len(held)} {'version' if len(held) == 1 else 'versions'}, the newest {max(held)}"


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
        "held": {key: list(versions) for key, versions in one.held.items()},
        "findings": [
            {
                "database": key,
                "file": name,
                "code": finding.code,
                "name": finding.name,
                "severity": finding.severity,
                "line": finding.line,
                "column": finding.column,
                "message": finding.message,
                "write": finding.instead or None,
            }
            for key, files in one.findings.items()
            for name, findings in files.items()
            for finding in findings
        ],
        "notes": list(one.notes),
        "problems": list(one.problems),
        "next": one.who or None,
        "todo": list(one.todo),
    }
