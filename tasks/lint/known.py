"""Findings of an old monorepo that are written down once: they do not fail, and the file only ever shrinks.

A finding is known by its rule, its file and its statement, as often as it is written down. What rules about git or
about waivers find is never written down: that is about a change, not about what was there.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from schemas.catalog import Catalog
from schemas.errors import GanderError
from tasks.lint.finding import Finding, plain
from tasks.lint.rule import listed
from tools import whole

__all__ = ["FILE", "Known", "Parted", "Row", "parted"]

FILE = ".lint-baseline.json"
LARGEST = 20_000_000  # bytes
NEVER = ("git", "waivers")


class Row(NamedTuple):
    """What a finding is known by."""

    rule: str
    file: str
    statement: str


class Parted(NamedTuple):
    """A target's findings, and what they leave of its rows."""

    new: list[Finding]
    known: list[Finding]
    left: Counter[Row]  # the rows that are still needed
    gone: Counter[Row]  # those that are not


def parted(rows: Counter[Row], findings: Iterable[Finding]) -> Parted:
    """Tell new findings from known ones."""
    used: Counter[Row] = Counter()
    new: list[Finding] = []
    known: list[Finding] = []
    for one in findings:
        row = Row(one.code, plain(one.path), one.context)
        if used[row] < rows[row]:
            used[row] += 1
            known.append(one)
        else:
            new.append(one)
    return Parted(new, known, +used, rows - used)


class Known:
    """The file, as the targets of a run ask about it and, with ``baseline=write``, change it."""

    def __init__(self, catalog: Catalog, say: Callable[[str], None], *, write: bool) -> None:
        self.root, self.path, self.write, self.say = catalog.root, catalog.root / FILE, write, say
        self.targets = _read(self.path)
        self._lock = Lock()
        self._now: dict[str, Counter[Row]] = {}

    def part(self, target: str, findings: Sequence[Finding]) -> Parted:
        """A target's findings by whether they are known; of one that is written down now, all that may be are."""
        rows = self.targets.get(target)
        if rows is None and self.write:
            never = {one.rule.code for one in listed() if one.rule.needs in NEVER}
            rows = Counter(Row(one.code, plain(one.path), one.context) for one in findings if one.code not in never)
        found = parted(rows or Counter(), findings)
        if not self.write:
            return found
        with self._lock:
            self._now[target] = found.left
        return found._replace(gone=Counter())

    def close(self) -> None:
        """Write the file where that was asked for. Raises GanderError where it cannot be written."""
        if not self._now:
            return
        targets = {**self.targets, **self._now}
        listing = {
            name: [{**row._asdict(), "count": rows[row]} for row in sorted(rows)]
            for name, rows in sorted(targets.items())
        }
        try:
            whole.replace(
                self.path, json.dumps({"version": 1, "targets": listing}, indent=1, ensure_ascii=False) + "\n"
            )
        except OSError as error:
            raise GanderError(
                f"the known findings cannot be written: {error.strerror}", where=str(self.path)
            ) from error
        now = sum(rows.total() for rows in self._now.values())
        before = sum(self.targets[name].total() for name in self._now if name in self.targets)
        self.say(f"{FILE}: {now} known" + (f", where there were {before}" if before else ""))


def _read(path: Path) -> dict[str, Counter[Row]]:
    """The rows of the file by target; none where there is no file. Raises GanderError for one that is not ours."""
    try:
        if path.stat().st_size > LARGEST:
            raise _broken(path, f"it is larger than {LARGEST // 1_000_000} MB")
        document: Any = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise _broken(path, str(error)) from None
    targets = document.get("targets") if isinstance(document, dict) and document.get("version") == 1 else None
    if not isinstance(targets, dict) or not all(
        isinstance(rows, list) and all(map(_is_row, rows)) for rows in targets.values()
    ):
        raise _broken(path, "its form is not the one that doit lint baseline=write gives it")
    return {name: _counted(rows) for name, rows in targets.items()}


def _counted(rows: Iterable[Mapping[str, Any]]) -> Counter[Row]:
    found: Counter[Row] = Counter()
    for one in rows:
        found[Row(one["rule"], one["file"], one["statement"])] += one["count"]
    return found


def _is_row(value: Any) -> bool:
    kinds = {**dict.fromkeys(Row._fields, str), "count": int}
    return isinstance(value, dict) and all(type(value.get(name)) is kind for name, kind in kinds.items())


def _broken(path: Path, why: str) -> GanderError:
    return GanderError(
        "the known findings cannot be read", where=str(path), why=why, todo=f"git restore {FILE}, or remove it"
    )
