"""What a contents page holds: steps, operations, groups and variables, as values that `dodo.py` fills in.

They are named tuples, which start faster than dataclasses: see schemas/catalog.py.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from schemas.catalog import Catalog, Database, EngineName, Reference

__all__ = ["Contents", "Operation", "Step", "Variable", "Verb", "function"]


class Variable(NamedTuple):
    """A ``name=value`` of the command line: what it is for, and which values it takes."""

    doc: str
    values: tuple[str, ...] = ()  # empty: any that `pattern` matches
    pattern: str = ".+"
    form: str = ""  # how a value looks, for a message about a bad one
    more: Mapping[str, tuple[str, ...]] = MappingProxyType({})  # verb -> the values that it takes besides
    alone: bool = False  # means something only where nothing but its verb runs

    def choices(self, verb: str) -> tuple[str, ...]:
        """The values that a verb takes, where they are listed."""
        return (*self.values, *self.more.get(verb, ()))

    def takes(self, value: str, verb: str = "") -> bool:
        """Whether that value may be given to that verb."""
        return value in self.choices(verb) if self.values else bool(re.fullmatch(self.pattern, value))


class Step(NamedTuple):
    """A verb of the road: one cached task a database, a service, or a release: a service in another environment.

    Over ``everything`` it is one a database, one a service, and one for the monorepo around them, which has no place.
    The world decides when there is ``up_to_date``, else the key made of ``parts``; with neither it always runs.
    Functions are ``module:function``, imported when first called.
    """

    name: str
    doc: str  # one imperative line: the manual is made of these
    run: str  # (Work) -> Outcome
    takes: tuple[str, ...] = ()  # variables
    up_to_date: str = ""  # (Sequence[Work]) -> Mapping[target name, Answer], asked once for all targets
    parts: str = ""  # (Catalog, Target, digest of a folder or file) -> Mapping[part, version or digest]
    holds: str = ""  # (Work, values of the kept outcome) -> why its success holds no more; empty where it does
    replay: str = ""  # (Work, values of the kept outcome) -> None: says again what a run that is spared would say
    after: tuple[str, ...] = ()  # steps of the same database, service or release that go first
    follows: tuple[str, ...] = ()  # steps of the same release that go first where they are asked for, too
    owners: tuple[str, ...] = ()  # steps that go first, likewise, of those who own what the service only reads
    owner_first: bool = False  # a reference's task goes after its owner's
    over: Literal["database", "service", "release", "everything"] = "database"
    engine: EngineName | None = None  # the only engine whose databases it is for
    references: bool = True  # whether a reference has a task of its own
    only_looks: bool = False  # it makes nothing, so its key is no part of those of the steps after it
    together: bool = False  # where all steps of a run are such, one that fails stops only what needs it

    @property
    def environments(self) -> Environments:
        """Where it works: a database's task changes the local one, a service's changes files, a release's neither."""
        return OF_STEPS[self.over]

    def has(self, entry: Database | Reference, catalog: Catalog) -> bool:
        """Whether it is for that database or reference."""
        owner = catalog.owner(entry) if isinstance(entry, Reference) else entry
        return (self.references or owner is entry) and self.engine in {None, owner.engine}


class Operation(NamedTuple):
    """A verb beside the road: it runs whenever it is asked for.

    It is one task over all that is named (databases, or releases), or one over each own database, or over the one own
    database that must be named; or it takes no names (and then goes on without services.yaml when it cannot be loaded).
    """

    name: str
    doc: str  # as a step's
    run: str  # as a step's
    takes: tuple[str, ...] = ()  # variables
    over: Literal["all", "releases", "each", "one", "nothing"] = "nothing"
    of: str = ""  # what may be named after the colon by one that takes no databases: CODE
    asks: bool = False  # may ask the user: databases come one after another
    founds: bool = False  # makes services.yaml: that there is none is no news to it
    environments: Environments = "local"


OF_STEPS: Mapping[str, Environments] = {
    "database": "local",
    "service": "none",
    "release": "others",
    "everything": "local",
}

Verb = Step | Operation
Environments = Literal["local", "others", "any", "none"]
"""Where a verb works: ``others`` must be named, ``any`` is local unless named, ``none`` is about files alone."""


class Contents(NamedTuple):
    """The contents page: everything that a first word of the command line may be, commands aside."""

    steps: tuple[Step, ...]  # in the road's order
    operations: tuple[Operation, ...]
    groups: Mapping[str, tuple[str, ...]]  # group -> its steps
    default: str  # what plain `doit` runs
    variables: Mapping[str, Variable]

    @property
    def verbs(self) -> dict[str, Verb]:
        """Steps and operations by name."""
        verbs: tuple[Verb, ...] = (*self.steps, *self.operations)
        return {verb.name: verb for verb in verbs}


def function(place: str) -> Callable[..., Any]:
    """Import what ``module:function`` names."""
    module, name = place.split(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found
