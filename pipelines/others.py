"""The remaining commands of doit: `forget`, and those that would mislead here and say what to do instead."""

from __future__ import annotations

from typing import Any, ClassVar

from pipelines.command import Ours
from pipelines.contents import Step
from pipelines.display import data
from schemas.errors import Refused, SelectionError

__all__ = ["Clean", "DumpDB", "Forget", "Ignore", "Info", "ResetDep", "Strace"]

OPT_ALL = {"name": "all", "short": "a", "long": "all", "type": bool, "default": False, "help": "forget every target"}


class Forget(Ours):
    """Drops keys and saved values; databases and files stay as they are."""

    doc_purpose = "drop what is kept of targets, so that they are judged anew"
    doc_usage = "TARGET..."
    cmd_options = (OPT_ALL,)

    def perform(self, options: dict[str, Any], words: list[str]) -> int:
        """Forget the named targets."""
        self.loader.variables({"forget": ()})
        if not words and not options["all"]:
            raise SelectionError("name the targets to forget", todo="doit forget migrate\ndoit forget --all")
        names = [job.name for job in self.loader.jobs(words, single=True) if isinstance(job.verb, Step)]
        self.loader.keeps_state = True
        store = self.loader.store()
        if options["all"]:
            store.remove_all()
        else:
            for name in names:
                store.remove(name)
        store.dump()
        data("\n".join(f"forgotten: {name}" for name in (["everything"] if options["all"] else names)))
        return 0


class _Refusing(Ours):
    """Says what to do instead."""

    because: ClassVar[str]
    instead: ClassVar[str]

    def _parse(self, arguments: list[str]) -> tuple[dict[str, Any], list[str]]:
        """Take any options: none is looked at."""
        return {}, arguments

    def perform(self, options: dict[str, Any], words: list[str]) -> int:  # noqa: ARG002 - it refuses all
        """Refuse."""
        raise Refused(f"`doit {self.name}` is not offered: {self.because}", todo=self.instead)


class Ignore(_Refusing):
    """A database that is ignored would still be reported as done."""

    doc_purpose = "not offered: name what shall run"
    because = "a target that is left out would count as done"
    instead = "name the targets that shall run: doit list --all"


class ResetDep(_Refusing):
    """A key saved without running says nothing about a database."""

    name = "reset-dep"
    doc_purpose = "not offered: see why"
    because = "files alone do not prove that a target is up to date"
    instead = "doit why TARGET"


class Clean(_Refusing):
    """No step leaves files that doit may delete."""

    doc_purpose = "not offered: see reset"
    because = "no step leaves files to delete"
    instead = "doit reset:SERVICE drops and rebuilds local databases"


class Info(_Refusing):
    """doit's reasons know files only."""

    doc_purpose = "not offered: see why"
    because = "a target's reasons are told by `why`"
    instead = "doit why TARGET"


class DumpDB(_Refusing):
    """The state is SQLite."""

    doc_purpose = "not offered: see why"
    because = "the state is a SQLite file"
    instead = "doit why TARGET format=json"


class Strace(_Refusing):
    """Steps declare no files for doit to compare with."""

    doc_purpose = "not offered"
    because = "steps declare no file dependencies to compare with"
    instead = "doit why TARGET"
