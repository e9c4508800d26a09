"""What a Dockerfile runs, by the reference of BuildKit's Dockerfile frontend 1.x: RUN, CMD, ENTRYPOINT, HEALTHCHECK."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

from tasks.lint.scripts.json import texts
from tasks.lint.scripts.script import Command, Script, Unreadable

__all__ = ["dockerfile"]

ESCAPE = re.compile(r"[ \t]*#[ \t]*escape[ \t]*=[ \t]*`", re.IGNORECASE)
RUNS = re.compile(
    r"[ \t]*(?:onbuild[ \t]+)?(?:healthcheck[ \t]+(?:--\S+[ \t]+)*)?(?:run|cmd|entrypoint)\b", re.IGNORECASE
)
FLAG = re.compile(r"[ \t]*--[a-z][\w-]*(?:=\S*)?(?=[ \t])")
FEEDS = re.compile(r"<<-?[ \t]*([\"']?)(?P<name>\w+)\1")


def dockerfile(text: str) -> Iterator[Script | Command]:
    """The shell form of an instruction as a script, its exec form as a command."""
    for begin, end in _instructions(text):
        found = RUNS.match(text, begin, end)
        if not found:
            continue
        begin = found.end()  # noqa: PLW2901 - what is left of it
        while flag := FLAG.match(text, begin, end):
            begin = flag.end()  # noqa: PLW2901
        yield _run(text, begin, end)


def _run(text: str, begin: int, end: int) -> Script | Command:
    script = _without_comments(text, begin, end)
    if script.text.lstrip().startswith("["):
        with suppress(Unreadable):  # Docker takes what is no JSON for a shell's
            words = tuple(script.word(one.value, one.begin, max(one.end, one.begin + 1)) for one in texts(script.text))
            if words:
                return Command(words)
    fed = FEEDS.match(script.text.lstrip())
    if fed:  # the here-document is the script
        return script.cut(len(script.text) - len(script.text.lstrip()) + fed.end(), len(script.text))
    return script


def _without_comments(text: str, begin: int, end: int) -> Script:
    """An instruction's text; Docker takes comments out of it before a shell sees it."""
    kept: list[str] = []
    at: list[int] = []
    place = begin
    for line in text[begin:end].splitlines(keepends=True):
        if place == begin or not line.lstrip().startswith("#"):
            kept.append(line)
            at += range(place, place + len(line))
        place += len(line)
    return Script("".join(kept), at)


def _instructions(text: str) -> Iterator[tuple[int, int]]:
    """Where each instruction begins and ends, with its continuation lines and here-documents."""
    escape = "`" if ESCAPE.match(text) else "\\"
    begin: int | None = None
    place = 0
    feeding: list[str] = []
    for line in text.splitlines(keepends=True):
        bare = line.strip()
        after = place + len(line)
        if feeding:
            if bare == feeding[0]:
                feeding.pop(0)
            if not feeding and begin is not None:
                yield begin, after
                begin = None
        elif bare and not bare.startswith("#"):
            begin = place if begin is None else begin
            feeding = [one["name"] for one in FEEDS.finditer(line)]
            if not feeding and not bare.endswith(escape):
                yield begin, after
                begin = None
        place = after
    if begin is not None:
        yield begin, len(text)
