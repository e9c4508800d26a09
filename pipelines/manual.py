"""The command `list`: the manual, made of the contents page alone; services are looked at for targets only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pipelines import words as naming
from pipelines.command import Ours
from pipelines.contents import Contents, Variable, Verb
from pipelines.display import data

__all__ = ["List", "about", "manual"]

COMMANDS = (
    ("why TARGET...", "say why a target would run, or since when it is up to date"),
    ("list [TARGET...]", "show this page; with names or --all every target"),
    ("forget TARGET...", "drop what is kept of targets, so that they are judged anew"),
    ("help COMMAND", "show the options of a command; run is the one that needs no name"),
)

WIDEST = 20  # characters of listed values; more would push every line to the right

OPT_ALL = {"name": "all", "long": "all", "type": bool, "default": False, "help": "list every target of the steps"}
OPT_QUIET = {"name": "quiet", "short": "q", "long": "quiet", "type": bool, "default": False, "help": "names only"}


class List(Ours):
    """Writes the manual, or targets, to stdout."""

    doc_purpose = "list steps, operations and commands"
    doc_usage = "[STEP[:SERVICE[/DATABASE]]...]"
    cmd_options = (OPT_ALL, OPT_QUIET)

    def perform(self, options: dict[str, Any], words: list[str]) -> int:
        """List what is asked for."""
        self.loader.variables({"list": ()})
        contents: Contents = self.loader.contents
        if words or options["all"]:
            everywhere = [step.name + "@*" * (step.environments == "others") for step in contents.steps]
            jobs = self.loader.jobs(words or everywhere)
            lines = [target.name for job in jobs if job.named for target in job.targets or ()]
        elif options["quiet"]:
            lines = [*(step.name for step in contents.steps), *contents.groups]
            lines += [operation.name for operation in contents.operations]
        else:
            lines = manual(contents)
        data("\n".join(lines))
        return 0


def about(verb: Verb, contents: Contents) -> str:
    """A verb by itself: how it is typed, what it does, and its variables."""
    lines = [f"doit {naming.form(verb)}", f"  {verb.doc}"]
    width = max((len(name) for name in verb.takes), default=0) + 1
    lines += [f"  {f'{name}=':<{width}}  {_values(contents, verb, name)}" for name in verb.takes]
    return "\n".join(lines)


def manual(contents: Contents) -> list[str]:
    """Every verb, group, command and variable, one line each."""
    groups = [_group(name, steps, contents) for name, steps in contents.groups.items()]
    variables = [(f"{name}={_shown(one)}", one.doc) for name, one in contents.variables.items()]
    sections = {
        "Steps, in the order of the road; each runs only what its inputs changed": _verbs(contents.steps),
        "Groups": groups,
        "Operations": _verbs(contents.operations),
        "Commands": COMMANDS,
        "Variables": variables,
    }
    width = max(len(form) for rows in sections.values() for form, _ in rows)
    lines: list[str] = []
    for title, rows in sections.items():
        lines += ["", title] if lines else [title]
        lines += [f"  {form:<{width}}  {doc}" for form, doc in rows]
    return lines


def _group(name: str, steps: Sequence[str], contents: Contents) -> tuple[str, str]:
    """A group is named as its first step is."""
    form = naming.form(contents.verbs[steps[0]]).removeprefix(steps[0])
    return f"{name}{form}", f"{', '.join(steps)}{' (plain `doit`)' if name == contents.default else ''}"


def _shown(variable: Variable) -> str:
    """The values that a variable takes, where they are few."""
    listed = "|".join(variable.values)
    return listed if 0 < len(listed) <= WIDEST else "VALUE"


def _values(contents: Contents, verb: Verb, name: str) -> str:
    variable = contents.variables[name]
    form = " or ".join(variable.choices(verb.name)) or (f"such as {variable.form}" if variable.form else "")
    return f"{variable.doc}{f' ({form})' if form else ''}"


def _verbs(verbs: Iterable[Verb]) -> list[tuple[str, str]]:
    return [(naming.form(verb), verb.doc) for verb in verbs]
