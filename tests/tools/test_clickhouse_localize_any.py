"""Migrations in any layout, and whatever else stands in a statement: rewritten with a proof, or left alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.goose_file import parse
from tests.tools.localized import fixture_server, migration
from tools.clickhouse import localize
from tools.clickhouse.connection import Address
from tools.clickhouse.proof import Proved
from tools.clickhouse.tokens import Token, tokenize

__all__ = ["fixture_server"]

ONE = partial(st.sampled_from)
GAPS = ONE(
    [" ", "  ", "\n", "\r\n  ", "\t", " /* ON CLUSTER c */ ", " -- ENGINE = ReplicatedMergeTree\n", "/**/", " # ä\n"]
)
NAMES = ONE(
    ["t", "`ON CLUSTER c`", '"ENGINE = ReplicatedMergeTree(1)"', "`größe 🐦`", "`a``b`", "`a\\`b`", "cluster", "engine"]
)
CLUSTERS = ONE(["c", "'c'", '"c d"', "`c`", "'{cluster}'", "$x$c$x$", "'ö'", "'a\\'b'", "'a''b'", "on", "cluster"])
STRINGS = ONE(["'/p/{shard}'", "'a, b'", "'('", "''", "$t$ON CLUSTER c$t$", "'it\\'s'", "'ENGINE'", "'größe'"])
FAMILIES = ONE(["MergeTree", "ReplacingMergeTree", "SummingMergeTree", "AggregatingMergeTree"])
CASED = ONE([str.upper, str.lower, str.title])


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A CREATE TABLE for a cluster, and the tokens that one server should get."""
    gap, case = partial(draw, GAPS), draw(CASED)
    name, column, family = draw(NAMES), draw(NAMES), draw(FAMILIES)
    clause = [case("on"), case("cluster"), draw(CLUSTERS)] if draw(st.booleans()) else []
    style = draw(ONE(["paths", "empty", "bare"]))
    rest = [column] if family == "ReplacingMergeTree" and style != "bare" and draw(st.booleans()) else []
    paths = [draw(STRINGS), ",", draw(STRINGS)] if style == "paths" else []
    opening, closing = ([], []) if style == "bare" else (["("], [")"])
    comma = [","] if paths and rest else []
    head = [case("create"), case("table"), name]
    definition = ["(", column, "UInt8", case("default"), "length", "(", draw(STRINGS), ")", ")", case("engine"), "="]
    tail = [case("order"), case("by"), column, case("comment"), draw(STRINGS)]
    written = [*head, *clause, *definition, f"Replicated{family}", *opening, *paths, *comma, *rest, *closing, *tail]
    text = "".join(f"{piece}{gap()}" for piece in written)
    return text, [*head, *definition, family, *opening, *rest, *closing, *tail]


def seen(text: str, tokens: Sequence[Token]) -> list[tuple[int, bytes]]:
    """What the parser and what a reader see: each piece but white space, with its line."""
    data = text.encode()
    return [(data.count(b"\n", 0, one.begin), data[one.begin : one.end]) for one in tokens if one.kind != "Whitespace"]


@settings(max_examples=40, deadline=None)
@given(tables=st.lists(tables(), min_size=1, max_size=8))
def test_a_table_in_any_layout_loses_its_cluster_and_nothing_else(
    tables: list[tuple[str, list[str]]], server: Address
) -> None:
    data = migration(*(text for text, _ in tables))
    done = localize.localize({"1_a.sql": data}, server.query)
    copy = done.texts["1_a.sql"]
    assert all(one.verdict == Proved() for one in done.outcomes)
    assert copy.count(b"\n") == data.count(b"\n")
    assert localize.localize({"1_a.sql": copy}, server.query).texts == done.texts
    before, after = parse(data).up, parse(copy).up
    assert [one.line for one in before] == [one.line for one in after]
    found = tokenize([one.text for one in (*before, *after)], server.query)
    for (_, wanted), old, new, old_tokens, new_tokens in zip(
        tables, before, after, found[: len(before)], found[len(before) :], strict=True
    ):
        old_seen, new_seen = seen(old.text, old_tokens), seen(new.text, new_tokens)
        comments = [piece for _, piece in old_seen if is_comment(piece)]
        assert [piece for _, piece in new_seen if is_comment(piece)] == comments
        assert [piece.decode() for _, piece in new_seen if not is_comment(piece)] == [*wanted, ";"]
        assert {line for line in new_seen if b"MergeTree" not in line[1]} <= set(old_seen)


def is_comment(piece: bytes) -> bool:
    return piece.startswith((b"--", b"/*", b"#"))


BEGINNINGS = st.sampled_from(["CREATE TABLE a ", "CREATE TABLE a (k UInt8) ENGINE = ", "DROP TABLE a ", "SELECT 1 "])
FRAGMENTS = st.one_of(
    st.sampled_from([*"'\"`(),\n\\;=\0é", "$a$", "/*", "*/", "-- ", "ON ", "CLUSTER ", "c ", "ENGINE = "]),
    st.sampled_from(
        ["ReplicatedMergeTree", "ORDER BY k ", "ON CLUSTER c ", "AS SELECT ", "('/p', 'r') ", "(k UInt8) "]
    ),
)
SCRAPS = st.builds(lambda first, rest: first + "".join(rest), BEGINNINGS, st.lists(FRAGMENTS, max_size=12))


@settings(max_examples=40, deadline=None)
@given(texts=st.lists(SCRAPS, min_size=1, max_size=20))
def test_whatever_stands_in_a_statement_it_is_proved_or_left_alone(texts: list[str], server: Address) -> None:
    data = migration(*texts)
    done = localize.localize({"1_a.sql": data}, server.query)
    assert done.texts["1_a.sql"].count(b"\n") == data.count(b"\n")
    assert len(done.outcomes) == len(texts)
    assert all(one.verdict == Proved() or not one.changed for one in done.outcomes)
