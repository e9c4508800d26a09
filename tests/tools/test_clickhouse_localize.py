"""Migrations for a cluster become migrations for one server: what changes, what is proved, what is said instead."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.errors import Refused, ServerError, StreamError
from schemas.goose_file import parse
from tests.tools.localized import fixture_server, migration
from tools.clickhouse import localize, proof
from tools.clickhouse.connection import Address
from tools.clickhouse.cuts import Cut, cuts, without
from tools.clickhouse.localize import Localized, Outcome
from tools.clickhouse.proof import Disproved, NotProvable, Proved
from tools.clickhouse.tokens import tokenize

__all__ = ["fixture_server"]

CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "cases" / "clickhouse_localize.yaml").read_text())
TABLE = (
    "CREATE TABLE a.b ON CLUSTER 'c' (id UInt64, v UInt8) "
    "ENGINE = ReplicatedReplacingMergeTree('/p', 'r', v) ORDER BY id TTL toDate(id) + INTERVAL 1 DAY"
)


def local(server: Address, *statements: str) -> tuple[list[str], tuple[Outcome, ...]]:
    done = localize.localize({"1_a.sql": migration(*statements)}, server.query)
    return [one.text.removesuffix(";") for one in parse(done.texts["1_a.sql"]).up], done.outcomes


@pytest.fixture(scope="module")
def all_cases(server: Address) -> dict[str, tuple[str, Outcome]]:
    names = list(CASES)
    texts, outcomes = local(server, *(CASES[name]["sql"] for name in names))
    return dict(zip(names, zip(texts, outcomes, strict=True), strict=True))


def test_there_are_at_least_sixty_kinds_of_statements() -> None:
    assert len(CASES) >= 60


@pytest.mark.parametrize("name", CASES)
def test_one_server_gets(name: str, all_cases: dict[str, tuple[str, Outcome]]) -> None:
    case, (text, outcome) = CASES[name], all_cases[name]
    assert text == case.get("becomes", case["sql"])
    assert outcome.changed is ("becomes" in case)
    assert ("unproved" in case) is isinstance(outcome.verdict, NotProvable)
    assert case.get("unproved", "") in getattr(outcome.verdict, "reason", "")
    assert case.get("obstacle", "") in outcome.obstacle
    assert bool(outcome.obstacle) is ("obstacle" in case)


def test_what_one_server_gets_runs_unless_it_is_said_why_not(
    server: Address, all_cases: dict[str, tuple[str, Outcome]]
) -> None:
    server.query("CREATE DATABASE shop")
    codes = {name: server.ask(text).code for name, (text, _) in all_cases.items()}
    assert codes == {name: case.get("fails", 0) for name, case in CASES.items()}


def test_two_requests_are_enough_for_any_number_of_statements(server: Address) -> None:
    asked: list[str] = []

    def ask(query: str) -> list[list[Any]]:
        asked.append(query)
        return server.query(query)

    statements = [case["sql"] for case in CASES.values() if len(case["sql"]) < 300] * 3
    files = {f"{number}_a.sql": migration(f"{one} /* {number} */") for number, one in enumerate(statements, 1)}
    done = localize.localize(files, ask)
    assert len(asked) == 2
    assert len(done.outcomes) == len(statements)


def test_a_statement_without_a_syntax_tree_that_nobody_foresaw_is_found_among_the_others(
    server: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "TREELESS", "^never$")
    _, outcomes = local(server, "SELECT 1", "DROP FUNCTION f ON CLUSTER c", "DROP TABLE t ON CLUSTER c", "SELECT 2")
    kinds = [type(one.verdict) for one in outcomes]
    assert kinds == [Proved, NotProvable, Proved, Proved]


def test_a_server_that_is_gone_is_not_taken_for_one_that_has_no_tree(server: Address) -> None:
    def ask(query: str) -> list[list[Any]]:
        if "parseQueryToJSON" in query:
            raise ServerError("ClickHouse cannot be reached")
        return server.query(query)

    with pytest.raises(ServerError, match="cannot be reached"):
        localize.localize({"1_a.sql": migration(TABLE)}, ask)


@pytest.mark.parametrize("service", ["audit-service", "analytics-service"])
def test_the_example_is_rewritten_and_proved(service: str, server: Address) -> None:
    folder = Path(__file__).parents[2] / "services" / service / "migrations"
    files = {path.name: path.read_bytes() for path in folder.glob("*.sql")}
    done = localize.localize(files, server.query)
    assert len(done.outcomes) == 2 * len(files)
    assert {(one.verdict, one.changed, one.obstacle) for one in done.outcomes} == {(Proved(), True, "")}
    assert not any(b"ON CLUSTER" in text or b"Replicated" in text for text in done.texts.values())


WRONG = {
    "the time to live is lost": (b" TTL toDate(id) + INTERVAL 1 DAY", b""),
    "the version column is lost": (b"ReplacingMergeTree(v)", b"ReplacingMergeTree"),
    "the engine is another one": (b"ReplacingMergeTree(v)", b"SummingMergeTree(v)"),
    "the sorting key is another one": (b"ORDER BY id", b"ORDER BY v"),
    "a column is lost": (b", v UInt8", b""),
    "the table is another one": (b"a.b", b"a.c"),
    "the clause stays": (b"a.b ", b"a.b ON CLUSTER 'c' "),
    "the replica stays": (b"MergeTree(v)", b"MergeTree('r', v)"),
    "the engine stays replicated": (b"ReplacingMergeTree(v)", b"ReplicatedReplacingMergeTree('/p', 'r', v)"),
    "it does not parse": (b"ORDER BY", b"ORDRE BY"),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_proof_catches_that(name: str, server: Address) -> None:
    right, wrong = WRONG[name]
    (tokens,) = tokenize([TABLE], server.query)
    good = without(TABLE.encode(), cuts(TABLE.encode(), tokens))
    assert right in good
    before, after, other = proof.read([TABLE, good.decode(), good.replace(right, wrong).decode()], server.query)
    assert proof.judge(before, after) == Proved()
    assert isinstance(proof.judge(before, other), Disproved)


@pytest.mark.parametrize("wrong", ["DROP FUNCTION g", "DROP FUNCTION f ON CLUSTER c", "DROP FUNCTION IF EXISTS f"])
def test_the_canonical_text_catches_what_has_no_syntax_tree(wrong: str, server: Address) -> None:
    before, after, other = proof.read(["DROP FUNCTION f ON CLUSTER c", "DROP FUNCTION f", wrong], server.query)
    assert isinstance(proof.judge(before, after), NotProvable)
    assert isinstance(proof.judge(before, other), Disproved)


def test_a_wrong_rewriting_stops_at_its_line(server: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_much(text: bytes, _tokens: object) -> tuple[Cut, ...]:
        begin = text.find(b" TTL")
        return (Cut(begin, len(text) - 2),) if begin > 0 else ()

    monkeypatch.setattr(localize, "cuts", too_much)
    with pytest.raises(Refused) as caught:
        local(server, "SELECT 1", TABLE)
    assert caught.value.where == "1_a.sql:6"
    assert "storage" in caught.value.why


def test_a_comment_that_would_become_an_annotation_of_goose_is_refused(server: Address) -> None:
    sql = "DROP TABLE a\nON CLUSTER c -- +goose Down\nSYNC"
    with pytest.raises(Refused) as caught:
        local(server, sql)
    assert caught.value.where == "1_a.sql:3"
    assert "goose" in caught.value.why


def test_both_directions_and_several_statements_of_a_file_are_rewritten_in_place(server: Address) -> None:
    text = (
        "-- ON CLUSTER stays here\r\n-- +goose Up\r\n\r\n"
        "DROP TABLE a\r\n  ON CLUSTER\r\n  'c'\r\n  SYNC; -- ON CLUSTER c\r\n"
        "-- +goose Down\r\nDROP TABLE b ON CLUSTER c;\r\nDROP TABLE d ON CLUSTER c;"
    )
    done = localize.localize({"1_a.sql": text.encode()}, server.query)
    assert done.texts["1_a.sql"].decode() == (
        "-- ON CLUSTER stays here\r\n-- +goose Up\r\n\r\nDROP TABLE a\r\n  \r\n\r\n  SYNC; -- ON CLUSTER c\r\n"
        "-- +goose Down\r\nDROP TABLE b ;\r\nDROP TABLE d ;"
    )
    assert [(one.line, one.changed) for one in done.outcomes] == [(4, True), (9, True), (10, True)]


def test_a_cluster_that_a_variable_names_is_left_out_and_its_value_is_not_written(server: Address) -> None:
    text = (
        b"-- +goose ENVSUB ON\n-- +goose Up\n"
        b"DROP TABLE a ON CLUSTER ${CLUSTER} SYNC;\nDROP TABLE ${T:-t} ON CLUSTER '${CLUSTER}';\n"
    )
    done = localize.localize({"1_a.sql": text}, server.query, {"CLUSTER": "secret"})
    assert done.texts["1_a.sql"].endswith(b"\nDROP TABLE a SYNC;\nDROP TABLE ${T:-t} ;\n")
    assert [one.verdict for one in done.outcomes] == [Proved(), Proved()]


def test_an_engine_that_a_variable_names_is_said_and_not_guessed(server: Address) -> None:
    text = (
        b"-- +goose Up\n-- +goose ENVSUB ON\n-- +goose StatementBegin\n"
        b"CREATE TABLE a (k UInt8) ENGINE = ${ENGINE}('/p', 'r') ORDER BY k\n-- +goose StatementEnd\n"
    )
    done = localize.localize({"1_a.sql": text}, server.query, {"ENGINE": "ReplicatedMergeTree"})
    assert done.texts["1_a.sql"] == text
    assert isinstance(done.outcomes[0].verdict, NotProvable)
    assert "cluster" in done.outcomes[0].verdict.reason


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"DROP TABLE a;\n", "before -- +goose Up"), (b"-- +goose Up\nSELECT '\xff';\n", "UTF-8")],
)
def test_a_file_that_goose_or_the_lexer_cannot_read_is_refused(data: bytes, words: str, server: Address) -> None:
    with pytest.raises(StreamError, match=re.escape(words)) as caught:
        localize.localize({"1_a.sql": data}, server.query)
    assert caught.value.where.startswith("1_a.sql:")


def test_no_file_asks_nothing() -> None:
    def ask(_query: str) -> list[list[Any]]:
        raise AssertionError

    assert localize.localize({}, ask) == Localized(texts={}, outcomes=())
