"""What a command line is about, found out step by step: the contents page, then the catalog, then the jobs."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

from doit.cmd_base import TaskLoader2
from doit.exceptions import InvalidCommand
from doit.task import Task

from pipelines import graph, words
from pipelines.contents import Contents, Operation
from pipelines.display import data, say
from pipelines.store import Store, make_state_folder
from schemas.catalog import Catalog, Environment
from schemas.errors import CatalogError, SelectionError
from schemas.nearest import nearest
from schemas.target import LOCAL

__all__ = ["Loader", "needs_catalog"]

PAGE = "dodo"
STATE = ".state"


class Loader(TaskLoader2):  # type: ignore[misc]  # doit ships no types
    """The loader that doit calls, and where our commands find contents, catalog and jobs, each read when asked for."""

    cmd_options = ()

    def __init__(self) -> None:
        super().__init__()
        self.keeps_state = False  # whether folders for state may be made
        if sys.argv[1:2] == ["--help"]:  # doit would show its own commands
            from pipelines.manual import manual  # noqa: PLC0415 - start-up: only who asks for help reads it

            data("\n".join(manual(self.contents)))
            sys.exit(0)
        try:
            _, self._variables = words.split(sys.argv[1:])
        except SelectionError as error:  # doit would stumble over an empty word before it calls any command
            say(str(error))
            sys.exit(error.exit_code)

    @cached_property
    def contents(self) -> Contents:
        """The contents page: `dodo.py` of the current folder."""
        page: Contents = importlib.import_module(PAGE).CONTENTS
        return page

    @cached_property
    def file(self) -> Path:
        """services.yaml: the one that SERVICES names, else the one beside the contents page."""
        named = os.environ.get("SERVICES")
        return Path(named).absolute() if named else Path.cwd() / "services.yaml"

    @cached_property
    def catalog(self) -> Catalog:
        """What services.yaml says. Raises CatalogError."""
        from schemas.catalog_file import load  # noqa: PLC0415 - `doit list` reads no catalog

        beside = self.file.parent / STATE
        if self.keeps_state and self.file.is_file():
            make_state_folder(beside)
        catalog = load(self.file, beside / "catalog.json")
        if self.keeps_state:
            make_state_folder(catalog.root / STATE)
        return catalog

    def catalog_or_none_of_it(self) -> tuple[Catalog, CatalogError | None]:
        """The catalog, or an empty one with the reason: for operations that can do without."""
        try:
            return self.catalog, None
        except CatalogError as error:
            root = self.file.parent
            local = {LOCAL: Environment(name=LOCAL, servers={})}
            return Catalog(file=self.file, root=root, environments=local, services={}), error

    def store(self) -> Store:
        """The state of earlier runs; opened when first asked, and written only by who keeps state."""
        return Store(lambda: self.catalog.root / STATE / "state.db", read_only=not self.keeps_state)

    def jobs(self, typed: Iterable[str], *, single: bool = False) -> tuple[graph.Job, ...]:
        """The jobs that words name, after those that they need; the default group for no words.

        Raises SelectionError, Refused, CatalogError.
        """
        requests = words.read(list(typed) or [self.contents.default], self.contents, self.cmd_names)
        return graph.jobs(requests, self.contents, lambda: self.catalog, single=single)

    def variables(self, used: dict[str, tuple[str, ...]]) -> dict[str, str]:
        """The command line's ``name=value`` words, checked: ``used`` has the variables of each verb or command."""
        return words.check_variables(self._variables, self.contents, used)

    def load_doit_config(self) -> dict[str, Any]:
        """The settings of doit's own commands: our backend, which opens nothing for them."""
        return {"backend": "store", "dep_file": lambda: self.file.parent / STATE / "state.db"}

    def load_tasks(self, cmd: Any, pos_args: list[str]) -> list[Task]:  # noqa: ARG002 - doit's form
        """One task a verb or group, for doit's own `help` and `tabcompletion`; our commands make jobs themselves."""
        docs = {verb.name: verb.doc for verb in self.contents.verbs.values()}
        docs |= {name: ", ".join(steps) for name, steps in self.contents.groups.items()}
        for word in pos_args:
            if word not in docs:
                valid = (*docs, *self.cmd_names)
                raise InvalidCommand(f"there is no step, operation or command `{word}`{nearest(word, valid)}")
        return [Task(name, None, doc=doc) for name, doc in docs.items()]


def needs_catalog(jobs: Iterable[graph.Job]) -> bool:
    """Whether any of these jobs cannot do without the catalog."""
    return any(not isinstance(job.verb, Operation) or job.verb.over != "nothing" for job in jobs)
