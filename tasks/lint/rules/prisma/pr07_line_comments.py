"""PR07 line-comments: a comment of schema.prisma has three slashes.

Problem: The schema of a database has a comment with two slashes.

Consequence: `prisma db pull` drops it without a word. `doit prisma` sees that and stops, so the schema stays behind the
database until somebody decides.

Solution: Write `///`: such a comment belongs to the model or field after it, and each pull keeps it.
"""

from __future__ import annotations

from collections.abc import Iterator

from tasks.lint.finding import Flaw
from tasks.lint.prisma_schema import comments
from tasks.lint.rule import Rule
from tasks.lint.service import Service

__all__ = ["RULE", "check"]

RULE = Rule(code="PR07", name="line-comments", severity="warning", needs="service", engines=("postgres",))


def check(service: Service) -> Iterator[Flaw]:
    """Comments that the next pull drops, in the schemas that are pulled."""
    pulled = {one.prisma for one in service.entry.databases} if service.entry else ()
    for source in service.of("prisma"):
        if source.path in pulled:
            for line, column, text in comments(source.text):
                yield Flaw(
                    "The next pull drops this comment, so `doit prisma` will stop before it.",
                    line=line,
                    column=column,
                    end_column=column + len(text),
                    instead=f"/// {text.lstrip('/').strip()}",
                    path=source.path,
                )
