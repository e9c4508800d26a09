"""What the reader tells beyond goose: where things stand, why a file is refused, what is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.goose_file import GooseSyntax, parse, parse_direction

UP = "-- +goose Up\n"
DOWN = "-- +goose Down\n"


def refusal(text: str, environment: dict[str, str] | None = None) -> GooseSyntax:
    with pytest.raises(GooseSyntax) as caught:
        parse(text.encode(), environment)
    return caught.value


def test_a_file_is_two_lists_of_statements_with_their_lines() -> None:
    text = f"{UP}-- why\nCREATE TABLE a (\n  id text\n);\n\nSELECT 1; -- one\n{DOWN}\nDROP TABLE a;\n"
    parsed = parse(text.encode())
    assert [(one.text, one.line, one.end_line) for one in parsed.up] == [
        ("CREATE TABLE a (\n  id text\n);", 3, 5),
        ("SELECT 1; -- one", 7, 7),
    ]
    assert [(one.text, one.line) for one in parsed.down] == [("DROP TABLE a;", 10)]
    assert parsed.transaction
    assert parsed.has_down
    assert not parsed.envsub


def test_annotations_are_told_with_their_lines() -> None:
    parsed = parse(b"-- +goose no transaction\n-- +goose UP\n-- +goose StatementBegin\nSELECT 1\n--+goose statementend")
    assert [(one.name, one.line) for one in parsed.annotations] == [
        ("NO TRANSACTION", 1),
        ("Up", 2),
        ("StatementBegin", 3),
        ("StatementEnd", 5),
    ]
    assert not parsed.transaction
    assert not parsed.has_down
    assert parsed.up[0].block


def test_a_substituted_line_keeps_its_number_and_loses_its_columns() -> None:
    text = f"{UP}-- +goose ENVSUB ON\nSELECT 1,\n  '${{NAME}}',\n  oops;\n"
    parsed = parse(text.encode(), {"NAME": "wren\nrobin"})
    (statement,) = parsed.up
    assert parsed.envsub
    assert statement.substituted
    assert statement.text == "SELECT 1,\n  'wren\nrobin',\n  oops;"
    assert statement.locate(statement.text.index("1") + 1) == (3, 8)
    assert statement.locate(statement.text.index("robin") + 1) == (4, None)
    assert statement.locate(statement.text.index("oops") + 1) == (5, 3)


def test_the_position_after_the_last_character_is_the_end_of_its_line() -> None:
    (statement,) = parse(f"{UP}SELECT\r\n  (;\r\n".encode()).up
    assert statement.locate(len(statement.text) + 1) == (3, 5)
    assert statement.locate(10_000) == (3, 5)


def test_a_statement_of_nothing_has_a_place_too() -> None:
    (statement,) = parse(f"{UP}-- +goose StatementBegin\n  \n-- +goose StatementEnd\n".encode()).up
    assert statement.text == ""
    assert statement.locate(1) == (4, 1)


def test_a_line_after_an_empty_block_is_told_as_lost() -> None:
    text = f"{UP}-- +goose StatementBegin\n-- +goose StatementEnd\n-- note\nSELECT 1;\nSELECT 2;\n"
    parsed = parse(text.encode())
    assert [statement.text for statement in parsed.up] == ["", "SELECT 2;"]
    assert parsed.lost == (5,)


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("", 1, "no -- +goose Up"),
        ("\ufeff-- +goose Up\n", 1, "byte order mark"),
        ("\n-- note\nSELECT 1;\n", 3, "before -- +goose Up"),
        (f"{UP}SELECT 1;\n{UP}", 3, "second one"),
        (f"{DOWN}{UP}", 1, "Down must follow"),
        (f"{UP}-- +goose StatementBegin\nSELECT 1;\n", 2, "never closed"),
        (f"{UP}-- +goose StatementBegin\n-- +goose StatementBegin\n", 3, "outside another block"),
        (f"{UP}SELECT 1;\n-- +goose StatementEnd\n", 3, "closes no StatementBegin"),
        (f"{UP}-- +goose Rollback\n", 2, "“Rollback”"),
        (f"{UP}  -- +goose Down\n", 2, "first column"),
        (f"{UP}-- +goose\n", 2, "no name"),
        (f"{UP}-- +goose Up +goose Down\n", 2, "twice"),
        (f"{UP}-- +goose ENVSUB ON\nSELECT $1;\n", 3, "Expected identifier to start with a letter"),
        (f"{UP}-- +goose ENVSUB ON\nSELECT '${{A?}}';\n", 3, "A is not set"),
    ],
)
def test_a_refusal_names_the_line_and_what_to_change(text: str, line: int, word: str) -> None:
    found = refusal(text)
    assert found.line == line
    assert word in found.message
    assert found.remedy
    assert found.directions == ("up", "down")


@pytest.mark.parametrize(
    ("text", "line"),
    [(f"{UP}SELECT 1;\n\nSELECT\n  2\n", 4), (f"{UP}SELECT 1;--note\n{DOWN}", 2), (f"{UP}SELECT 1;\n  \n-- note\n", 4)],
)
def test_an_unfinished_statement_is_named_by_the_line_it_begins_at(text: str, line: int) -> None:
    found = refusal(text)
    assert found.line == line
    assert "not finished" in found.message
    assert found.directions == ("up",)


def test_a_mistake_in_one_section_may_refuse_one_direction_only() -> None:
    text = f"{UP}SELECT 1;\n{DOWN}SELECT 2\n"
    assert refusal(text).directions == ("down",)
    assert [statement.text for statement in parse_direction(text.encode(), "up").statements] == ["SELECT 1;"]
    with pytest.raises(GooseSyntax):
        parse_direction(text.encode(), "down")


def test_a_refusal_does_not_repeat_the_values_of_variables() -> None:
    text = f"{UP}-- +goose ENVSUB ON\nSELECT '${{UNSET?because of ${{SECRET}}}}';\n"
    found = refusal(text, {"SECRET": "hunter2"})
    assert "hunter2" not in f"{found} {found.message} {found.goose}"


def test_expansions_nested_without_end_are_refused() -> None:
    text = f"{UP}-- +goose ENVSUB ON\nSELECT '{'${A:-' * 5000}x{'}' * 5000}';\n"
    assert "nested too deeply" in refusal(text).message


LINES = st.sampled_from(
    [
        *("-- +goose StatementBegin", "-- +goose StatementEnd", "-- +goose Down", "-- +goose NO TRANSACTION"),
        *("SELECT 'žluva',", "  1;", "", "  ", "-- note", "\t2 -- 🦢;", " ; ", "a\rb;", "\u2003x;\u00a0"),
    ]
)


@given(lines=st.lists(LINES, max_size=20), ending=st.sampled_from(["\n", "\r\n"]))
def test_every_character_of_a_statement_is_found_at_its_place_in_the_file(lines: list[str], ending: str) -> None:
    data = ending.join(["-- +goose Up", *lines]).encode()
    try:
        parsed = parse(data)
    except GooseSyntax:
        return
    text = data.decode().split("\n")
    for statement in (*parsed.up, *parsed.down):
        for position, character in enumerate(statement.text, 1):
            line, column = statement.locate(position)
            assert column is not None
            assert statement.line <= line <= statement.end_line
            found = (text[line - 1].removesuffix("\r") + "\n")[column - 1]
            assert found == character
