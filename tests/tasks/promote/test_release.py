from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from schemas.errors import Refused, ToolError, Waiting
from tests.tasks.promote.conftest import VALUES, Place

FILE = "services/cart/values-dev.yaml"


def hook(repository: Path, name: str, script: str) -> None:
    file = repository / "hooks" / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


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


def test_an_image_that_the_registry_lacks_is_refused(place: Place) -> None:
    place.digest = None
    with pytest.raises(Refused, match=r"the registry has no registry\.example\.com/shop/cart-migrations:m-") as raised:
        place.promote("cart@dev")
    assert raised.value.todo == "doit image:cart\ndoit promote:cart@dev"
    assert place.answers("cart@dev")["promote:cart@dev"].up_to_date is False
    assert place.there() == VALUES


def test_a_key_that_the_branch_lacks_is_refused_whatever_the_work_tree_has(place: Place) -> None:
    place.elsewhere("# none\nmigrations:\n  wait: 3\n")
    with pytest.raises(Refused) as raised:
        place.promote("cart@dev")
    assert str(raised.value).startswith(f"origin/main:{FILE}:2: there is no key `migrations.image`")
    answer = place.answers("cart@dev")["promote:cart@dev"]
    assert answer.up_to_date is None
    assert answer.because.startswith("not known: there is no key")


def test_a_file_that_is_not_there_or_is_a_link_is_refused(place: Place) -> None:
    (place.other / FILE).unlink()
    (place.other / FILE).symlink_to("values-qa.yaml")
    place.git("commit", "--quiet", "--all", "--message", "link", at=place.other)
    place.git("push", "--quiet", at=place.other)
    with pytest.raises(Refused, match="is a symbolic link"):
        place.promote("cart@dev")
    (place.other / FILE).unlink()
    place.git("commit", "--quiet", "--all", "--message", "gone", at=place.other)
    place.git("push", "--quiet", at=place.other)
    with pytest.raises(Refused, match="there is no such file") as raised:
        place.promote("cart@dev")
    assert raised.value.where == f"origin/main:{FILE}"


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("", "", "`bare` has no `gitops:` and no `values:`"),
        ("bare: {}", "bare: {gitops: {repository: ../nowhere, branch: main, push: direct}, values: {file: a, key: b}}",
         "../nowhere is no git checkout"),
        ("bare: {}", "bare: {gitops: {repository: ., branch: live, push: direct}, values: {file: a, key: b}}",
         "the remote `origin` has no branch `live`, which bare follows"),
    ],
)  # fmt: skip
def test_a_place_that_is_not_there_is_refused(place: Place, before: str, after: str, says: str) -> None:
    file = place.root / "services.yaml"
    file.write_text(file.read_text().replace(before, after))
    with pytest.raises(Refused) as raised:
        place.promote("cart@bare")
    assert says in str(raised.value)


def test_a_repository_without_a_remote_is_refused(place: Place) -> None:
    place.git("remote", "remove", "origin")
    with pytest.raises(Refused, match="has no remote"):
        place.promote("cart@dev")


def test_a_remote_that_does_not_answer_is_told_and_its_password_is_not(place: Place) -> None:
    place.git("remote", "set-url", "origin", "https://ci:s3cret-pw@127.0.0.1:9/shop.git")
    with pytest.raises(ToolError) as raised:
        place.promote("cart@dev")
    assert "git cannot reach the remote `origin`" in str(raised.value)
    assert "s3cret-pw" not in str(raised.value)


def test_a_protected_environment_takes_only_merged_commits_and_those_not_yet(place: Place) -> None:
    place.git("commit", "--quiet", "--allow-empty", "--message", "not merged")
    with pytest.raises(Refused, match=r"is not on origin/main"):
        place.promote("cart@prod")
    place.git("push", "--quiet")
    with pytest.raises(Refused, match=r"services\.yaml names none"):
        place.promote("cart@prod")
    with pytest.raises(Refused, match=r"services\.yaml names none"):
        place.promote("cart@prod", commit="HEAD~1")


def test_a_commit_that_somebody_else_merged_counts_after_a_fetch(place: Place) -> None:
    place.git("switch", "--quiet", "--create", "topic")
    place.git("commit", "--quiet", "--allow-empty", "--message", "topic")
    place.git("push", "--quiet", "origin", "topic")
    place.git("pull", "--quiet", "origin", "topic", at=place.other)
    place.git("push", "--quiet", at=place.other)
    place.elsewhere("after it", "notes.txt")
    refs = place.git("for-each-ref")
    with pytest.raises(Refused, match=r"services\.yaml names none"):
        place.promote("cart@prod")
    assert place.git("for-each-ref") == refs


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


def test_nobodys_name_is_refused_before_anything_is_made(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AUTHOR_NAME", "AUTHOR_EMAIL", "COMMITTER_NAME", "COMMITTER_EMAIL"):
        monkeypatch.delenv(f"GIT_{name}")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    place.git("config", "user.useConfigOnly", "true")
    with pytest.raises(Refused, match="git does not know who commits"):
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


def test_a_branch_of_that_name_with_something_else_is_refused(place: Place) -> None:
    branch = f"promote/qa/cart-m-{place.git('rev-parse', 'HEAD')[:16]}"
    place.git("commit", "--quiet", "--allow-empty", "--message", "else", at=place.other)
    place.git("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}", at=place.other)
    with pytest.raises(Refused, match="is there, and says another image"):
        place.promote("cart@qa")
