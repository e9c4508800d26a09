"""A promotion is one line of one file on the branch that an environment follows, whatever the checkout looks like."""

from __future__ import annotations

import pytest

from schemas.errors import ToolError, Waiting
from tests.tasks.promote.conftest import FILE, VALUES, Place


def test_one_line_of_one_file_says_the_image_and_again_there_is_nothing_to_do(place: Place) -> None:
    before, mine = place.git("rev-parse", "main", at=place.remote), place.mine()
    assert place.answers("cart@dev")["promote:cart@dev"].up_to_date is False
    done = place.promote("cart@dev")
    assert place.there() == VALUES.replace('""', f'"{place.image()}"')
    assert place.git("diff", "--name-only", before, "main", at=place.remote) == FILE
    assert place.git("rev-parse", "main^", at=place.remote) == before
    assert place.git("rev-parse", "main", at=place.remote) == done.values["commit"]
    assert f"origin/main says m-{before[:16]}" in done.summary
    body = place.git("log", "-1", "--format=%B", "main", at=place.remote)
    assert body.startswith(
        f"chore(cart): promote m-{before[:16]} to dev\n\ncart: 1 migration to version 20260101000000"
    )
    assert "20260101000000_a.sql" in body
    assert place.git("log", "-1", "--format=%(trailers:key=Commit,valueonly)", "main", at=place.remote) == before
    assert place.mine() == mine
    assert list((place.root / ".state" / "promote").iterdir()) == []
    assert place.answers("cart@dev", "wish@dev")["promote:cart@dev"].up_to_date is True
    assert place.answers("cart@dev", "wish@dev")["promote:wish@dev"].up_to_date is False
    assert place.promote("cart@dev").summary == f"origin/main says m-{before[:16]} already"
    assert place.git("rev-parse", "main", at=place.remote) == done.values["commit"]


def test_what_somebody_takes_back_by_hand_is_promoted_again(place: Place) -> None:
    place.promote("cart@dev")
    place.elsewhere(VALUES)
    answer = place.answers("cart@dev")["promote:cart@dev"]
    assert (answer.up_to_date, answer.because) == (False, f"dev has no image, not {place.image().split(':')[1][:18]}")
    place.promote("cart@dev")
    assert place.image() in place.there()


def test_a_dirty_tree_a_detached_head_and_a_changed_index_stay_as_they_are(place: Place) -> None:
    (place.root / FILE).write_text("migrations: {image: mine}\n")
    (place.root / "services" / "wish" / "values-dev.yaml").write_text("staged: true\n")
    place.git("add", "services/wish")
    (place.root / "new.txt").write_text("untracked")
    place.git("switch", "--quiet", "--detach")
    mine = place.mine()
    place.promote("cart@dev")
    assert place.mine() == mine
    assert place.there() == VALUES.replace('""', f'"{place.image()}"')
    assert (place.root / FILE).read_text() == "migrations: {image: mine}\n"


def test_line_ends_and_filters_of_a_checkout_change_nothing(place: Place) -> None:
    place.git("config", "core.autocrlf", "true")
    place.elsewhere(VALUES.replace("\n", "\r\n"))
    (place.root / ".git" / "info" / "attributes").write_text("*.yaml text eol=lf ident\n")
    place.promote("cart@dev")
    assert place.there() == VALUES.replace("\n", "\r\n").replace('""', f'"{place.image()}"')


def test_a_commit_of_another_name_is_promoted_when_asked_for(place: Place) -> None:
    first = place.git("rev-parse", "HEAD")
    place.git("commit", "--quiet", "--allow-empty", "--message", "second")
    place.promote("cart@dev", commit="HEAD~1")
    assert place.image("cart", first) in place.there()


def test_the_commit_names_what_is_new_since_the_one_before(place: Place) -> None:
    place.promote("cart@dev")
    (place.root / "services" / "cart" / "migrations" / "20260202000000_b.sql").write_text("-- +goose Up\nSELECT 2;\n")
    place.git("add", "--all")
    place.git("commit", "--quiet", "--message", "second")
    place.promote("cart@dev")
    body = place.git("log", "-1", "--format=%b", "main", at=place.remote)
    assert body.startswith("cart: 2 migrations to version 20260202000000, 1 of them new\n  20260202000000_b.sql\n\n")


def test_a_gitops_repository_of_its_own_gets_the_commit(place: Place) -> None:
    (place.other / "deploy").mkdir()
    (place.other / "deploy" / "cart.yaml").write_text("image: old\n")
    place.git("add", "--all", at=place.other)
    place.git("commit", "--quiet", "--message", "deploy", at=place.other)
    place.git("push", "--quiet", "origin", "HEAD:live", at=place.other)
    file = place.root / "services.yaml"
    there = "gitops: {repository: ../theirs/deploy, branch: live, push: direct}"
    entry = f"bare: {{{there}, values: {{file: '{{service}}.yaml', key: image}}}}"
    file.write_text(file.read_text().replace("bare: {}", entry))
    mine = place.git("status", "--porcelain", "--branch", at=place.other)
    place.promote("cart@bare")
    assert place.there("deploy/cart.yaml", "live") == f"image: {place.image()}\n"
    assert place.git("status", "--porcelain", "--branch", at=place.other) == mine


def test_a_commit_is_signed_where_git_signs(place: Place) -> None:
    place.git("config", "commit.gpgsign", "true")
    place.git("config", "gpg.program", str(place.root / "no-such-gpg"))
    with pytest.raises(ToolError, match="git commit-tree failed"):
        place.promote("cart@dev")


def test_a_pull_request_is_a_branch_that_waits_and_its_merge_ends_the_waiting(place: Place) -> None:
    mine = place.mine()
    branch = f"promote/qa/cart-m-{place.git('rev-parse', 'HEAD')[:16]}"
    for _ in range(2):
        with pytest.raises(Waiting) as raised:
            place.promote("cart@qa")
        assert raised.value.what == f"promote:cart@qa waits for a merge: {branch} into main"
        assert raised.value.todo == "merge it, then run: doit promote:cart@qa"
        assert place.git("rev-list", "--count", f"main..{branch}", at=place.remote) == "1"
    assert place.there("services/cart/values-qa.yaml") == VALUES
    assert place.image() in place.there("services/cart/values-qa.yaml", branch)
    assert place.mine() == mine
    place.git("pull", "--quiet", "origin", branch, at=place.other)
    place.git("push", "--quiet", "origin", "HEAD:main", at=place.other)
    assert place.answers("cart@qa")["promote:cart@qa"].up_to_date is True
    assert "already" in place.promote("cart@qa").summary
    place.elsewhere(VALUES, "services/cart/values-qa.yaml")
    with pytest.raises(Waiting):
        place.promote("cart@qa")
    assert place.image() in place.there("services/cart/values-qa.yaml", branch)
    assert place.git("rev-list", "--count", f"main..{branch}", at=place.remote) == "1"
