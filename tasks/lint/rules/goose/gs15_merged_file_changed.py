"""GS15 merged-file-changed: a file that is on the base branch stays as it is.

Problem: A migration that is merged has been edited, renamed or taken away.

Consequence: goose keeps no checksums: an environment that has applied the file never sees the change, and a new one is
built from the other text. The two differ from then on, and nobody is told. A file that is gone cannot be undone.

Solution: Put the file back, and write a new migration that makes the change (`doit create`, `doit revert`).
"""

from __future__ import annotations

from collections.abc import Iterator

from tasks.lint.base import Base, same
from tasks.lint.file import File
from tasks.lint.finding import Flaw
from tasks.lint.rule import Rule
from tasks.lint.stream import Stream

__all__ = ["RULE", "check"]

RULE = Rule(code="GS15", name="merged-file-changed", severity="error", needs="git")


def check(stream: Stream) -> Iterator[Flaw]:
    """Files that were there when this branch began, and differ or are gone."""
    if stream.base is None:
        return
    files = {file.path: file for file in stream.files}
    for path, like in sorted(stream.base.here.items()):
        file = files.get(path)
        back = f"git checkout {stream.base.name} -- {path}"
        now = stream.base.now.get(path)
        if file is None and now is not None and not _misnamed(stream, path):
            yield Flaw(
                f"{stream.base.name} has this file and this branch has not: environments that have applied it cannot"
                " undo it, and new ones are built without it.",
                path=path,
                instead=back,
            )
        elif file is not None and not any(same(file.data, one) for one in (like, now) if one):
            yield Flaw(
                f"{stream.base.name} has another text of this file: environments that have applied it will never see"
                " the change.",
                path=path,
                line=_first(file, stream.base, path),
                instead=back,
            )


def _misnamed(stream: Stream, path: str) -> bool:
    """Whether the file is there and only cannot be read, which another rule tells."""
    return any(problem.path == path for problem in stream.problems)


def _first(file: File, base: Base, path: str) -> int:
    """The first line that differs."""
    before, now = base.text(path).splitlines(), list(file.lines)
    both = min(len(before), len(now))
    return next((number for number in range(both) if before[number] != now[number]), min(both, len(now) - 1)) + 1
