"""A push that meets others: branches that move, refusals, lost answers, and what a killed run left."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from schemas.errors import ToolError
from tests.tasks.promote.conftest import VALUES, Place


def hook(repository: Path, name: str, script: str) -> None:
    file = repository / "hooks" / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


def test_a_branch_that_moves_before_the_push_is_committed_on_again(place: Place) -> None:
    colleague = (
        f"cd {place.other}; unset $(git rev-parse --local-env-vars); git pull -q; [ -e two ] && exit 0\n"
        "[ -e one ] && echo two > two; echo one > one; git add -A; git commit -qm colleague; git push -q"
    )
    hook(place.root / ".git", "pre-push", colleague)
    place.promote("cart@dev")
    assert place.image() in place.there()
    assert place.there("two") == "two\n"
    subjects = place.git("log", "--format=%s", "main", at=place.remote).splitlines()
    assert [subject.split(":")[0] for subject in subjects] == ["chore(cart)", "colleague", "colleague", "first"]


def test_two_services_and_a_colleague_at_once_lose_nothing(place: Place) -> None:
    failed: list[BaseException] = []

    def one(service: str) -> None:
        try:
            place.promote(f"{service}@dev")
        except BaseException as error:  # noqa: BLE001 - shown by the test
            failed.append(error)

    threads = [threading.Thread(target=one, args=(service,)) for service in ("cart", "wish")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert place.image() in place.there()
    assert place.image("wish") in place.there("services/wish/values-dev.yaml")


def test_a_remote_that_takes_no_commit_is_told_with_its_words(place: Place) -> None:
    hook(place.remote, "pre-receive", "echo nobody pushes to main >&2; exit 1")
    mine = place.mine()
    with pytest.raises(ToolError) as raised:
        place.promote("cart@dev")
    assert "origin takes no commit on main" in str(raised.value)
    assert "nobody pushes to main" in str(raised.value)
    assert "push: pull-request" in str(raised.value)
    assert place.there() == VALUES
    assert place.mine() == mine


def test_a_push_that_somebody_elses_lock_refused_is_made_again(place: Place) -> None:
    hook(place.remote, "pre-receive", "[ -e refused ] && exit 0; touch refused; exit 1")
    place.promote("cart@dev")
    assert place.image() in place.there()


def test_a_push_whose_answer_is_lost_is_not_made_twice(place: Place) -> None:
    hook(place.remote, "post-update", "kill -9 $PPID")
    place.promote("cart@dev")
    assert place.image() in place.there()
    assert place.git("rev-list", "--count", "main", at=place.remote) == "2"


def test_what_a_killed_run_left_is_written_over(place: Place) -> None:
    left = place.root / ".state" / "promote"
    left.mkdir(parents=True)
    for name in ("index", "index.lock", "content"):
        (left / name).write_text("half")
    place.promote("cart@dev")
    assert place.image() in place.there()
    assert list(left.iterdir()) == []
