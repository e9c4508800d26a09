"""Which Prisma pulls: the monorepo's own where it can, else the pinned one, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import Refused
from tools.node_modules import Installed

__all__ = ["Choice", "choose", "install", "words"]

MAJOR = 6
WITHOUT_DOWNLOAD = (6, 15)  # from there on our configuration runs a package's WebAssembly engine (6.15.0 to 6.19.3)
COMMANDS = {"pnpm": "pnpm install", "npm": "npm ci", "yarn": "yarn install"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Who pulls: the monorepo's own Prisma, or the pinned one, and then what keeps the monorepo's own from it."""

    own: Path | None = None  # its commands
    native: bool = False  # by the engine that it has downloaded
    because: str = ""


def choose(found: Installed, pinned: str) -> Choice:
    """The monorepo's own Prisma 6 when one of its engines is there, else the pinned one.

    The WebAssembly engine goes first: it is made of the native one's source, and is there however it was installed.
    Raises Refused where the monorepo has another major version: its schemas are not those of Prisma 6.
    """
    if not found.program:
        return Choice(because=_missing(found))
    numbers = tuple(int(number) for number in re.findall(r"\d+", found.version)[:2])
    if numbers[:1] != (MAJOR,):
        raise Refused(
            f"the monorepo's Prisma is {found.version or 'of no version'}, and only Prisma {MAJOR} is known to do this",
            todo=f"pin prisma and @prisma/client to {pinned}, and install them",
        )
    if found.webassembly and numbers >= WITHOUT_DOWNLOAD:
        return Choice(own=found.program)
    if found.native:
        return Choice(own=found.program, native=True)
    least = ".".join(map(str, WITHOUT_DOWNLOAD))
    return Choice(because=f"the monorepo's own {found.version} has no engine; from {least} on it needs none")


def words(choice: Choice, found: Installed, pinned: str) -> str:
    """Who has pulled, and where that is the pinned Prisma, why."""
    if choice.own:
        managers = f" ({' or '.join(found.managers)})" if found.managers else ""
        return f"the monorepo's Prisma {found.version}{managers}"
    return f"the pinned Prisma {pinned}" + (f" ({choice.because})" if choice.because else "")


def install(found: Installed) -> str:
    """The command that installs what the lock file says; in words where there is no lock file, or more than one."""
    if len(found.managers) > 1:
        return f"remove one of {' and '.join(found.locks)} and install"
    return COMMANDS[found.managers[0]] if found.managers else "install with pnpm, npm or yarn"


def _missing(found: Installed) -> str:
    if not found.wanted:
        return ""
    if found.plug_and_play:
        return "Plug'n'Play has no node_modules: set nodeLinker: node-modules in .yarnrc.yml, then yarn install"
    return f"the monorepo's own is not installed: {install(found)}"
