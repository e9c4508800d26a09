"""What is no place, no image or nobody's to promote is refused, with nothing written."""

from __future__ import annotations

import os

import pytest

from schemas.errors import Refused, ToolError
from tests.tasks.promote.conftest import FILE, VALUES, Place


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


def test_nobodys_name_is_refused_before_anything_is_made(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AUTHOR_NAME", "AUTHOR_EMAIL", "COMMITTER_NAME", "COMMITTER_EMAIL"):
        monkeypatch.delenv(f"GIT_{name}")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    place.git("config", "user.useConfigOnly", "true")
    with pytest.raises(Refused, match="git does not know who commits"):
        place.promote("cart@dev")


def test_a_branch_of_that_name_with_something_else_is_refused(place: Place) -> None:
    branch = f"promote/qa/cart-m-{place.git('rev-parse', 'HEAD')[:16]}"
    place.git("commit", "--quiet", "--allow-empty", "--message", "else", at=place.other)
    place.git("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}", at=place.other)
    with pytest.raises(Refused, match="is there, and says another image"):
        place.promote("cart@qa")
