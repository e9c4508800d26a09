from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import Refused
from schemas.goose_file import GooseSyntax, parse
from tasks.revert import inverted

ROOT = Path(__file__).parents[2]
EXAMPLE = sorted((ROOT / "services").rglob("*.sql"))
CORPUS = sorted((ROOT / "tests" / "schemas" / "goose_corpus").glob("*.sql"))


def both(data: bytes) -> tuple[list[str], list[str], bool]:
    parsed = parse(data)
    up, down = (
        [one.text for one in part if one.text] for part in (parsed.up, parsed.down)
    )  # an empty one does nothing
    return up, down, parsed.transaction


@pytest.mark.parametrize("file", [*EXAMPLE, *CORPUS], ids=lambda file: file.stem)
def test_goose_reads_the_two_directions_exchanged(file: Path) -> None:
    data = file.read_bytes()
    try:
        up, down, transaction = both(data)
        text = inverted(data, file.name)
    except (GooseSyntax, Refused):
        return
    assert both(text.encode("utf-8", "surrogateescape")) == (down, up, transaction)


def test_most_of_the_example_can_be_reverted() -> None:
    assert len([file for file in EXAMPLE if inverted(file.read_bytes(), file.name)]) == len(EXAMPLE)


def test_a_file_that_says_it_is_irreversible_is_refused_with_its_reason() -> None:
    with pytest.raises(Refused, match="cannot be taken back") as raised:
        inverted(b"-- +goose Up\nSELECT 1;\n-- +goose Down\n-- irreversible: the values are gone\n", "a.sql")
    assert raised.value.why == "it says: the values are gone"


def test_values_that_were_put_in_are_not_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIZE", "3")
    text = b"-- +goose ENVSUB ON\n-- +goose Up\nSELECT ${SIZE};\n-- +goose Down\nSELECT 1;\n"
    with pytest.raises(Refused, match="ENVSUB"):
        inverted(text, "a.sql")
