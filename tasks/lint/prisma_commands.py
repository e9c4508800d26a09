"""Prisma's commands that change a database past goose, found among the commands of any file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tasks.lint.scripts.script import Command, Word
from tasks.lint.source import Source

__all__ = ["Forbidden", "forbidden"]

FORBIDDEN = frozenset(
    (("migrate", "dev"), ("migrate", "deploy"), ("migrate", "reset"), ("db", "push"), ("db", "execute"))
)
PRISMA = re.compile(
    r"(?:.*[/\\])?prisma(?:\.cmd)?(?:@[^\s/]*)?|npm:prisma(?:@[^\s/]*)?|.*\bprisma/build/index\.js"
    r"|[\"']?\$(?:[({]\s*)?\w*prisma\w*(?:\s*[)}])?[\"']?",  # $PRISMA, $(PRISMA) of make
    re.IGNORECASE,
)
VALUED = frozenset(
    ("--schema", "--config", "--name", "-n", "--url", "--file", "--datasource", "--telemetry-information")
)
PROGRAMS = """. : cat cd comm cp diff die echo egrep fail fatal false fgrep git grep info label log ls mkdir mv printf
    rg rm sed source test true type warn warning which [ [["""
SAY = frozenset(PROGRAMS.split())  # they take words for words
LAUNCHES = re.compile(
    r"-.*|\w+=.*|(?:.*/)?(?:npx|npm|pnpm|pnpx|yarn|bun|bunx|node|deno|exec|x|run|dlx|env|cross-env|dotenv|dotenvx|sudo"
    r"|time|command|corepack|doppler|infisical|docker|compose|kubectl)"
)


class Forbidden(NamedTuple):
    """Where a command stands, and which of Prisma's it is: ``migrate dev``."""

    command: str
    line: int
    column: int
    end_column: int  # 0 where it ends in another line


def forbidden(source: Source) -> Iterator[Forbidden]:
    """Each of them in a file, once. Raises Unreadable where the file, or the rest of it, cannot be read."""
    seen: set[int] = set()
    for command in source.runs("prisma"):
        for first, last, name in _named(command):
            if first.begin not in seen:
                seen.add(first.begin)
                line, column = source.place(first.begin)
                end_line, end_column = source.place(last.end)
                yield Forbidden(name, line, column, end_column if end_line == line else 0)


def _named(command: Command) -> Iterator[tuple[Word, Word, str]]:
    words = command.words
    if words[0].text.rpartition("/")[2] in SAY:
        return
    for number, word in enumerate(words):
        if PRISMA.fullmatch(word.text):
            said = list(_subcommands(words[number + 1 :]))
            launched = all(LAUNCHES.fullmatch(before.text) for before in words[:number])
            if len(said) > 1 and (said[0].text, said[1].text) in FORBIDDEN and (launched or not command.kept):
                yield word, said[1], f"{said[0].text} {said[1].text}"


def _subcommands(words: Sequence[Word]) -> Iterator[Word]:
    """The first two words that are neither an option nor an option's value."""
    found = 0
    value = False
    for word in words:
        if not value and not word.text.startswith("-"):
            yield word
            found += 1
        if found > 1:
            return
        value = not value and word.text in VALUED
