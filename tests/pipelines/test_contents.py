from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from dodo import CONTENTS
from pipelines.command import Ours
from pipelines.contents import Operation, Step, Verb, function

VERBS = list(CONTENTS.verbs.values())
COMMANDS = {"list", "run", "info", "clean", "forget", "ignore", "help", "strace", "dumpdb", "reset-dep", "why"}


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_every_function_is_there(verb: Verb) -> None:
    places = [verb.run, *((verb.up_to_date, verb.parts) if isinstance(verb, Step) else ())]
    assert all(callable(function(place)) for place in places if place)


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_every_line_of_the_manual_has_one_voice(verb: Verb) -> None:
    assert re.fullmatch(r"[a-z][^.]{8,70}", verb.doc)
    assert not verb.doc.split()[0].endswith("s")
    assert set(verb.takes) <= set(CONTENTS.variables)


def test_no_verb_is_called_like_a_command() -> None:
    names = [*CONTENTS.verbs, *CONTENTS.groups]
    assert not COMMANDS & set(names)
    assert len(set(names)) == len(CONTENTS.steps) + len(CONTENTS.operations) + len(CONTENTS.groups)


def test_groups_and_the_default_name_steps() -> None:
    steps = {step.name for step in CONTENTS.steps}
    assert all(set(members) <= steps for members in CONTENTS.groups.values())
    assert CONTENTS.default in {*CONTENTS.groups, *CONTENTS.verbs}


def test_every_variable_is_taken_by_something() -> None:
    assert set(CONTENTS.variables) == {name for verb in VERBS for name in verb.takes}


def test_operations_that_ask_come_one_database_at_a_time() -> None:
    assert all(verb.over == "each" for verb in CONTENTS.operations if isinstance(verb, Operation) and verb.asks)


def test_the_page_is_short() -> None:
    assert len((Path(__file__).parents[2] / "dodo.py").read_text().splitlines()) < 40


@pytest.mark.parametrize("module", ["run", "manual", "why", "others"])
def test_every_command_has_a_purpose(module: str) -> None:
    found = importlib.import_module(f"pipelines.{module}")
    members = [getattr(found, name) for name in found.__all__]
    commands = [one for one in members if isinstance(one, type) and issubclass(one, Ours)]
    assert commands
    assert all(one.doc_purpose for one in commands)
