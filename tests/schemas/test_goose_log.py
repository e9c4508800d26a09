"""goose's log, read: recorded real runs, and lines as they come."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from schemas.goose_log import Ran, parse_line, parse_log, unquote

CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "cases" / "goose_log.yaml").read_text())


@pytest.mark.parametrize("name", CASES)
def test_a_recorded_run_is_read(name: str) -> None:
    log = parse_log(CASES[name]["log"])
    expected = CASES[name]["reads"]
    ran = [f"{file.name} {'empty' if file.empty else 'ok'} {round(file.seconds * 1e3, 5)} ms" for file in log.ran]
    assert ran == expected["ran"]
    assert log.version == expected.get("version")
    assert log.nothing_to_do is expected.get("nothing_to_do", False)
    failure = {
        key: value for key in ("kind", "name", "code", "statement", "message") if (value := _of(log.failure, key))
    }
    assert failure == {key: value for key, value in expected.get("failure", {}).items() if value}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7.35ms", 0.00735),
        ("722.19µs", 0.00072219),
        ("12ns", 1.2e-8),
        ("1.5s", 1.5),
        ("2m3.25s", 123.25),
        ("3m0s", 180),
    ],
)
def test_every_unit_of_goose_is_seconds(text: str, seconds: float) -> None:
    read = parse_line(f"2026/11/23 03:58:50 OK   20250101000000_a.sql ({text})")
    assert read == Ran(name="20250101000000_a.sql", seconds=pytest.approx(seconds), empty=False)  # type: ignore[arg-type]  # approx compares


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ('failed to execute SQL query "SELECT 1": unexpected EOF', True),
        ('failed to execute SQL query "SELECT 1": FATAL: the database system is starting up (SQLSTATE 57P03)', True),
        ('failed to execute SQL query "SELECT 1": FATAL: terminating connection (SQLSTATE 57P01)', True),
        ('failed to execute SQL query "SELECT 1": connection failure (SQLSTATE 08006)', True),
        ('failed to execute SQL query "SELECT 1": ERROR: canceling statement (SQLSTATE 57014)', False),
        ('failed to execute SQL query "SELECT 1": ERROR: no such table (SQLSTATE 42P01)', False),
        ('failed to execute SQL query "SELECT 1": code: 210, message: Connection reset', True),
        ('failed to execute SQL query "SELECT 1": code: 60, message: Unknown table', False),
        ("failed to insert new goose version: failed to connect to `host=x`: dial error", True),
        ("failed to insert new goose version: ERROR: permission denied (SQLSTATE 42501)", False),
    ],
)
def test_a_server_that_went_away_is_told_from_one_that_refused(text: str, *, lost: bool) -> None:
    failure = parse_log(f"2026/11/23 03:58:50 goose run: ERROR 20250101000000_a.sql: {text}").failure
    assert failure is not None
    assert failure.lost is lost


@given(st.text())
def test_no_text_is_taken_for_a_success_that_it_does_not_state(text: str) -> None:
    log = parse_log(text)
    assert log.version is None or str(log.version) in text


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_go_quoting_is_undone(text: str) -> None:
    assert unquote(_go_quote(text)) == text


def _of(value: object, key: str) -> Any:
    return getattr(value, key, None)


def _go_quote(text: str) -> str:
    """Quote as Go's strconv.Quote: printable runes stay, control characters and the rest are escaped."""
    short = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
    out = []
    for character in text:
        if character in '"\\':
            out.append("\\" + character)
        elif character in short:
            out.append(short[character])
        elif character.isprintable():
            out.append(character)
        else:
            code = ord(character)
            out.append(f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
    return '"' + "".join(out) + '"'
