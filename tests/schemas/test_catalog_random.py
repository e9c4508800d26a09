from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from schemas.catalog_file import load
from schemas.errors import CatalogError

WHOLE = (Path(__file__).parent / "cases" / "whole.services.yaml").read_text()
PIECES = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ": ",
    ",",
    "\n",
    "  ",
    "\t",
    "- ",
    "&a ",
    "*a",
    "!!x ",
    "'",
    '"',
    "|",
    ">",
    "#",
    "?",
    "---\n",
]
WORDS = [
    *(
        "version",
        "services",
        "databases",
        "engine",
        "owner",
        "name",
        "postgres",
        "clickhouse",
        "local",
        "dev",
        "all",
        "1",
    ),
    *(
        "null",
        "true",
        "5y",
        "auth-service",
        "auth-service/auth",
        "é",
        "\u2028",
        "\ufeff",
        "\x00",
        "\U0001f600",
        "{service}",
    ),
]


@pytest.fixture(name="folder", scope="module")
def fixture_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("random")
    for service in ("auth", "personal", "identity", "legal", "audit", "analytics"):
        (folder / "services" / f"{service}-service").mkdir(parents=True)
    return folder


def mistaken(folder: Path, raw: bytes) -> int:
    """Load; return how many mistakes there are, each of which stands inside the file."""
    file = folder / "services.yaml"
    file.write_bytes(raw)
    lines = f"{raw.decode('utf-8-sig', errors='replace')}.".splitlines()
    try:
        load(file)
    except CatalogError as error:
        for mistake in error.mistakes:
            assert 1 <= mistake.line <= len(lines), mistake
            assert 1 <= mistake.column <= len(lines[mistake.line - 1]) + 1, mistake
            assert "\n" not in mistake.message
        return len(error.mistakes)
    return 0


EXAMPLES = 250
fast = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@fast
@given(raw=st.binary(max_size=60))
@example(raw=b"\xef\xbb\xbf")
@example(raw=b"\xef\xbb\x80")
@example(raw=b"\xef\xbb\xbfa: \x80")
@example(raw=b"a: \xc2\x85\n b")
def test_bytes_never_surprise(folder: Path, raw: bytes) -> None:
    mistaken(folder, raw)


@fast
@given(words=st.lists(st.sampled_from(PIECES + WORDS), max_size=40))
def test_yaml_like_text_never_surprises(folder: Path, words: list[str]) -> None:
    mistaken(folder, "".join(words).encode())


@fast
@given(
    changes=st.lists(
        st.tuples(st.integers(0, len(WHOLE)), st.integers(0, 12), st.sampled_from(["", *PIECES, *WORDS])),
        min_size=1,
        max_size=4,
    )
)
def test_a_mutated_example_never_surprises(folder: Path, changes: list[tuple[int, int, str]]) -> None:
    text = WHOLE
    for at, length, instead in changes:
        text = text[:at] + instead + text[at + length :]
    mistaken(folder, text.encode())


@fast
@given(
    swaps=st.lists(
        st.tuples(st.sampled_from(WHOLE.split()), st.sampled_from([*WHOLE.split(), *WORDS, "{}", "[]", "5"])),
        max_size=5,
    )
)
def test_an_example_with_swapped_words_never_surprises(folder: Path, swaps: list[tuple[str, str]]) -> None:
    text = WHOLE
    for word, instead in swaps:
        text = text.replace(word, instead, 1)
    mistaken(folder, text.encode())


def test_the_example_itself_has_no_mistake(folder: Path) -> None:
    assert mistaken(folder, WHOLE.encode()) == 0
    assert mistaken(folder, b"\xef\xbb\xbf" + WHOLE.encode()) == 0
    assert mistaken(folder, WHOLE.replace("\n", "\r\n").encode()) == 0
