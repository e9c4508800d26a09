"""The user's own editor, on the user's terminal."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

from schemas.errors import Refused, ToolError
from tools import shell

__all__ = ["command", "edit"]


def command() -> list[str]:
    """The words of VISUAL or EDITOR; Refused where there is none, or no terminal to edit on."""
    said = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    try:
        words = shlex.split(said)
    except ValueError as error:
        raise Refused(f"EDITOR={said} cannot be read: {error}", todo="export EDITOR=vi") from None
    if not words:
        raise Refused("no editor is named", todo="export EDITOR=vi\nor leave editor=true out")
    if not shutil.which(words[0]):
        raise Refused(f"the editor {words[0]} is not on the PATH", todo="export EDITOR=vi")
    if not sys.stdin.isatty():
        raise Refused("there is no terminal to edit on", todo="leave editor=true out")
    return words


def edit(words: list[str], path: Path) -> None:
    """Open a file and wait until the editor has ended; ToolError when it fails."""
    code = shell.on_terminal([*words, path])
    if code:
        raise ToolError(f"{words[0]} ended with code {code}", where=str(path))
