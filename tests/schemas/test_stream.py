from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.stream import Stream, collect, listing, read, version_of

GOOD = "-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;\n"

Ask = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "root" / "migrations"
    made.mkdir(parents=True)
    return made


def fill(folder: Path, *names: str, text: str = GOOD) -> None:
    for name in names:
        (folder / name).write_text(text, encoding="utf-8")


def problems(folder: Path) -> list[tuple[str, int, str]]:
    return [(problem.path, problem.line, problem.message) for problem in read(folder, folder.parent).problems]


def test_files_are_ordered_by_version_and_read_once(folder: Path) -> None:
    fill(folder, "10_c.sql", "9_b.sql", "0001_a.sql", "+11_d.sql")
    stream = read(folder, folder.parent)
    assert [(one.version, one.path) for one in stream.migrations] == [
        (1, "migrations/0001_a.sql"),
        (9, "migrations/9_b.sql"),
        (10, "migrations/10_c.sql"),
        (11, "migrations/+11_d.sql"),
    ]
    assert stream.migrations[0].data == GOOD.encode()
    assert stream.migrations[0].sha256 == sha256(GOOD.encode()).hexdigest()
    assert stream.problems == ()


def test_what_goose_passes_over_is_no_problem(folder: Path) -> None:
    fill(folder, "1_a.sql", "README.md", "helpers.go", "2_b_test.go", "3_c.sql.bak", "seed.txt")
    (folder / "more").mkdir()
    fill(folder / "more", "4_d.sql")
    assert read(folder, folder.parent) == collect(folder, folder.parent)
    assert [one.name for one in read(folder, folder.parent).migrations] == ["1_a.sql"]
    assert problems(folder) == []


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("abc.sql", "no _"),
        (".sql", "no _"),
        ("_a.sql", "“” is no whole number"),
        ("1.5_a.sql", "“1.5”"),
        ("٣_a.sql", "no whole number"),
        ("0_a.sql", "greater than zero"),
        ("-1_a.sql", "greater than zero"),
        ("9223372036854775808_a.sql", "64 bits"),
        ("._1_a.sql", "“.”"),
        ("2_b.SQL", "small letters"),
        ("2_b.go", "in Go"),
    ],
)
def test_a_name_that_goose_refuses_or_overlooks_is_a_problem(folder: Path, name: str, word: str) -> None:
    fill(folder, "1_a.sql", name)
    ((path, line, message),) = problems(folder)
    assert (path, line) == (f"migrations/{name}", 0)
    assert word in message


def test_files_with_one_version_are_a_problem_of_each_but_the_first(folder: Path) -> None:
    fill(folder, "1_a.sql", "01_b.sql", "001_c.sql", "2_d.sql")
    assert [(path, "001_c.sql" in message) for path, _, message in problems(folder)] == [
        ("migrations/01_b.sql", True),
        ("migrations/1_a.sql", True),
    ]


def test_a_missing_an_empty_and_a_wrong_folder_are_told_apart(folder: Path) -> None:
    assert "no migration" in problems(folder)[0][2]
    assert "does not exist" in problems(folder / "none")[0][2]
    fill(folder, "file")
    assert "Not a directory" in problems(folder / "file")[0][2]


def test_what_is_no_plain_file_is_a_problem(folder: Path) -> None:
    (folder / "1_folder.sql").mkdir()
    os.mkfifo(folder / "2_pipe.sql")
    (folder / "3_nowhere.sql").symlink_to("gone.sql")
    (folder / "4_loop.sql").symlink_to("4_loop.sql")
    fill(folder.parent.parent, "outside.sql")
    (folder / "5_outside.sql").symlink_to(folder.parent.parent / "outside.sql")
    fill(folder.parent, "inside.sql")
    (folder / "6_inside.sql").symlink_to(folder.parent / "inside.sql")
    stream = read(folder, folder.parent)
    assert [one.name for one in stream.migrations] == ["6_inside.sql"]
    words = ["is a folder", "no plain file", "leads nowhere", "the link leads", "out of the monorepo"]
    assert [word in problem.message for word, problem in zip(words, stream.problems, strict=True)] == [True] * 5
    assert len(listing(folder)) == 6


