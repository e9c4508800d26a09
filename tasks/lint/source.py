"""A file beside the migrations as rules see it: what kind it is, its text, and what it runs."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property
from typing import Literal, cast

from tasks.lint.scripts.script import Command, Script, Unreadable

__all__ = ["LARGEST", "SHEBANG", "Kind", "Source", "kind"]

Kind = Literal["json", "docker", "make", "yaml", "shell", "unnamed", "prisma", "migration"]
"""``unnamed``: a file without an ending, which is a shell script where its first line says so.

``migration``: a file that Prisma Migrate writes, or would write.
"""

LARGEST = 1024 * 1024  # bytes of a file that is read
NAMES: dict[Kind, str] = {
    "prisma": r".+\.prisma",
    "json": r"(?:package|project|vercel|railway)\.json",
    "yaml": r".+\.ya?ml",
    "docker": r"(?:.+\.)?(?:Docker|Container)file(?:[.-].+)?",
    "make": r"(?:GNU)?makefile|.+\.(?:mk|make)",
    "shell": r".+\.(?:sh|bash|zsh|ksh|ash)",
    "unnamed": r"[^.]+",
}
NAME = re.compile("|".join(rf"(?P<{kind}>{form})" for kind, form in NAMES.items()), re.IGNORECASE)
MIGRATION = re.compile(r"(?:.*/)?(?:migrations|migrate)/(?:migration_lock\.toml|[0-9]{14}_[^/]+/migration\.sql)")
HOOKS = (".husky", ".githooks")
ENDINGS = frozenset(("prisma", "json", "yaml", "yml", "mk", "make", "sh", "bash", "zsh", "ksh", "ash"))
SHEBANG = re.compile(rb"#!.*\b(?:ba|a|da|z|k)?sh\b")


def kind(path: str) -> Kind | None:
    """What a file is by its path; None for one that no rule looks at."""
    folder, _, name = path.rpartition("/")
    if name.startswith("migration") and MIGRATION.fullmatch(path):
        return "migration"
    if folder.endswith(HOOKS):
        return "shell"
    ending = name.rpartition(".")[2].lower()
    if ending not in ENDINGS and ending != name.lower() and "file" not in name.lower():
        return None  # most files of a monorepo: a pattern for each would take longer than git's list of them
    found = NAME.fullmatch(name)
    return cast("Kind", found.lastgroup) if found else None


class Source:
    """One file. What keeps it from being read is in ``unread``; it has no text then."""

    def __init__(self, path: str, form: Kind, data: bytes, unread: str = "") -> None:
        self.path, self.kind, self.data = path, form, data
        self.unread = unread or ("it is binary" if b"\0" in data else "")

    @cached_property
    def text(self) -> str:
        """Its text; bytes that are no UTF-8 become U+FFFD."""
        return "" if self.unread else self.data.decode("utf-8-sig", errors="replace")

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines without their ends."""
        return tuple(line.removesuffix("\r") for line in self.text.split("\n"))

    def line(self, number: int) -> str:
        """One line, from 1; empty where there is none."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def place(self, character: int) -> tuple[int, int]:
        """Line and column, from 1, of a character of the text, counted from 0."""
        line = bisect_right(self._starts, character)
        return line, character - self._starts[line - 1] + 1

    def scripts(self) -> Iterator[Script | Command]:
        """What it runs, as the texts and commands that stand in it. Raises Unreadable."""
        if self.unread:
            raise Unreadable(self.unread)
        if self.kind == "json":
            from tasks.lint.scripts.json import json_scripts  # noqa: PLC0415 - start-up: a reader is imported when needed

            yield from json_scripts(self.text)
        elif self.kind == "docker":
            from tasks.lint.scripts.dockerfile import dockerfile  # noqa: PLC0415

            yield from dockerfile(self.text)
        elif self.kind == "make":
            from tasks.lint.scripts.makefile import makefile  # noqa: PLC0415

            yield from makefile(self.text)
        elif self.kind == "yaml":
            from tasks.lint.scripts.yaml import yaml_scripts  # noqa: PLC0415

            yield from yaml_scripts(self.text)
        elif self.kind == "shell":
            yield Script(self.text, range(len(self.text)))

    def runs(self, about: str) -> Iterator[Command]:
        """Each command in it whose source holds the text ``about``, in small letters. Raises Unreadable."""
        from tasks.lint.scripts.bash import commands, given  # noqa: PLC0415

        if not self.unread and about not in self.text.lower():
            return
        for one in self.scripts():
            if isinstance(one, Script):
                yield from commands(one, about)
            else:
                yield one
                yield from given(one, Script(self.text, range(len(self.text))), about)

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        for line in self.text.split("\n"):
            starts.append(starts[-1] + len(line) + 1)
        return starts[:-1]
