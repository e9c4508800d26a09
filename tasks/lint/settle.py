"""What is made of raw findings: waivers allow some, services.yaml gives others another severity or none."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from schemas.catalog import Catalog
from tasks.lint.check import finding, shown
from tasks.lint.file import File
from tasks.lint.finding import Finding, in_order
from tasks.lint.rule import listed, rules
from tasks.lint.settings import allowed, settings_file, unknown
from tasks.lint.waive import waive
from tasks.lint.waiver import of_file, of_text

__all__ = ["Settled", "settle"]

LARGEST = 1_000_000  # bytes of another file that waivers are looked for in


class Settled(NamedTuple):
    """What counts, and the last day of the first waiver that ends; None where none will."""

    findings: list[Finding]
    until: date | None


def settle(
    catalog: Catalog,
    raw: Sequence[Finding],
    files: Sequence[File],
    others: Iterable[str],
    *,
    today: date,
    judged: Collection[str],
    merged: Collection[str] = (),
) -> Settled:
    """The findings that count in these migrations and other files (paths from the root).

    ``judged`` has the codes that were checked: only of those a waiver can be unused. ``merged`` has the paths of the
    migrations that nobody may change any more.
    """
    migrations = {file.path: file for file in files}
    settings = settings_file(catalog)
    paths = {settings, *others, *(one.path for one in raw)} - migrations.keys()
    texts = {path: _text(catalog.root / path) for path in paths}
    waivers = [waiver for file in files for waiver in of_file(file, merged=file.path in merged)]
    waivers += [waiver for path, text in sorted(texts.items()) for waiver in of_text(path, text)]
    waivers += allowed(catalog, {*migrations, *texts}, texts[settings])
    known = frozenset(one.rule.code for one in listed())
    left, waived = waive(raw, waivers, today=today, known=known, judged=judged)
    waived = waived._replace(unknown=tuple(unknown(catalog, known, texts[settings])))
    for one in rules(None, "waivers"):
        for flaw in one.check(waived):
            bad = finding(one.rule, flaw, migrations.get(flaw.path))
            if not waived.allows(bad):
                left.append(bad if bad.path in migrations else shown(bad, _line(texts[bad.path], bad.line)))
    return Settled(in_order(_graded(catalog, left)), waived.until)


def _graded(catalog: Catalog, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Each with the severity that services.yaml gives it; left out are those that are off, or that nobody asked for."""
    quiet = {one.rule.code for one in listed() if one.rule.opt_in}
    for one in findings:
        level = catalog.lint.level(one.code, one.path) or ("off" if one.code in quiet else one.severity)
        if level != "off":
            yield one._replace(severity=level)


def _text(file: Path) -> str:
    """What a file says, as far as waivers may stand in it; its own reader tells what is wrong with it."""
    if not file.is_file():  # opening a pipe would wait for who writes to it
        return ""
    try:
        with file.open("rb") as opened:
            return opened.read(LARGEST).decode(errors="replace")
    except OSError:
        return ""


def _line(text: str, number: int) -> str:
    lines = text.split("\n")
    return lines[number - 1] if 0 < number <= len(lines) else ""