def test_a_file_that_goose_refuses_in_either_direction_is_a_problem_with_its_line(folder: Path) -> None:
    fill(folder, "1_a.sql", text="-- +goose Up\nSELECT 1\n")
    fill(folder, "2_b.sql", text="-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2\n")
    (folder / "3_c.sql").write_bytes(b"-- +goose Up\nSELECT 1;\n-- \xff\n")
    fill(folder, "4_d.sql", text="-- +goose Up\n-- +goose StatementBegin\n-- +goose StatementEnd\nSELECT 1;\n")
    assert [(path[-7:], line) for path, line, _ in problems(folder)] == [
        ("1_a.sql", 2),
        ("2_b.sql", 4),
        ("3_c.sql", 3),
        ("4_d.sql", 4),
    ]
    assert collect(folder, folder.parent).problems == ()


def test_a_problem_says_what_to_do(folder: Path) -> None:
    fill(folder, "a.sql", "2_b.SQL", "3_c.go", "4_d.sql", "04_d.sql")
    assert all(problem.remedy for problem in read(folder, folder.parent).problems)


def test_an_edited_file_has_another_entry(folder: Path) -> None:
    fill(folder, "1_a.sql", "2_b.sql", "notes.txt")
    before = listing(folder)
    fill(folder, "2_b.sql", text=GOOD + "-- more\n")
    after = listing(folder)
    assert [entry.name for entry in before] == ["1_a.sql", "2_b.sql"]
    assert before[0] == after[0]
    assert before[1] != after[1]


NAMES = st.one_of(
    st.sampled_from(
        ["1_a.sql", "01_b.sql", "2_c.sql", "2_c.go", "x.sql", "x.go", "3.sql", ".sql", "_.sql", "README.md"]
    ),
    st.tuples(
        st.text("0123456789+-_ .٣x", max_size=4) | st.integers(2**63 - 2, 2**63 + 1).map(str),
        st.sampled_from(["_a", "_", "", "_a_b", "_test"]),
        st.sampled_from([".sql", ".go", ".SQL", ".sql~", ".sql.go"]),
    ).map("".join),
).filter(lambda name: name not in {".", ".."})


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(NAMES, max_size=4, unique=True))
def test_a_folder_is_collected_as_goose_collects_it(
    names: list[str], tmp_path_factory: pytest.TempPathFactory, ask_goose: Ask
) -> None:
    folder = tmp_path_factory.mktemp("root") / "migrations"
    folder.mkdir()
    fill(folder, *names)
    stream = collect(folder, folder.parent)
    answer = ask_goose({"dir": str(folder)})
    if "error" in answer:
        assert any(said(problem.message) in answer["error"] for problem in stream.problems), (answer, stream)
    else:
        taken = [(source["version"], source["name"]) for source in answer["sources"]]
        assert [one for one in taken if not one[1].endswith(".go")] == ours(stream)
        assert [name for _, name in taken if name.endswith(".go")] == sorted(
            (Path(problem.path).name for problem in stream.problems if "in Go" in problem.message),
            key=lambda name: int(name.partition("_")[0]),
        )
        overlooked = [problem for problem in stream.problems if "in Go" not in problem.message]
        assert all("small letters" in problem.message for problem in overlooked)


def ours(stream: Stream) -> list[tuple[int, str]]:
    return [(one.version, one.name) for one in stream.migrations]


def said(message: str) -> str:
    phrases = {
        "there is no _": "no filename separator '_' found",
        "whole number": "failed to parse version from migration file",
        "greater than zero": "migration version must be greater than zero",
        "in a panic": "panic: goose: duplicate version",
        "holds no migration": "no migration files found",
        "does not exist": "directory does not exist",
    }
    return next((goose for word, goose in phrases.items() if word in message), "an error that goose does not make")


def test_a_missing_folder_is_refused_by_goose_too(folder: Path, ask_goose: Ask) -> None:
    answer = ask_goose({"dir": str(folder / "none")})
    assert said(read(folder / "none", folder.parent).problems[0].message) in answer["error"]


def test_a_version_is_a_number_or_a_reason() -> None:
    assert version_of("9223372036854775807_a.sql") == 2**63 - 1
    assert version_of(f"{'0' * 200}1_a.sql") == 1
    assert isinstance(version_of(f"{'9' * 200}_a.sql"), str)
