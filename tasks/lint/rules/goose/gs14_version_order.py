"""GS14 version-order: a new file has a version of its own, later than all that are merged.

Problem: goose takes no version from the file's name, two files share one, or the version is older than the newest file
on the base branch.

Consequence: A file without a version, or two with one, stop every run at once. An older one stops the release in each
environment that has the newer one: goose does not apply “missing” migrations.

Solution: Name files `YYYYMMDDHHMMSS_what_it_does.sql`, in UTC; `doit create` does. After a rebase, `doit renumber`
gives unmerged files later versions.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from tasks.lint.finding import Flaw
from tasks.lint.rule import Rule
from tasks.lint.stream import Stream

__all__ = ["RULE", "check"]

RULE = Rule(code="GS14", name="version-order", severity="error", needs="git")

DIGITS = 14


def check(stream: Stream) -> Iterator[Flaw]:
    """Names that goose does not take, and versions that come too early."""
    for problem in stream.problems:
        ends = "No release will hold this file" if problem.unread else "goose will stop before it applies anything"
        yield Flaw(f"{ends}: {problem.message}.", path=problem.path)
    timed = [file for file in stream.files if _time(file.version)]
    for file in stream.files if timed else ():
        if not _time(file.version):
            yield Flaw(
                f"The version {file.version} is no time, as those of other files are: goose sorts the two kinds apart.",
                path=file.path,
                severity="warning",
            )
    if stream.base is None:
        return
    merged = stream.base.merged
    newest = max(merged, key=_version, default="")
    for file in stream.files:
        if newest and file.name not in merged and file.version <= _version(newest):
            yield Flaw(
                f"Each environment that has {newest} of {stream.base.name} will refuse this file, because its version"
                " is not later.",
                path=file.path,
                instead=f"doit renumber:{stream.database.label}",
            )


def _version(name: str) -> int:
    return int(name.partition("_")[0])


def _time(version: int) -> bool:
    """Whether a version is a moment, to the second."""
    try:
        return len(str(version)) == DIGITS and bool(datetime.strptime(f"{version}+0000", "%Y%m%d%H%M%S%z"))
    except ValueError:
        return False
