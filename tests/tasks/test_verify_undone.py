"""What of the unfinished things in a database speaks against a release, and what was left so on purpose."""

from __future__ import annotations

import pytest

from schemas.stream import Migration
from tasks.verify.undone import sort
from tools.remote import Undone

INDEX = Undone("partitioned index", "events_at", "events", "a partition has no index attached to it")
CHECK = Undone("constraint", "positive", "orders", "it is NOT VALID")


def holding(text: str) -> Migration:
    return Migration(version=1, name="1_a.sql", path="1_a.sql", sha256="", data=text.encode())


@pytest.mark.parametrize(
    ("undone", "finishing"),
    [
        (INDEX, "ALTER INDEX public.events_at ATTACH PARTITION events_1_at;"),
        (INDEX, 'alter index "events_at" attach partition x;'),
        (CHECK, 'ALTER TABLE orders VALIDATE CONSTRAINT "positive";'),
    ],
)
def test_what_a_file_finishes_speaks_against_a_release(undone: Undone, finishing: str) -> None:
    assert sort([undone], [holding(finishing)]).against
    assert not sort([undone], [holding(finishing)]).remarks


@pytest.mark.parametrize(
    ("undone", "other"),
    [
        (INDEX, "ALTER INDEX new_events_at ATTACH PARTITION x;"),
        (CHECK, "ALTER TABLE orders VALIDATE CONSTRAINT positive_too;"),
    ],
)
def test_what_no_file_finishes_is_only_said(undone: Undone, other: str) -> None:
    assert not sort([undone], [holding(other)]).against
    assert "and no file" in sort([undone], [holding(other)]).remarks[0]


def test_an_invalid_index_always_speaks_against_it() -> None:
    assert sort([Undone("index", "a", "b", "it is invalid")], []).against
