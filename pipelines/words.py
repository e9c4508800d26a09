"""What the words of a command line name: verbs of the contents page and variables; pipelines/places.py goes on.

A named tuple starts faster than a dataclass: see schemas/catalog.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from pipelines.contents import Contents, Operation, Verb
from schemas.errors import SelectionError
from schemas.nearest import nearest
from schemas.target import Target, parse

__all__ = ["Request", "check_variables", "fits", "form", "read", "split"]


class Request(NamedTuple):
    """One verb that a word of the command line asked for, and the place as it was typed."""

    word: str
    verb: Verb
    target: Target
    typed: str  # the verb as it was typed: its own name, a group's, or a pattern


def form(verb: Verb) -> str:
    """How a verb is typed: ``migrate[:SERVICE[/DATABASE]]``, ``drift[:SERVICE[/DATABASE]]@ENVIRONMENT``."""
    thing = f"[:{verb.of}]" if isinstance(verb, Operation) and verb.of else ""
    places = {
        "nothing": thing,
        **dict.fromkeys(("service", "release", "releases"), "[:SERVICE]"),
        "one": ":SERVICE[/DATABASE]",
    }
    at = {"others": "@ENVIRONMENT", "any": "[@ENVIRONMENT]"}
    return verb.name + places.get(verb.over, "[:SERVICE[/DATABASE]]") + at.get(verb.environments, "")


def split(arguments: Iterable[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """Part the command line into words and ``name=value`` variables, as doit does; options stay among the words.

    Raises SelectionError for an empty word, which doit would stumble over.
    """
    words: list[str] = []
    variables: list[tuple[str, str]] = []
    for argument in arguments:
        if not argument.strip():
            raise SelectionError("an empty word names nothing", todo="doit list")
        if "=" in argument and not argument.startswith("-"):
            name, _, value = argument.partition("=")
            variables.append((name, value))
        else:
            words.append(argument)
    return words, variables


def check_variables(
    variables: Iterable[tuple[str, str]], contents: Contents, used: Mapping[str, Iterable[str]]
) -> dict[str, str]:
    """Check ``name=value`` words against the table and against who uses them: ``used`` has each verb's variables.

    Raises SelectionError for an unknown name, one that nothing selected uses, one given twice, or a bad value.
    """
    checked: dict[str, str] = {}
    for name, value in variables:
        known = contents.variables.get(name)
        if known is None:
            hint = nearest(name, contents.variables)
            raise SelectionError(f"`{name}={value}`: there is no variable `{name}`{hint}", todo="doit list")
        users = [verb for verb, names in used.items() if name in names]
        if not users:
            takers = [verb.name for verb in contents.verbs.values() if name in verb.takes]
            raise SelectionError(
                f"`{name}={value}`: {_listed(used)} takes no variable `{name}`",
                why=f"taken by {_listed(takers)}" if takers else "",
                todo="doit list",
            )
        if known.alone and len(used) > len(users):
            raise SelectionError(
                f"`{name}={value}` goes with {_listed(users)} alone",
                why=f"the others, {_listed([verb for verb in used if verb not in users])}, would run all the same",
                todo="\n".join(f"doit {verb}:… {name}={value}" for verb in users),
            )
        if name in checked:
            raise SelectionError(f"`{name}` is given twice: `{checked[name]}` and `{value}`")
        for verb in users:
            if not known.takes(value, verb):
                expected = " or ".join(f"{name}={choice}" for choice in known.choices(verb)) or f"{name}={known.form}"
                said = f"{name} of {verb}" if known.more else name
                raise SelectionError(
                    f"`{name}={value}`: {said} does not take `{value}`", why=known.doc, todo=f"give {expected}"
                )
        checked[name] = value
    return checked


def read(words: Iterable[str], contents: Contents, commands: Sequence[str] = ()) -> tuple[Request, ...]:
    """Read words as far as that needs no catalog: their form, and which verbs they name.

    A pattern names steps alone, never an operation. Raises SelectionError.
    """
    return tuple(request for word in words for request in _requests(word, contents, commands))


def _requests(word: str, contents: Contents, commands: Sequence[str]) -> Iterator[Request]:
    if word.startswith("-"):
        raise SelectionError(f"`{word}`: options go before names", todo="doit help")
    target = parse(word)
    if target is None:
        raise SelectionError(
            f"`{word}` is not a name: STEP[:SERVICE[/DATABASE]][@ENVIRONMENT]", todo="doit list shows every form"
        )
    for verb in _verbs(word, target.step, contents, commands):
        if isinstance(verb, Operation) and verb.over == "nothing" and word != verb.name:
            if not verb.of:
                message = f"`{word}`: {verb.name} takes no service and no environment"
                raise SelectionError(message, todo=f"doit {verb.name}")
            if target.database or "@" in word:
                raise SelectionError(f"`{word}`: {verb.name} takes one {verb.of}", todo=f"doit {form(verb)}")
        yield Request(word=word, verb=verb, target=target._replace(step=verb.name), typed=target.step)


def _verbs(word: str, name: str, contents: Contents, commands: Sequence[str]) -> Iterable[Verb]:
    if name in contents.groups:
        return [contents.verbs[step] for step in contents.groups[name] if step in contents.verbs]
    if name in contents.verbs:
        return [contents.verbs[name]]
    if "*" in name:
        steps = [step for step in contents.steps if fits(name, step.name)]
        if steps:
            return steps
        raise SelectionError(
            f"`{word}` matches no step{nearest(name.replace('*', ''), contents.verbs)}", todo="doit list"
        )
    if name in commands:
        raise SelectionError(f"`{name}` is a command: it goes first and alone", todo=f"doit {name}")
    valid = (*contents.verbs, *contents.groups, *commands)
    raise SelectionError(f"`{word}`: there is no step or operation `{name}`{nearest(name, valid)}", todo="doit list")


def fits(pattern: str, name: str) -> bool:
    """Whether a part of a name fits; parts are matched one by one, so a ``*`` never crosses ``:``, ``/`` or ``@``."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name) is not None


def _listed(names: Iterable[str]) -> str:
    *most, last = dict.fromkeys(names)
    return f"{', '.join(most)} and {last}" if most else last
