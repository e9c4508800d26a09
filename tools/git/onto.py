"""A commit on top of another one in which one file differs, made without a work tree and without a branch.

Nothing of it can be left lying about: until it is pushed it is a few objects that no ref names, which git clears away
by itself. The file's bytes are stored as they are given: no filter, no line ends of a checkout.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from schemas.errors import GanderError, Refused, ToolError
from tools import shell
from tools.git.objects import LINK, SUBMODULE, objects
from tools.git.repository import Repository
from tools.git.surroundings import DEADLINE, environment

__all__ = ["Blob", "blobs", "made"]

INDEX, CONTENT = "index", "content"
ALONE = ("-c", "core.splitIndex=false", "-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")


class Blob(NamedTuple):
    """A file of a commit."""

    path: str  # relative to the repository's root, as Repository has it
    mode: str
    text: str


def blobs(repository: Repository, commit: str, paths: Sequence[str]) -> dict[str, Blob | GanderError]:
    """The text files at these paths of a commit, exactly; or why one is none. What is not there is left out."""
    found: dict[str, Blob | GanderError] = {}
    with objects(repository.root) as there:
        listed = {path: entry for path in paths if (entry := there.entry(commit, path))}
        data = there.files(one.hash for one in listed.values() if one.plain)
    for path, entry in listed.items():
        if not entry.plain:
            what = {LINK: "a symbolic link", SUBMODULE: "a submodule"}.get(entry.mode, "a folder")
            todo = "name the file itself in services.yaml"
            found[path] = Refused(f"is {what}, where a file is expected", where=path, todo=todo)
            continue
        try:
            found[path] = Blob(path, entry.mode, data[entry.hash].decode())
        except UnicodeDecodeError:
            found[path] = Refused("is no text in UTF-8", where=path)
    return found


def made(repository: Repository, parent: str, changed: Blob, message: str, scratch: Path) -> str:
    """The commit on top of ``parent`` in which that file is as given, and nothing else differs; its hash.

    ``scratch`` is a folder for nobody else: what a killed run has left there is written over. Signed where git is told
    to sign; no commit hook runs, for they look at a work tree. Raises ToolError where git fails.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    index, content = scratch / INDEX, scratch / CONTENT
    for left in (index, index.with_name(f"{INDEX}.lock")):
        left.unlink(missing_ok=True)
    content.write_bytes(changed.text.encode())
    prefix = repository.ask("rev-parse", "--show-prefix").rstrip("\n")
    name = repository.ask("hash-object", "-w", "--no-filters", "--", str(content.absolute())).strip()
    seen = {**environment(), "GIT_INDEX_FILE": str(index.absolute())}

    def ask(*words: str) -> str:
        done = shell.run(["git", *ALONE, *words], environment=seen, timeout=DEADLINE, cwd=repository.root, raw=True)
        if done.code:
            raise ToolError(
                f"git {words[0]} failed",
                where=str(repository.root),
                why=shell.redact(done.err or done.out).strip()[-2000:] or "it said nothing",
                todo="mend what git says, then run the command again",
            )
        return done.out.strip()

    try:
        ask("read-tree", parent)
        ask("update-index", "--cacheinfo", f"{changed.mode},{name},{prefix}{changed.path}")
        tree = ask("write-tree", "--missing-ok")  # a partial clone need not have the other files
        signed = repository.run("config", "--type=bool", "--get", "commit.gpgSign").out.strip() == "true"
        return ask("commit-tree", *(("-S",) if signed else ()), "-p", parent, "-m", message, tree)
    finally:
        for left in (index, content):
            left.unlink(missing_ok=True)
