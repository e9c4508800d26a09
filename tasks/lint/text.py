"""A report for people: each finding with its line, a caret, what will happen, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterator

from tasks.lint.finding import Finding
from tasks.lint.found import Found

__all__ = ["lines", "write"]


def write(found: Found) -> str:
    """All findings, a blank line after each, one line that counts them, and the notes; empty where there is nothing."""
    parts = ["\n".join(lines(one)) for one in found.findings]
    last = [found.summary] if found.findings else []
    last += found.remarks
    return "\n\n".join([*parts, *filter(None, ["\n".join(last)])])


def lines(one: Finding) -> Iterator[str]:
    """A finding, line by line."""
    yield f"{one.where} {one.code} {one.name}" + ("" if one.severity == "error" else f" ({one.severity})")
    if one.excerpt:
        gutter = f"  {one.line} | "
        lead = one.column - 1 - one.shift
        under = "".join("\t" if c == "\t" else " " for c in one.excerpt[:lead].ljust(lead))
        marks = max(1, min(one.end_column - one.column, len(one.excerpt) - lead)) if one.end_column else 1
        yield f"{gutter}{one.excerpt}"
        yield f"{' ' * (len(gutter) - 2)}| {under}{'^' * marks}"
    yield f"  {one.message}"
    if one.instead:
        yield "  write:"
        yield from (f"      {line}".rstrip() for line in one.instead.split("\n"))
