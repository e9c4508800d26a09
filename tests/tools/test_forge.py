from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from tools import forge
from tools.git import Repository
from tools.git.remote import Remote

CASES: dict[str, str] = yaml.safe_load((Path(__file__).parent / "cases" / "forge.yaml").read_text())
PAGE = "https://github.com/shop/cart/compare/main...promote/dev/cart?expand=1"


@pytest.mark.parametrize("url", CASES)
def test_the_page_of_a_pull_request(url: str) -> None:
    where = forge.site(url)
    assert (forge.compare(where, "main", "promote/dev/cart") if where else "") == CASES[url]


def opened(url: str, folder: Path, name: str, script: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, list[str]]:
    """What comes of it with a program of that name on the PATH, and the words that the program got."""
    program = folder / name
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {folder}/words\n{script}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")
    remote = Remote(repository=Repository(folder), name="origin", url=url)
    address = forge.opened(remote, "main", "promote/dev/cart", "promote cart", "body")
    words = folder / "words"
    return address, words.read_text().splitlines() if words.exists() else []


def test_gh_opens_it_on_github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = "echo https://github.com/shop/cart/pull/7"
    address, words = opened("git@github.com:shop/cart.git", tmp_path, "gh", script, monkeypatch)
    assert address == "https://github.com/shop/cart/pull/7"
    assert words == [
        *("pr", "create", "--head", "promote/dev/cart", "--base", "main", "--body", "body"),
        *("--title", "promote cart", "--repo", "github.com/shop/cart"),
    ]


def test_glab_opens_it_on_gitlab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = "echo https://gitlab.com/shop/cart/-/merge_requests/7"
    address, words = opened("git@gitlab.com:shop/cart.git", tmp_path, "glab", script, monkeypatch)
    assert address == "https://gitlab.com/shop/cart/-/merge_requests/7"
    assert words[:3] == ["mr", "create", "--yes"]
    assert words[-1] == "https://gitlab.com/shop/cart"


def test_one_that_is_open_already_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = 'echo "a pull request for it already exists:" >&2; echo https://github.com/shop/cart/pull/7 >&2; exit 1'
    assert opened("git@github.com:shop/cart.git", tmp_path, "gh", script, monkeypatch)[0].endswith("/pull/7")


@pytest.mark.parametrize("script", ["echo see https://cli.github.com >&2; exit 4", "exit 0"])
def test_where_the_program_does_not_open_it_a_person_does(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert opened("git@github.com:shop/cart.git", tmp_path, "gh", script, monkeypatch)[0] == PAGE


def test_the_program_of_another_site_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address, words = opened("git@github.com:shop/cart.git", tmp_path, "glab", "echo no", monkeypatch)
    assert (address, words) == (PAGE, [])
    assert opened("/srv/git/cart.git", tmp_path, "gh", "echo no", monkeypatch) == ("", [])
