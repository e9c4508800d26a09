"""The errors that a user may meet.

GanderError                  what went wrong, where, why, and the next command to type
├── SelectionError           an unknown word on the command line: target, environment, variable     exit 3
├── CatalogError             services.yaml says something impossible; all mistakes at once          exit 3
├── ToolError                a program that we drive is missing, failed, or answered nonsense
│   └── ToolTimeout          it did not end in its time
├── RegistryError           a registry of images cannot be reached, refuses, or answers nonsense
├── ArgoError               Argo CD cannot be reached, refuses, or answers nonsense
│   ├── ArgoBusy             it refuses for now: another operation, automated sync, a sync window
│   └── ArgoUnsure           it was asked to do something, and nobody knows whether it has
├── ServerError              a database server cannot start, be reached, or do what was asked
├── StreamError              a folder of migrations that goose would refuse or misread
├── LintFailed               files break rules of the policy; the report says which
├── Refused                  a guard: going on could lose rows or hide a change
├── NotVerified             what a release did is not proved, or known to be wrong
├── Waiting                  all that can be done is done, and somebody else is next: a merge
└── MigrationFailed          goose ran a file and the database refused it

Each carries its data and words itself. Anything else that is raised is a bug of ours and stays a traceback.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "ArgoBusy",
    "ArgoError",
    "ArgoUnsure",
    "CatalogError",
    "GanderError",
    "LintFailed",
    "MigrationFailed",
    "Mistake",
    "NotVerified",
    "Refused",
    "RegistryError",
    "SelectionError",
    "ServerError",
    "StreamError",
    "ToolError",
    "ToolTimeout",
    "Waiting",
]


class GanderError(Exception):
    """Something that the user can act on: one clear message, no traceback.

    ``what`` is one sentence; ``where`` is ``file:line`` or ``file:line:column``; ``why`` may span lines
    (a server's message, a list); ``todo`` is the next command to type, or what to change.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", why: str = "", todo: str = "") -> None:
        self.what, self.where, self.why, self.todo = what, where, why, todo
        super().__init__(what)

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        lines = [head]
        lines += [f"  {line}".rstrip() for line in self.why.splitlines()]
        lines += [f"  → {line}" for line in self.todo.splitlines()]
        return "\n".join(lines)


class SelectionError(GanderError):
    """A word on the command line names no target, environment or variable."""

    exit_code = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One mistake in a document: where it stands (1-based) and what was expected there."""

    file: str
    line: int
    column: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}" + (f" ({self.hint})" if self.hint else "")


class CatalogError(GanderError):
    """services.yaml cannot be used; carries every mistake that was found in it."""

    exit_code = 3

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        self.mistakes = mistakes
        count = "one mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        super().__init__(
            f"{mistakes[0].file}: {count}",
            why="\n".join(map(str, mistakes)),
            todo="correct the file, then run the command again",
        )


class ToolError(GanderError):
    """A program that we drive is missing, failed, or answered something that we do not understand."""


class ToolTimeout(ToolError):
    """A program that we drive did not end in its time."""


class RegistryError(GanderError):
    """A registry of images cannot be reached, refuses what was asked, or answers nonsense."""


class ArgoError(GanderError):
    """Argo CD cannot be reached, refuses what was asked, or answers nonsense."""


class ArgoBusy(ArgoError):
    """Argo CD refuses for now: another operation runs, automated sync is on, or a sync window is closed."""


class ArgoUnsure(ArgoError):
    """Argo CD was asked to do something, and nobody knows whether it has."""


class ServerError(GanderError):
    """A database server cannot start, cannot be reached, or did not do what was asked."""


class StreamError(GanderError):
    """A folder of migrations holds something that goose would refuse, misread or panic over."""


class LintFailed(GanderError):
    """Files break rules; the report of the run says which, where, and what to write instead."""


class Refused(GanderError):
    """A guard stopped a step before it wrote anything."""


class NotVerified(GanderError):
    """What a release did is not proved by all of its facts, or is known to be wrong."""


class Waiting(GanderError):
    """A step has done what it can, and is not done before somebody else has acted."""


class MigrationFailed(GanderError):
    """goose ran a migration file and the database refused a statement of it."""
