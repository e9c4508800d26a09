"""What a goose run did, read from the lines that goose 3.27.3 writes to standard error."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

__all__ = ["Failure", "GooseLog", "Ran", "parse_line", "parse_log", "unquote"]

STAMP = re.compile(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d ")  # Go's log package, local time without a zone
RAN = re.compile(r"(?P<how>OK|EMPTY)\s+(?P<name>\S+) \((?P<number>[\d.]+)(?P<unit>ns|µs|us|ms|s|m[\d.]+s|m)\)")
SUCCESS = re.compile(r"goose: successfully migrated database to version: (?P<version>\d+)")
NOTHING = re.compile(r"goose: no migrations to run\. current version: (?P<version>\d+)")
ERROR = re.compile(r"goose run: ERROR (?P<name>[^:\n]+\.sql): (?P<rest>.*)", re.DOTALL)
STATEMENT = re.compile(r'failed to execute SQL query ("(?:[^"\\]|\\.)*"): (?P<message>.*)', re.DOTALL)
PARSE = "failed to parse SQL migration file: "
MISSING = re.compile(r"found \d+ missing migrations")
SQLSTATE = re.compile(r"\(SQLSTATE (?P<code>[0-9A-Z]{5})\)")
CLICKHOUSE = re.compile(r"\b[Cc]ode: (?P<code>\d+)[.,]")
LOST_CODES = ("08", "57P01", "57P02", "57P03")  # SQLSTATEs, or their class: no connection, shut down, crashed, starting
LOST_NUMBERS = ("209", "210", "236", "394")  # ClickHouse: SOCKET_TIMEOUT, NETWORK_ERROR, ABORTED, QUERY_WAS_CANCELLED
LOST_WORDS = re.compile(r"\bEOF\b|conn closed|bad connection|broken pipe|connection re(?:set|fused)|failed to connect")
SECONDS = {"ns": 1e-9, "µs": 1e-6, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}
ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
ESCAPE = re.compile(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|.)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One file that goose ran, up or down (it does not say which); ``empty``: the section held no statement."""

    name: str
    seconds: float
    empty: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why goose stopped.

    ``sql``: the database refused ``statement`` of file ``name``; ``parse``: goose could not read the file;
    ``missing``: files below the newest applied one; ``panic``: two files with one version; ``other``: the rest,
    such as no connection. ``code`` is a SQLSTATE or a ClickHouse error number, empty when there is none.
    """

    kind: Literal["sql", "parse", "missing", "panic", "other"]
    message: str
    name: str = ""
    statement: str = ""
    code: str = ""

    @property
    def lost(self) -> bool:
        """Whether the server went away, so that nobody saw what became of the work.

        Go's database/sql gives a statement to a second connection when the first breaks: a refusal that goose prints
        (57P03, the database system is starting up) may be the answer to that second attempt.
        """
        if self.code:
            return self.code.startswith(LOST_CODES) if len(self.code) == len("57P01") else self.code in LOST_NUMBERS
        return self.kind == "sql" or (self.kind == "other" and bool(LOST_WORDS.search(self.message)))


@dataclass(frozen=True, slots=True, kw_only=True)
class GooseLog:
    """A whole run: files in the order they ran, the version named at its end, and why it stopped, if it did."""

    ran: tuple[Ran, ...]
    version: int | None
    nothing_to_do: bool
    failure: Failure | None


def parse_line(line: str) -> Ran | None:
    """Read one line as it comes; None unless it says that a file has been run."""
    found = RAN.match(STAMP.sub("", line))
    if not found:
        return None
    return Ran(name=found["name"], seconds=_seconds(found["number"], found["unit"]), empty=found["how"] == "EMPTY")


def parse_log(text: str) -> GooseLog:
    """Read everything that one run of goose printed; lines that say nothing about the run are passed over."""
    ran: list[Ran] = []
    version, nothing, failed = None, False, ""
    for entry in _entries(text):
        file = parse_line(entry)
        if file:
            ran.append(file)
        elif found := SUCCESS.match(entry):
            version = int(found["version"])
        elif found := NOTHING.match(entry):
            version, nothing = int(found["version"]), True
        elif entry.startswith(("goose run: ", "goose: failed", "panic: ", "goose: no such", "-dbstring")):
            failed = failed or entry
    return GooseLog(
        ran=tuple(ran), version=version, nothing_to_do=nothing, failure=_failure(failed) if failed else None
    )


def unquote(text: str) -> str:
    """Undo Go's ``%q`` (strconv.Quote): the statement between the quotes as it was."""

    def plain(found: re.Match[str]) -> str:
        escape = found[1]
        if escape[0] in "xuU" and len(escape) > 1:
            return chr(int(escape[1:], 16))
        return ESCAPES.get(escape, escape)

    return ESCAPE.sub(plain, text[1:-1])


def _entries(text: str) -> list[str]:
    """Lines without their stamp, each with the unstamped lines that follow it (SQL text, lists)."""
    entries: list[str] = []
    for line in text.splitlines():
        stamped = STAMP.match(line)
        if stamped or not entries or line.startswith("panic: "):
            entries.append(line[stamped.end() :] if stamped else line)
        else:
            entries[-1] += "\n" + line
    return entries


def _failure(entry: str) -> Failure:
    if entry.startswith("panic: "):
        return Failure(kind="panic", message=entry.splitlines()[0].removeprefix("panic: "))
    if MISSING.search(entry):
        return Failure(kind="missing", message=entry.removeprefix("goose run: "))
    named = ERROR.match(entry)
    if not named:
        return Failure(kind="other", message=entry.removeprefix("goose run: "), code=_code(entry))
    name, rest = named["name"], named["rest"]
    if PARSE in rest:
        return Failure(kind="parse", name=name, message=rest.split(PARSE, 1)[1])
    if found := STATEMENT.search(rest):
        message = found["message"]
        return Failure(kind="sql", name=name, statement=unquote(found[1]), message=message, code=_code(message))
    return Failure(kind="other", name=name, message=rest, code=_code(rest))


def _code(message: str) -> str:
    found = SQLSTATE.search(message) or CLICKHOUSE.search(message)
    return found["code"] if found else ""


def _seconds(number: str, unit: str) -> float:
    if unit.startswith("m") and unit.endswith("s") and unit != "ms":  # Go prints 1m2.5s
        return float(number) * 60 + float(unit[1:-1])
    return float(number) * SECONDS[unit]
