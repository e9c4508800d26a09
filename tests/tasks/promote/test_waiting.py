"""Whose turn it is with a release by pull request, and what environments have, read from a real remote."""

from __future__ import annotations

import pytest

from schemas.errors import GanderError, Waiting
from schemas.target import Target
from tasks.promote.history import NOBODY, earlier
from tasks.promote.request import waiting
from tasks.promote.standing import Seen, look
from tests.tasks.promote.conftest import VALUES, Named, Place


def seen(place: Place, word: str) -> dict[Target, Seen | GanderError]:
    work = place.work(word)
    return look(work.catalog, work.targets)


def branch(place: Place, word: str, image: str) -> list[str]:
    """The branches that wait with an image."""
    there = seen(place, word)
    return list(waiting(there, dict.fromkeys(there, image)).values())


def test_a_branch_waits_from_its_push_to_its_merge_and_for_its_own_image_alone(place: Place) -> None:
    assert branch(place, "cart@qa", place.image()) == []
    with pytest.raises(Waiting):
        place.promote("cart@qa")
    name = f"promote/qa/cart-m-{place.git('rev-parse', 'HEAD')[:16]}"
    assert branch(place, "cart@qa", place.image()) == [name]
    assert branch(place, "cart@qa", place.image().replace(":m-", ":m-0")) == []
    assert branch(place, "wish@qa", place.image("wish")) == []
    assert branch(place, "cart@dev", place.image()) == []
    place.git("pull", "--quiet", "origin", name, at=place.other)
    place.git("push", "--quiet", "origin", "HEAD:main", at=place.other)
    assert branch(place, "cart@qa", place.image()) == []
    place.elsewhere(VALUES, "services/cart/values-qa.yaml")
    assert branch(place, "cart@qa", place.image()) == []


def test_what_an_environment_has_is_told_by_the_commit_that_wrote_it_down(place: Place) -> None:
    images = Named(place, "HEAD")
    (nothing,) = earlier(seen(place, "cart@dev"), images).values()
    assert nothing == ("", None, NOBODY)
    place.promote("cart@dev")
    (known,) = earlier(seen(place, "cart@dev"), images).values()
    assert (known.commit, list(known.streams or {})) == (place.git("rev-parse", "HEAD"), ["cart"])
    place.elsewhere(place.there().replace(":m-", ":by-hand-"))
    (by_hand,) = earlier(seen(place, "cart@dev"), images).values()
    assert by_hand == ("", None, NOBODY)


def test_a_release_that_cannot_be_looked_at_has_no_history(place: Place) -> None:
    assert earlier(seen(place, "cart@bare"), Named(place, "HEAD")) == {}
