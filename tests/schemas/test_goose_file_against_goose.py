"""The reader of goose files against goose itself: the same statements in the same order, or the same refusal."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.goose_annotation import Direction
from schemas.goose_file import GooseSyntax, Section, parse_direction

ROOT = Path(__file__).resolve().parents[2]
CORPUS = sorted(Path(__file__).with_name("goose_corpus").glob("*.sql"))
EXAMPLES = sorted(ROOT.glob("services/*/migrations/**/*.sql"))
ENVIRONMENT = {
    "NAME": "wren",
    "EMPTY": "",
    "BLANK": "  ",
    "BIRD": "žluva",
    "HALVES": "\u00a0",  # two bytes
    "LINES": "select 1;\n-- then\nselect 2;",
    "HOLDS_DOLLAR": "$NAME",
}
LIMIT = 4 * 1024 * 1024

Ask = Callable[[dict[str, Any]], dict[str, Any]]


def compare(data: bytes, ask_goose: Ask, environment: Mapping[str, str] = ENVIRONMENT) -> None:
    answer = ask_goose({"data": b64encode(data).decode(), "environment": environment})
    for direction in get_args(Direction):
        ours, theirs = read(data, direction, environment), answer[direction]
        if isinstance(ours, GooseSyntax):
            assert theirs["error"], (direction, ours)
            assert ours.goose in theirs["error"], direction
            assert 1 <= ours.line <= data.count(b"\n") + 1
        else:
            sent = [statement.text.encode(errors="surrogateescape") for statement in ours.statements]
            assert not theirs["error"], direction
            assert sent == [b64decode(statement) for statement in theirs["statements"]], direction
            assert ours.transaction == theirs["transaction"], direction


def read(data: bytes, direction: Direction, environment: Mapping[str, str]) -> Section | GooseSyntax:
    try:
        return parse_direction(data, direction, environment)
    except GooseSyntax as refusal:
        return refusal


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_a_hard_file_is_read_as_goose_reads_it(path: Path, ask_goose: Ask) -> None:
    compare(path.read_bytes(), ask_goose)
    compare(path.read_bytes(), ask_goose, environment={})


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: str(path.relative_to(ROOT)))
def test_an_example_file_is_read_as_goose_reads_it(path: Path, ask_goose: Ask) -> None:
    compare(path.read_bytes(), ask_goose)


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n", b"\nselect 1;\n"], ids=["end", "lf", "crlf", "more"])
@pytest.mark.parametrize("size", [LIMIT - 1, LIMIT])
@pytest.mark.parametrize("kind", ["code", "word", "comment"])
def test_a_line_near_the_limit_is_read_as_goose_reads_it(kind: str, size: int, ending: bytes, ask_goose: Ask) -> None:
    head, fill, tail = {
        "code": (b"select '", b" ", b"';"),
        "word": (b"select ", b"x", b";"),
        "comment": (b"--", b"x", b""),
    }[kind]
    line = head + fill * (size - len(head) - len(tail)) + tail
    compare(b"-- +goose Up\n" + line + ending, ask_goose)


@pytest.mark.parametrize("more", [-2, -1])
def test_a_word_that_a_substitution_makes_too_long_hides_its_semicolon(more: int, ask_goose: Ask) -> None:
    value = "x" * (LIMIT + more)
    data = b"-- +goose Up\n-- +goose ENVSUB ON\nselect ${WORD}; ; -- end\nselect 2 \n;\n"
    compare(data, ask_goose, environment={"WORD": value})


ANNOTATIONS = st.sampled_from(
    [
        *("Up", "Down", "StatementBegin", "StatementEnd", "NO TRANSACTION", "ENVSUB ON", "ENVSUB OFF"),
        *("up", "DOWN", "\u017ftatementBegin", "ENVSUB", "Up Down", "", "Up --", "U--p", "no transaction"),
    ]
).flatmap(
    lambda name: st.sampled_from(
        [f"-- +goose {name}"] * 8
        + [f"--+goose {name}", f" -- +goose {name}", f"\v-- +goose {name}", f"-- {name} +goose", f"--\t+goose\t{name} "]
    )
)
EXPANSIONS = st.recursive(
    st.sampled_from(
        [
            *(
                "$NAME",
                "${NAME}",
                "$UNSET",
                "${UNSET?}",
                "${EMPTY:-d}",
                "${EMPTY-d}",
                "${BLANK}",
                "${LINES}",
                "$$",
                "\\$",
            ),
            *(
                "${BIRD:1:1}",
                "${BIRD:2}${BIRD:3:1}",
                "${NAME:-2:-1}",
                "${NAME:1",
                "$",
                "${",
                "${}",
                "$1",
                "$(",
                "\\",
                "\\\\",
            ),
            *(
                "${NAME: -2}",
                "${NAME:9}",
                "${NAME:x}",
                "${NAME: 1 : 2 }",
                "$NAME_1",
                "${NAME!}",
                "${NAME?m}",
                "${HOLDS_DOLLAR}",
            ),
        ]
    ),
    lambda inner: st.tuples(
        st.sampled_from(["${UNSET:-", "${UNSET-", "${EMPTY:-", "${NAME?", "${UNSET?", "${NAME:"]),
        st.lists(inner | st.sampled_from(["a", "}", " ", "ž", ";", ":"]), max_size=3).map("".join),
        st.sampled_from(["}", "}}", ""]),
    ).map("".join),
    max_leaves=4,
)
FRAGMENTS = st.sampled_from(
    [
        *(
            "select 1",
            ";",
            " ;",
            "; ",
            "-- note",
            "--",
            ";--note",
            "; -- note",
            "/* c */",
            "$$",
            "$tag$",
            "';'",
            '"ž;"',
        ),
        *(
            "begin",
            "end;",
            "create function f()",
            "\t",
            "  ",
            "\u00a0",
            "\u2028",
            "\u0085",
            "\x1c",
            "\0",
            "\r",
            "+goose",
        ),
        *("-- see +goose", "\ufeff", "\ufffd", "\udc80", "\udce2\udc82", "a;b", "insert into t values (1);"),
    ]
)
LINES = st.one_of(
    ANNOTATIONS,
    st.lists(FRAGMENTS, max_size=4).map("".join),
    st.lists(FRAGMENTS | EXPANSIONS, max_size=5).map("".join),
    st.lists(FRAGMENTS, max_size=3).map(" ".join).map(lambda text: f"{text};"),
)
TEXTS = st.lists(FRAGMENTS, max_size=3).map("".join)
SOUND = [
    "$NAME",
    "${UNSET}",
    "${EMPTY:-a}",
    "${BIRD:1:1}",
    "${HALVES:1}",
    "$$",
    "${LINES}",
    "${UNSET-${NAME:0:2}}",
    "${BLANK};",
]
BLOCKS = st.lists(TEXTS, max_size=3).map(
    lambda lines: "\n".join(["-- +goose StatementBegin", *lines, "-- +goose StatementEnd"])
)
ITEMS = st.one_of(
    TEXTS.map(lambda text: f"{text};"),
    st.lists(TEXTS, max_size=3).map(lambda lines: "\n".join([*lines, ";"])),
    st.sampled_from(["-- note", "", "  ", "insert into t values (1); -- one", "-- +goose NO TRANSACTION"]),
    st.lists(st.sampled_from([*SOUND, ";", "--", " ", "-- note"]), max_size=5)
    .map("".join)
    .map(lambda text: f"-- +goose ENVSUB ON\n{text}\n;\n-- +goose ENVSUB OFF"),
    BLOCKS,
)
NOISE = st.integers(0, 15).flatmap(lambda chance: ITEMS if chance else LINES)
ENDINGS = st.sampled_from(["\n"] * 8 + ["\r\n", "\r\r\n", "\n\n", "\n  \n"])
HEADS = st.sampled_from(["-- +goose Up\n"] * 14 + ["", "-- +goose NO TRANSACTION\n-- +goose Up\n"])
BODIES = st.lists(st.tuples(NOISE, ENDINGS).map("".join), max_size=5).map("".join)
FILES = st.tuples(HEADS, BODIES, st.sampled_from(["-- +goose Down\n"] * 6 + [""]), BODIES).map("".join)


@settings(max_examples=800, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=FILES)
def test_a_generated_file_is_read_as_goose_reads_it(text: str, ask_goose: Ask) -> None:
    compare(text.encode(errors="surrogateescape"), ask_goose)
