"""Why goose stopped, in the user's files: the statement, the server's words, what is applied now, and what to do."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from schemas.errors import GanderError, MigrationFailed, ToolError
from schemas.goose_file import parse
from schemas.goose_log import Failure
from schemas.statement import Statement
from schemas.stream import Migration
from tasks import place
from tasks.hints import SERVER_LOST, hint
from tasks.migrate.site import Site
from tools import goose
from tools.engine import Diagnosis

__all__ = ["explain", "statements_done"]

WIDEST = 120  # characters of a line that are shown, around the caret
NOISE = re.compile(r"\s*\(SQLSTATE [0-9A-Z]{5}\)$|^ERROR: |^code: \d+, message: ")  # of goose's drivers
UNREADABLE = re.compile(  # ClickHouse repeats the text from there on
    r"failed at position (\d+) \((.*?)\)(?: \(line \d+, col \d+\))?: .*?(?:\. (Expected one of: [^.]*))?[.\s]*$",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """The statement that failed: which of its section, and where the server points in it (1-based)."""

    statement: Statement
    number: int
    count: int
    line: int
    column: int | None
    among: tuple[int, ...]  # lines of all statements with this very text


def explain(
    site: Site,
    files: Sequence[Migration],
    pending: Sequence[Migration],
    texts: Mapping[str, bytes],
    result: goose.Result,
    *,
    left: Collection[int],
    direction: Literal["up", "down"] = "up",
) -> GanderError:
    """Word what went wrong in a run that was to deal with ``pending`` and left the versions ``left`` undone.

    ``texts`` are the files as goose had them, by name: their lines are those of the files.
    """
    label, failed = site.database.label, result.log.failure
    balance = _balance(pending, left, direction)
    verb = "test" if site.scratch else "migrate" if direction == "up" else "rollback"
    again = f"doit {verb}:{label}"
    if failed is None or result.code < 0:
        stopped = f"was stopped by signal {-result.code}" if result.code < 0 else f"ended with code {result.code}"
        what = f"{label}: goose {stopped} before it was done"
        return ToolError(
            what, why="\n".join([*balance, *result.raw.splitlines()[-3:]]), todo=f"{again}   (it looks first)"
        )
    named = next((file for file in files if file.name == failed.name), None)
    if named is None:
        advice = SERVER_LOST if failed.lost else hint(site.database.engine, failed.code, failed.message)
        return ToolError(f"{label}: goose could not work", why=failed.message, todo=advice or f"{again}")
    return _of_file(site, named, texts.get(named.name, named.data), failed, balance, direction, again)


def statements_done(site: Site, texts: Mapping[str, bytes], result: goose.Result) -> int | None:
    """How many statements of the file that failed were done before; None where that was not seen.

    The one that failed is not done, unless the server went away: then it may be.
    """
    failed = result.log.failure
    if failed is None or result.code < 0 or failed.name not in texts or failed.lost:
        return None
    if failed.kind != "sql":
        return 0 if failed.kind == "parse" else None
    spot = _spot(parse(texts[failed.name], os.environ).up, failed, _diagnosis(site, failed))
    return spot.number - 1 if spot and len(spot.among) == 1 else None


def _of_file(  # noqa: PLR0917 - parts of one message
    site: Site,
    file: Migration,
    text: bytes,
    failed: Failure,
    balance: list[str],
    direction: Literal["up", "down"],
    again: str,
) -> MigrationFailed:
    diagnosis = _diagnosis(site, failed)
    parsed = parse(text, os.environ)
    spot = _spot(parsed.up if direction == "up" else parsed.down, failed, diagnosis)
    message = diagnosis.message if diagnosis else UNREADABLE.sub(r"failed at \2\n\3", NOISE.sub("", failed.message))
    heading, *rest = message.splitlines()
    why = _excerpt(file, spot) if spot else []
    if failed.code:
        why.append(f"the server's code: {failed.code}")
    why += list(dict.fromkeys(filter(None, map(str.strip, rest))))[:3]
    if diagnosis:
        why += [f"{word}: {text}" for word, text in _said(diagnosis) if text]
    if spot:
        why += _standing(place.has_transaction(site.database, file.data), spot, direction, failed)
    advice, way = hint(site.database.engine, failed.code, message), f"correct the file, then {again}"
    if failed.lost:  # the file may be as good as any
        advice, way = SERVER_LOST, again
    elif (
        direction == "down" and not site.scratch and failed.code.startswith(("42", "3F"))
    ):  # the Down itself is wrong, and it is history
        advice = "a file is taken back with the text that it was applied with, so a correction of it comes too late"
        way = f"rebuild the local database instead: doit reset:{site.database.label}"
    where = f"{file.path}:{spot.line}" + (f":{spot.column}" if spot and spot.column else "") if spot else file.path
    return MigrationFailed(
        f"{site.database.label}: {heading}",
        where=where,
        why="\n".join([*why, *balance]),
        todo="\n".join(filter(None, (advice, way))),
    )


def _diagnosis(site: Site, failed: Failure) -> Diagnosis | None:
    """What the server's log says of this very failure: its last error may be another one, as goose's own first look."""
    found = site.server.diagnose(site.application) if failed.code else None
    return found if found and found.code == failed.code else None


def _spot(statements: Sequence[Statement], failed: Failure, diagnosis: Diagnosis | None) -> Spot | None:
    wanted = failed.statement.strip()
    same = [(number, one) for number, one in enumerate(statements, 1) if one.text.strip() == wanted]
    if not same:
        return None
    number, statement = same[0]
    line, column = statement.line, None
    if diagnosis and diagnosis.position:
        line, column = statement.locate(diagnosis.position)
    elif found := UNREADABLE.search(failed.message):  # it counts bytes; what is unreadable was not rewritten
        before = statement.text.encode(errors="surrogateescape")[: int(found[1]) - 1]
        line, column = statement.locate(len(before.decode(errors="replace")) + 1)
    lines = tuple(one.line for _, one in same)
    return Spot(statement=statement, number=number, count=len(statements), line=line, column=column, among=lines)


def _excerpt(file: Migration, spot: Spot) -> list[str]:
    """The line as it stands in the file, with a caret where the server points."""
    lines = file.data.decode(errors="replace").split("\n")  # nothing else ends a line for goose
    text = lines[spot.line - 1].removesuffix("\r") if spot.line <= len(lines) else ""
    start = max((spot.column or 1) - WIDEST // 2, 0) if len(text) > WIDEST else 0
    shown = ("…" if start else "") + text[start : start + WIDEST] + ("…" if text[start + WIDEST :] else "")
    margin = f"{spot.line:>5} | "
    excerpt = [f"{margin}{shown}"]
    if spot.column:
        before = shown[: spot.column - 1 - start + bool(start)]
        blanks = "".join("\t" if character == "\t" else " " for character in before)
        excerpt.append(f"{' ' * (len(margin) - 2)}| {blanks}^")
    return excerpt


def _said(diagnosis: Diagnosis) -> tuple[tuple[str, str], ...]:
    return ("detail", diagnosis.detail), ("the server's hint", diagnosis.hint), ("within", diagnosis.context)


def _standing(transaction: bool, spot: Spot, direction: str, failed: Failure) -> list[str]:  # noqa: FBT001 - as read
    """What the failed file itself has done."""
    if len(spot.among) > 1:
        which = f"one of the equal statements on lines {_list(spot.among)} failed"
        return [f"{which}; the whole file was rolled back" if transaction else f"it has no transaction, and {which}"]
    if transaction:
        return [f"statement {spot.number} of {spot.count}; the whole file was rolled back"]
    version = "not recorded" if direction == "up" else "still recorded"
    became = "may be done or not" if failed.lost else "failed"
    last = f"statement {spot.number} of {spot.count} {became}, and the version is {version}"
    if spot.number == 1:
        return [f"it has no transaction: {last}"]
    before = f"statements 1 to {spot.number - 1} are done and stay"
    done = {2: "statement 1 is done and stays"}.get(spot.number, before)
    return [f"it has no transaction and stopped half-way: {done}, {last}"]


def _balance(pending: Sequence[Migration], left: Collection[int], direction: Literal["up", "down"]) -> list[str]:
    """Which files of this run are done, and which are not."""
    done = [file.name for file in pending if file.version not in left]
    undone = [file.name for file in pending if file.version in left]
    past, not_past = ("applied", "not applied") if direction == "up" else ("undone", "not undone")
    lines = [f"{past} in this run: {_list(done)}"] if done else []
    return [*lines, f"{not_past}: {_list(undone)}"] if undone else lines


def _list(items: Sequence[object]) -> str:
    shown = [str(item) for item in items[:8]]
    return ", ".join(shown) + (f" and {len(items) - 8} more" if len(items) > 8 else "")  # noqa: PLR2004 - fits a screen
