"""Who confirms a promotion to prod gets what was shown, or nothing: names, overrides, and what happens meanwhile."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import jsonschema

from tests.argocd_standin.server import World
from tests.journeys.conftest import ROOT, typed
from tests.journeys.protected import YES, Yard, fixture_model, fixture_yard, tag_of
from tests.playground import git

__all__ = ["fixture_model", "fixture_yard"]
SCHEMA = json.loads((ROOT / "schemas" / "status.schema.json").read_text())


def test_an_override_is_kept_where_everybody_sees_it_and_needs_its_reference(yard: Yard) -> None:
    yard.taken_back()
    said = yard.refused("promote:shop@prod", "override=the login page is down", "yes=prod")
    assert "an override needs a reference" in said
    words = ("promote:shop@prod", "override=the login page is down", "ref=CHG-8")
    code, shown = typed(yard.mono, words, "Type prod to go on: ", "prod", **yard.variables)
    assert code == 0, shown
    assert f"dev has not verified {tag_of(yard.image)}" in shown
    assert "it goes there all the same: the login page is down (CHG-8)" in shown
    assert yard.there() == yard.image
    assert (yard.trailer("Ref"), yard.trailer("Override")) == ("CHG-8", "the login page is down")


def test_an_override_that_is_not_needed_is_not_written_down(yard: Yard) -> None:
    yard.mono.fine("promote:shop@prod", "override=to be sure", *YES, **yard.variables)
    assert (yard.trailer("Ref"), yard.trailer("Override")) == ("CHG-7", "")


def test_a_wrong_name_changes_nothing(yard: Yard) -> None:
    before = git(yard.remote, "for-each-ref")
    code, shown = typed(yard.mono, ("promote:shop@prod",), "Type prod to go on: ", "yes", **yard.variables)
    assert code == 1
    assert "'yes' is not prod, so nothing was written" in shown
    assert git(yard.remote, "for-each-ref") == before
    assert "'dev' is not prod" in yard.refused("promote:shop@prod", "yes=dev", "ref=CHG-7")


def test_without_a_terminal_the_whole_command_is_named_and_ci_needs_a_reference(yard: Yard) -> None:
    tag = f"tag={tag_of(yard.first)}"
    said = yard.refused("promote:shop@prod", tag)
    assert "its name is to be typed, and there is no terminal to ask on" in said
    (command,) = re.findall(r"→ doit (.*)", said)
    assert command == f"promote:shop@prod {tag} yes=prod ref=CHG-123"
    assert "yes= goes with ref=" in yard.refused("promote:shop@prod", tag, "yes=prod")
    yard.mono.fine(*command.split(), **yard.variables)
    assert yard.there() == yard.first


def at_second_look(yard: Yard, happens: Callable[[], None]) -> None:
    """Have something happen when Argo CD is asked again, after the confirmation."""
    looks: list[str] = []

    def look(_world: World, name: str) -> None:
        looks.append(name)
        if len(looks) == 2:
            happens()

    yard.world.look = look


def test_a_branch_that_moves_after_the_confirmation_is_not_written_on(yard: Yard) -> None:
    at_second_look(yard, yard.elsewhere)
    done = yard.mono.doit("promote:shop@prod", *YES, **yard.variables)
    assert done.returncode == 1
    assert "it is not what was shown any more, so nothing was written" in done.stderr
    assert "→ look at it again: doit promote:shop@prod" in done.stderr
    assert yard.there() == ""


def test_a_branch_that_moves_while_it_is_pushed_to_is_not_written_on(yard: Yard) -> None:
    yard.elsewhere()
    clone = yard.mono.root.parent / "theirs"
    hook = yard.mono.root / ".git" / "hooks" / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    who = "-c user.name=C -c user.email=c@example.com -c commit.gpgsign=false"
    commit = f"git {who} commit -q --allow-empty -m colleague"
    hook.write_text(f"#!/bin/sh\ncd {clone}; unset $(git rev-parse --local-env-vars); {commit}; git push -q\n")
    hook.chmod(0o755)
    done = yard.mono.doit("promote:shop@prod", *YES, **yard.variables)
    assert done.returncode == 1
    assert "origin/main has moved since it was looked at, so nothing was written" in done.stderr
    assert yard.there() == ""


def test_a_database_that_is_rolled_back_after_it_was_shown_stops_it(yard: Yard) -> None:
    before = git(yard.remote, "for-each-ref")

    code, shown = typed(
        yard.mono,
        ("promote:shop@prod",),
        "Type prod to go on: ",
        lambda: yard.taken_back("prod"),
        **yard.variables,
    )
    assert code == 1, shown
    assert f"dev has not verified {tag_of(yard.image)}: failed: the database is behind" in shown
    assert git(yard.remote, "for-each-ref") == before


def test_a_release_of_dev_after_the_confirmation_stops_it(yard: Yard) -> None:
    values = f'migrations:\n  image: "{yard.first}"\n'
    before = yard.there("dev")
    assert before == yard.image
    at_second_look(yard, lambda: yard.elsewhere("services/shop/values-dev.yaml", values))
    done = yard.mono.doit("promote:shop@prod", *YES, **yard.variables)
    assert done.returncode == 1
    assert yard.there() == ""


def test_status_says_the_same_and_shows_an_override_until_dev_catches_up(yard: Yard) -> None:
    tag = tag_of(yard.image)
    assert f"shop@prod: dev has verified {tag}\n" in yard.mono.doit("status:shop@prod", **yard.variables).stdout
    yard.taken_back()
    bad = yard.mono.doit("status:shop@prod", **yard.variables).stdout
    assert f"shop@prod: nothing may go there now: dev has not verified {tag}: failed: the database is behind" in bad
    assert "by an override" not in bad
    yard.mono.fine("promote:shop@prod", "override=the login page is down", *YES, **yard.variables)
    shown = yard.mono.doit("status@prod", **yard.variables).stdout
    assert f"shop@prod has {tag} by an override: the login page is down (CHG-7)\n" in shown
    document = json.loads(yard.mono.doit("status@prod", "format=json", **yard.variables).stdout)
    jsonschema.validate(document, SCHEMA)
    assert document["releases"][0]["override"] == "the login page is down (CHG-7)"
    yard.well()
    assert "by an override" not in yard.mono.doit("status@prod", **yard.variables).stdout
