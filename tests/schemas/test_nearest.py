from __future__ import annotations

from schemas.nearest import nearest


def test_the_closest_word_is_suggested() -> None:
    assert nearest("postgress", ["clickhouse", "postgres"]) == " — did you mean `postgres`?"


def test_case_does_not_matter() -> None:
    assert nearest("CI", ["ci", "lint"]) == " — did you mean `ci`?"
    assert nearest("services", iter(["SERVICES"])) == " — did you mean `SERVICES`?"


def test_nothing_is_suggested_when_no_word_is_close() -> None:
    assert nearest("lint", ["version", "root"]) == ""
    assert nearest("", ["a"]) == ""
    assert nearest("a", []) == ""
