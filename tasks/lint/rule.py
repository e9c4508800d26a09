"""What a rule is, and which there are.

A rule is one module in a folder of `tasks/lint/rules/`, named by its code and its name (`gs03_down_empty.py`), with

- a docstring whose first line is ``CODE name: one sentence`` and whose paragraphs begin with ``Problem:``,
  ``Consequence:`` and ``Solution:``; documentation is made of them;
- ``RULE``, a `Rule`;
- ``check``, a pure function from its subject to the flaws in it;

and a YAML file of the same name beside it, with the cases that must pass and those that must fail.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from schemas.catalog import EngineName
from tasks.lint.finding import Flaw, Severity

__all__ = ["BOTH", "Listed", "Needs", "Rule", "listed", "rules"]

Needs = Literal["file", "statements", "catalogue", "stream", "git", "service", "release", "waivers"]
"""What a rule looks at, which also says when its findings may be taken from the last run.

- ``file``: the text of one file and what goose makes of it. The subject is a `File`.
- ``statements``: its statements as the engine's own parser reads them. A `File`, or a `Node` where ``on`` is given.
- ``catalogue``: these, and the schema that the files before have built. A `Before`, or a `Node` where ``on`` is given.
- ``stream``: all files of a stream together. The subject is a `Stream`.
- ``git``: a stream and the base branch. The subject is a `Stream`.
- ``service``: the other files of a service. The subject is a `Service`.
- ``release``: what the service's chart makes for one environment. The subject is a `Release`.
- ``waivers``: the waivers of a target and what they allow, after all others. The subject is a `Waived`.
"""

BOTH: tuple[EngineName, ...] = ("postgres", "clickhouse")
HOME = Path(__file__).with_name("rules")
MODULE = re.compile(r"[a-z]{2}[0-9]{2}_[a-z0-9_]+\.py")


class Rule(NamedTuple):
    """What is fixed about a rule."""

    code: str  # GS03
    name: str  # down-empty
    severity: Severity
    needs: Needs
    engines: tuple[EngineName, ...] = BOTH
    opt_in: bool = False  # checked only where services.yaml gives it a severity
    on: tuple[str, ...] = ()  # kinds of nodes of the syntax tree that it wants to see; empty: the whole subject


class Listed(NamedTuple):
    """A rule as it was found: its value, its function, its manual, and where it stands."""

    rule: Rule
    check: Callable[[Any], Iterator[Flaw]]
    manual: str
    file: Path

    @property
    def group(self) -> str:
        """The folder that it is in."""
        return self.file.parent.name

    @property
    def cases(self) -> Path:
        """The file of its cases."""
        return self.file.with_suffix(".yaml")


@cache
def listed() -> tuple[Listed, ...]:
    """Every rule, by code."""
    found = []
    for file in sorted(HOME.glob("*/*.py")):
        if MODULE.fullmatch(file.name):
            module = importlib.import_module(f"tasks.lint.rules.{file.parent.name}.{file.stem}")
            found.append(Listed(rule=module.RULE, check=module.check, manual=module.__doc__ or "", file=file))
    return tuple(sorted(found, key=lambda one: one.rule.code))


def rules(engine: EngineName | None, *needs: Needs) -> tuple[Listed, ...]:
    """The rules for an engine that need one of these; ``engine`` None: whatever theirs is.

    Opt-in rules are among them: whether their findings count is told when findings are settled.
    """
    return tuple(one for one in listed() if one.rule.needs in needs and (engine is None or engine in one.rule.engines))
