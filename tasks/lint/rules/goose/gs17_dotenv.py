"""GS17 dotenv: no file tells goose another target than the one that is meant.

Problem: goose reads `.env` of its working folder without a word. There is one beside the migrations, or the service's
names settings of goose (`GOOSE_DRIVER`, `GOOSE_DBSTRING`, …).

Consequence: Who runs goose there by hand, or in an image that the file got into, changes the database that the file
names.

Solution: Take the file or its GOOSE_ lines away. Gander runs goose with `-env=none`, and so should a Job.
"""

from __future__ import annotations

from collections.abc import Iterator

from tasks.lint.finding import Flaw
from tasks.lint.rule import Rule
from tasks.lint.stream import Stream

__all__ = ["RULE", "check"]

RULE = Rule(code="GS17", name="dotenv", severity="error", needs="stream")


def check(stream: Stream) -> Iterator[Flaw]:
    """Each such file."""
    for one in stream.dotenvs:
        beside = one.path.rpartition("/")[0] == stream.folder
        if beside or one.line:
            yield Flaw(
                "goose will read this file where it runs in this folder, and change the database that it names.",
                path=one.path,
                line=one.line or 1,
                severity="error" if beside else "warning",
            )
