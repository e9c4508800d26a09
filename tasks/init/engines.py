"""Which engine a stream is written for, told by the words of its SQL."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from schemas.statement import Statement

__all__ = ["DRIVERS", "Reading", "Verdict", "read", "verdict"]

COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
BLANK = re.compile(  # what is no word of the statement itself
    rf"{COMMENT.pattern}|'(?:[^'\\]|\\.|'')*'|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$", re.DOTALL
)
SIGNS = {
    "clickhouse": r"ENGINE\s*=\s*\w*MergeTree|ENGINE\s*=\s*(?:Distributed|Kafka|Buffer|MaterializedView|S3Queue)\b"
    r"|\bON\s+CLUSTER\b|\bgenerateUUIDv[47]\b|\bLowCardinality\s*\(|\bDateTime64\b|\bNullable\s*\(|\bUInt\d+\b"
    r"|\btoYYYYMM\b",
    "postgres": r"\bTIMESTAMPTZ\b|\bTIMESTAMP\s+WITH(?:OUT)?\b|\b(?:BIG|SMALL)?SERIAL\b|\bJSONB\b|\bgen_random_uuid\b"
    r"|\bLANGUAGE\s+plpgsql\b|\bCREATE\s+EXTENSION\b|\bCREATE\s+TYPE\b|\bBYTEA\b|\bCITEXT\b|\bINDEX\s+CONCURRENTLY\b"
    r"|\bAS\s+IDENTITY\b|\buuid_generate_v4\b|\bNOT\s+VALID\b",
    "mysql": r"ENGINE\s*=\s*InnoDB|\bAUTO_INCREMENT\b|\bDEFAULT\s+CHARSET\b|\bUNSIGNED\b",
    "sqlite": r"\bAUTOINCREMENT\b|\bWITHOUT\s+ROWID\b|\bPRAGMA\s+\w+",
    "mssql": r"\bIDENTITY\s*\(\s*1|\bNVARCHAR\b|\bDATETIME2\b",
}
SIGN = re.compile("|".join(f"(?P<{engine}>{words})" for engine, words in SIGNS.items()), re.IGNORECASE)
DRIVERS = {
    **dict.fromkeys(("postgres", "postgresql", "pgx"), "postgres"),
    "clickhouse": "clickhouse",
    **{name: name for name in ("mysql", "mssql", "redshift", "tidb", "vertica", "ydb", "turso", "cockroachdb")},
    **dict.fromkeys(("sqlite", "sqlite3"), "sqlite"),
}
NAMED = r"(?:IF\s+(?:NOT\s+)?EXISTS\s+)?(?:ONLY\s+)?(?P<{0}>[\w\"`.]+)"
ABOUT = re.compile(
    rf"\bCREATE\s+(?:(?:UNLOGGED|TEMP|TEMPORARY|FOREIGN|MATERIALIZED)\s+|OR\s+REPLACE\s+)*(?:TABLE|VIEW)\s+"
    rf"{NAMED.format('made')}"
    rf"|\bRENAME\s+TO\s+(?P<renamed>[\w\"`.]+)|\bALTER\s+TABLE\s+(?!IF\b){NAMED.format('altered')}"
    r"|\bREFERENCES\s+(?P<referred>[\w\"`.]+)|\bINSERT\s+INTO\s+(?P<filled>[\w\"`.]+)"
    rf"|\bINDEX\s+(?:CONCURRENTLY\s+)?(?:IF\s+NOT\s+EXISTS\s+)?[\w\"]*\s*\bON\s+{NAMED.format('indexed')}",
    re.IGNORECASE,
)


class Reading(NamedTuple):
    """What a stream's statements say: the first place of each engine's words, how many, and names of tables."""

    places: dict[str, tuple[str, str, int]]  # engine -> words, path, line
    counts: dict[str, int]
    qualifiers: dict[str, int]  # of tables that are made or altered: how often each database is named
    foreign: tuple[str, str, int] | None  # the first table that is used and that no statement before has made


class Verdict(NamedTuple):
    """An engine, and why it is taken for that."""

    engine: str
    why: str


def read(statements: Iterable[tuple[str, Statement]]) -> Reading:
    """Read the statements in order, each with the path of its file."""
    places: dict[str, tuple[str, str, int]] = {}
    counts: dict[str, int] = {}
    qualifiers: dict[str, int] = {}
    made: set[str] = set()
    foreign: tuple[str, str, int] | None = None
    for path, statement in statements:
        plain = BLANK.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), statement.text)
        for found in SIGN.finditer(plain):
            engine = found.lastgroup or ""
            counts[engine] = counts.get(engine, 0) + 1
            places.setdefault(engine, (re.sub(r"\s+", " ", found[0]), path, statement.locate(found.start() + 1)[0]))
        inside = COMMENT.sub(" ", statement.text)  # a body or a text may make tables too
        made |= {_table(name) for kind, name, _ in _tables(inside) if kind in {"made", "renamed"}}
        for kind, name, offset in _tables(plain):
            database, table = name.rpartition(".")[0], _table(name)
            if database and kind in {"made", "altered"}:
                qualifiers[database] = qualifiers.get(database, 0) + 1
            if kind not in {"made", "renamed"} and table not in made and foreign is None:
                foreign = name, path, statement.locate(offset + 1)[0]
    return Reading(places=places, counts=counts, qualifiers=qualifiers, foreign=foreign)


def verdict(reading: Reading, *, driver: tuple[str, str] | None = None, word: str = "") -> Verdict:
    """Decide: the SQL first, then what the chart says (``driver`` and where), then the folder's ``word``."""
    if reading.counts:
        engine = max(reading.counts, key=lambda one: reading.counts[one])
        others = [one for one in reading.places if one != engine]
        doubt = "".join(f", but {_place(reading.places[one])} is of {one}" for one in others[:1])
        return Verdict(engine=engine, why=f"{_place(reading.places[engine])}{doubt}")
    if driver:
        return Verdict(engine=DRIVERS.get(driver[0].lower(), driver[0]), why=f"{driver[1]} says {driver[0]}")
    if word in {"clickhouse", "postgres", "postgresql"}:
        return Verdict(engine=DRIVERS[word], why="the folder's name says so")
    return Verdict(engine="postgres", why="nothing in its files says another")


def _place(place: tuple[str, str, int]) -> str:
    words, path, line = place
    return f"{words} in {path.rpartition('/')[2]}:{line}"


def _table(name: str) -> str:
    return name.rpartition(".")[2].lower()


def _tables(plain: str) -> Iterator[tuple[str, str, int]]:
    for found in ABOUT.finditer(plain):
        kind = found.lastgroup or ""
        name = found[kind].translate({ord(quote): None for quote in '"`'})
        if name and not name.lower().startswith(("pg_catalog.", "information_schema.")):
            yield kind, name, found.start()
