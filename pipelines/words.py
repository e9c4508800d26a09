"""What the words of a command line name: verbs of the contents page, and databases of the catalog.

A named tuple starts faster than a dataclass: see schemas/catalog.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from pipelines.contents import Contents, Operation, Verb
from schemas.catalog import Catalog, Database, Environment, Reference
from schemas.errors import Refused, SelectionError
from schemas.nearest import nearest
from schemas.target import LOCAL, Target, parse

__all__ = ["Request", "check_variables", "form", "places", "read", "split"]


FEW = 12  # that many valid names are listed in an error; more would bury it


class Request(NamedTuple):
    """One verb that a word of the command line asked for, and the place as it was typed."""

    word: str
    verb: Verb
    target: Target


def form(verb: Verb) -> str:
    """How a verb is typed: ``migrate[:SERVICE[/DATABASE]]``."""
    alone = isinstance(verb, Operation) and verb.over == "nothing"
    return verb.name if alone else f"{verb.name}[:SERVICE[/DATABASE]]"


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
        if not any(name in names for names in used.values()):
            takers = [verb.name for verb in contents.verbs.values() if name in verb.takes]
            raise SelectionError(
                f"`{name}={value}`: {_listed(used)} takes no variable `{name}`",
                why=f"taken by {_listed(takers)}" if takers else "",
                todo="doit list",
            )
        if name in checked:
            raise SelectionError(f"`{name}` is given twice: `{checked[name]}` and `{value}`")
        if not known.takes(value):
            expected = " or ".join(f"{name}={choice}" for choice in known.values) or f"{name}={known.form}"
            raise SelectionError(
                f"`{name}={value}`: {name} does not take `{value}`", why=known.doc, todo=f"give {expected}"
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
            raise SelectionError(f"`{word}`: {verb.name} takes no service and no environment", todo=f"doit {verb.name}")
        yield Request(word=word, verb=verb, target=target._replace(step=verb.name))


def _verbs(word: str, name: str, contents: Contents, commands: Sequence[str]) -> Iterable[Verb]:
    if name in contents.groups:
        return [contents.verbs[step] for step in contents.groups[name] if step in contents.verbs]
    if name in contents.verbs:
        return [contents.verbs[name]]
    if "*" in name:
        steps = [step for step in contents.steps if _fits(name, step.name)]
        if steps:
            return steps
        raise SelectionError(
            f"`{word}` matches no step{nearest(name.replace('*', ''), contents.verbs)}", todo="doit list"
        )
    if name in commands:
        raise SelectionError(f"`{name}` is a command: it goes first and alone", todo=f"doit {name}")
    valid = (*contents.verbs, *contents.groups, *commands)
    raise SelectionError(f"`{word}`: there is no step or operation `{name}`{nearest(name, valid)}", todo="doit list")


def places(request: Request, catalog: Catalog, contents: Contents) -> tuple[Target, ...]:
    """Each database and reference that a request names, as a target of its own, in the order of services.yaml.

    Raises SelectionError for a name or pattern that matches nothing, Refused for an environment that the verb
    may not change, or a reference where only the owner may be named.
    """
    target = request.target
    services = _named(request, "service", target.service, list(catalog.services))
    found = [entry for service in services for entry in catalog.services[service].databases]
    if target.database:
        keys = list(dict.fromkeys(entry.key for entry in found))
        wanted = _named(request, "database", target.database, keys)
        found = [entry for entry in found if entry.key in wanted]
    for environment in _named(request, "environment", target.environment, list(catalog.environments)):
        if environment != LOCAL:
            raise _elsewhere(request, catalog.environments[environment], services, contents)
    if isinstance(request.verb, Operation) and request.verb.over == "each":
        found = _owned(request, found)
    return tuple(Target(step=request.verb.name, service=entry.service, database=entry.key) for entry in found)


def _named(request: Request, kind: str, name: str | None, valid: list[str]) -> list[str]:
    if name is None:
        return valid
    found = [one for one in valid if _fits(name, one)]
    if not found:
        says = f"no {kind} matches `{name}`" if "*" in name else f"there is no {kind} `{name}`"
        hint = nearest(name.replace("*", ""), valid)
        where = f" of {request.target.service}" if kind == "database" else ""
        listed = f"{kind}s{where}: {', '.join(valid)}" if len(valid) <= FEW else ""
        raise SelectionError(f"`{request.word}`: {says}{hint}", why=listed, todo="doit list --all")
    return found


def _fits(pattern: str, name: str) -> bool:
    """Whether a part of a name fits; parts are matched one by one, so a ``*`` never crosses ``:``, ``/`` or ``@``."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name) is not None


def _owned(request: Request, found: list[Database | Reference]) -> list[Database | Reference]:
    owned: list[Database | Reference] = [entry for entry in found if isinstance(entry, Database)]
    if not owned and found:
        owners = sorted({entry.owner for entry in found if isinstance(entry, Reference)})
        raise Refused(
            f"`{request.word}`: another service owns that database",
            todo="\n".join(f"doit {request.verb.name}:{owner}" for owner in owners),
        )
    return owned


def _elsewhere(request: Request, environment: Environment, services: list[str], contents: Contents) -> Refused:
    """The refusal to touch an environment other than local, with the commands that do it right, or show it."""
    deploys = "deploy" in contents.groups
    shown = services[:3]
    if isinstance(request.verb, Operation) and environment.argocd:  # who asks how it stands is not told to change it
        commands = [f"argocd app get {environment.argocd.application.format(service=service)}" for service in shown]
        commands.insert(0, "to see how it stands there:")
    elif deploys:
        commands = [f"doit deploy:{service}@{environment.name}" for service in shown]
    elif environment.argocd:
        commands = [f"argocd app sync {environment.argocd.application.format(service=service)}" for service in shown]
        commands.insert(0, "commit and push the migrations, then, for each service:")
    else:
        commands = [f"services.yaml names no Argo CD application for {environment.name}"]
    return Refused(
        f"`{request.word}`: {request.verb.name} works on local databases only",
        why=f"{environment.name} is changed through Argo CD: its PreSync Job runs goose there",
        todo="\n".join(commands),
    )


def _listed(names: Iterable[str]) -> str:
    *most, last = dict.fromkeys(names)
    return f"{', '.join(most)} and {last}" if most else last
