from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from schemas.errors import Refused
from schemas.values_file import DEEPEST, LARGEST, find, written

CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "cases" / "values_file.yaml").read_text())
IMAGE = f"registry.example.com:5000/shop/cart-migrations:m-0123456789abcdef@sha256:{'a' * 64}"
FILE = "values.yaml"
KEY = "migrations.image"

words = st.text("abcxyz-é漢", min_size=1, max_size=6)
comments = st.sampled_from(["", "  # why: 'this'", ' # é \U0001f600 "'])
others = st.builds(
    lambda key, value, comment: f"o-{key}: {value}{comment}",
    words,
    st.sampled_from(["1", "'it''s'", '"a # b"', "[a, {b: c}]", "{}", "|\n  text: x\n  more", "x" * 200, ""]),
    comments,
)
values = st.sampled_from(['""', "''", "old", '"o\\"ld"', "'o''ld'", "~", "", "1.50", "a#b", "registry:5000/x:y"])


@pytest.mark.parametrize("name", CASES)
def test_values_file(name: str) -> None:
    case = CASES[name]
    if "says" in case:
        with pytest.raises(Refused) as raised:
            find(case["text"], KEY, FILE)
        assert case["says"] in str(raised.value)
        return
    assert written(case["text"], find(case["text"], KEY, FILE), "NEW", FILE) == case["becomes"]


@given(
    before=st.lists(others, max_size=4),
    between=st.lists(others, max_size=3),
    after=st.lists(others, max_size=4),
    value=values,
    comment=comments,
    end=st.sampled_from(["\n", "\r\n"]),
    last=st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_only_the_line_of_the_key_differs_and_every_other_value_is_read_as_before(
    *, before: list[str], between: list[str], after: list[str], value: str, comment: str, end: str, last: bool
) -> None:
    inner = [f"  {line}" for entry in between for line in entry.splitlines()]
    lines = [*"\n".join(before).splitlines(), "migrations:", *inner, f"  image: {value}{comment}"]
    text = end.join([*lines, *"\n".join(after).splitlines()]) + end * last
    data = yaml.safe_load(text)
    assume(data["migrations"].get("image") is None or isinstance(data["migrations"]["image"], str | float))
    new = written(text, find(text, KEY, FILE), IMAGE, FILE)
    was, now = text.split(end), new.split(end)
    differing = [number for number, (one, other) in enumerate(zip(was, now, strict=True)) if one != other]
    assert differing == [len(lines) - 1]
    assert now[len(lines) - 1].endswith(comment)
    data["migrations"]["image"] = IMAGE
    assert yaml.safe_load(new) == data
    assert written(new, find(new, KEY, FILE), IMAGE, FILE) == new


@given(st.text(st.sampled_from("migrations.image: \n\t\"'{}[]#&*!|>-é\r\ufeff\u2028")))
@settings(max_examples=200, deadline=None)
def test_any_text_is_found_or_refused(text: str) -> None:
    try:
        spot = find(text, KEY, FILE)
    except Refused:
        return
    assert find(written(text, spot, IMAGE, FILE), KEY, FILE).text == IMAGE


def test_what_nobody_writes_by_hand_is_refused() -> None:
    with pytest.raises(Refused, match="larger than"):
        find("#" * (LARGEST + 1), KEY, FILE)
    with pytest.raises(Refused, match="nested deeper"):
        find("[" * (DEEPEST + 2), KEY, FILE)
    with pytest.raises(Refused, match="not YAML"):
        find("a: \0", KEY, FILE)
