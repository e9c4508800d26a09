"""Where the pinned Prisma is: npm packages that need no engine of their own, installed when first needed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tools.toolchain.javascript import npm
from tools.toolchain.store import LOCKS, Say, place, provide, step

__all__ = ["pinned_prisma", "prisma", "prisma_place"]

LOCK = LOCKS / "prisma"


def prisma(say: Say) -> Path:
    """The folder that holds node_modules and our prisma.config.mjs. Raises ToolError when it cannot be installed."""
    doing = f"installing Prisma {pinned_prisma()}"
    return provide(prisma_place(), lambda part: _install(part, say), doing=doing, say=say)


def prisma_place() -> Path:
    """The folder of the Prisma that we install."""
    return place("prisma", [LOCK / "package-lock.json", LOCK / "prisma.config.mjs"])


def pinned_prisma() -> str:
    """The version of Prisma that package.json asks for."""
    wanted = json.loads((LOCK / "package.json").read_text(encoding="utf-8"))["dependencies"]
    return str(wanted["prisma"])


def _install(part: Path, say: Say) -> None:
    shutil.copytree(LOCK, part, dirs_exist_ok=True)
    step(
        [*npm(say), "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        what="npm ci in a copy of tools/locks/prisma",
        todo="check the network and npm's settings (proxy, registry, certificates), then run the command again",
        changes={"npm_config_update_notifier": "false"},
        cwd=part,
    )
