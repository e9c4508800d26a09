"""What the rules find in a file: one reading of it, one walk over its statements, for all of them."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.lint.file import File
from tasks.lint.finding import Finding, Flaw, Lined, excerpt, in_order, printable
from tasks.lint.fingerprint import context, digest
from tasks.lint.rule import Listed, Rule
from tasks.lint.schema import Schema
from tasks.lint.stream import Stream
from tasks.lint.walk import Before, dispatch, walk

__all__ = ["check", "check_along", "check_stream", "finding", "shown"]


def check(file: File, rules: Sequence[Listed]) -> list[Finding]:
    """The findings of these rules, by place."""
    found: list[Finding] = []
    for one in rules:
        if not one.rule.on:
            found += (finding(one.rule, flaw, file) for flaw in one.check(file))
    walkers = dispatch(rules)
    if walkers:
        for node, those in walk(file, walkers):
            for one in those:
                found += (finding(one.rule, flaw, file) for flaw in one.check(node))
    return in_order(found)


def check_along(file: File, rules: Sequence[Listed], schema: Schema, *, new: bool) -> list[Finding]:
    """The findings of rules that need the schema as it is before the file; it goes on by what the file does.

    ``new``: the file is not merged.
    """
    before = Before(file, schema)
    found = [finding(one.rule, flaw, file) for one in rules if not one.rule.on for flaw in one.check(before)]
    for node, those in walk(file, dispatch(rules), schema, new=new):
        found += (finding(one.rule, flaw, file) for one in those for flaw in one.check(node))
    return in_order(found)


def check_stream(stream: Stream, rules: Sequence[Listed]) -> list[Finding]:
    """The findings of rules over a whole stream."""
    files = {file.path: file for file in stream.files}
    found = [finding(one.rule, flaw, files.get(flaw.path)) for one in rules for flaw in one.check(stream)]
    return in_order(found)


def finding(rule: Rule, flaw: Flaw, file: Lined | None) -> Finding:
    """A flaw as its rule's finding, with the line that it is in where there is a file."""
    text, shift = excerpt(file.line(flaw.line), flaw.column) if file else ("", 0)
    return Finding(
        code=rule.code,
        name=rule.name,
        severity=flaw.severity or rule.severity,
        path=flaw.path or (file.path if file else ""),
        line=flaw.line,
        column=flaw.column,
        end_column=flaw.end_column,
        message=printable(flaw.message),
        instead=printable(flaw.instead),
        excerpt=text,
        shift=shift,
        fix=flaw.fix,
        context=context(file, flaw.line) if file else "",
    )


def shown(one: Finding, line: str) -> Finding:
    """A finding in another file than a migration, with the line that it is in."""
    text, shift = excerpt(line, one.column)
    return one._replace(excerpt=text, shift=shift, context=digest(line.strip()))
