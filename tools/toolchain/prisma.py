"""Where the pinned Prisma and Prisma Studio are: npm packages that need no engine, installed when first needed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tools.toolchain.javascript import npm
from tools.toolchain.store import LOCKS, Say, place, provide, step

__all__ = ["pinned_prisma", "pinned_studio", "prisma", "prisma_place", "studio", "studio_place"]

LOCK = LOCKS / "prisma"
STUDIO = LOCKS / "studio"


def prisma(say: Say) -> Path:
    """The folder that holds node_modules and our prisma.config.mjs. Raises ToolError when it cannot be installed."""
    doing = f"installing Prisma {pinned_prisma()}"
    return provide(prisma_place(), lambda part: _install(LOCK, part, say), doing=doing, say=say)


def prisma_place() -> Path:
    """The folder of the Prisma that we install."""
    return place("prisma", [LOCK / "package-lock.json", LOCK / "prisma.config.mjs"])


def pinned_prisma() -> str:
    """The version of Prisma that package.json asks for."""
    return _pinned(LOCK)


def studio(say: Say) -> Path:
    """The folder that holds Prisma Studio's node_modules and its prisma.config.mjs; ToolError as for `prisma`."""
    doing = f"installing the Studio of Prisma {pinned_studio()}"
    return provide(studio_place(), lambda part: _install(STUDIO, part, say), doing=doing, say=say)


def studio_place() -> Path:
    """The folder of the Prisma Studio that we install."""
    return place("studio", [STUDIO / "package-lock.json", STUDIO / "prisma.config.mjs"])


def pinned_studio() -> str:
    """The version of Prisma whose Studio we bring."""
    return _pinned(STUDIO)


def _pinned(lock: Path) -> str:
    wanted = json.loads((lock / "package.json").read_text(encoding="utf-8"))["dependencies"]
    return str(wanted["prisma"])


def _install(lock: Path, part: Path, say: Say) -> None:
    shutil.copytree(lock, part, dirs_exist_ok=True)
    step(
        [*npm(say), "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        what=f"npm ci in a copy of tools/locks/{lock.name}",
        todo="check the network and npm's settings (proxy, registry, certificates), then run the command again",
        changes={"npm_config_update_notifier": "false"},
        cwd=part,
    )
