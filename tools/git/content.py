"""The files of a commit as git keeps them: never the work tree's, and no filter or line end of a checkout between."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from schemas.errors import ToolError
from tools import shell
from tools.git.repository import DEADLINE, Repository, environment

__all__ = ["Entry", "contents", "entries"]

PLAIN = frozenset(("100644", "100755", "100664"))  # modes of files that are neither link nor submodule


class Entry(NamedTuple):
    """One path of a commit."""

    path: str  # relative to the monorepo's root
    mode: str
    hash: str  # git's, of the content
    size: int

    @property
    def plain(self) -> bool:
        """Whether it is a file with content of its own: no link, no submodule."""
        return self.mode in PLAIN


def entries(repository: Repository, commit: str, folders: Iterable[str]) -> tuple[Entry, ...]:
    """Everything below folders of a commit, by path; folders that it does not have add nothing."""
    listed = repository.ask("ls-tree", "-r", "-l", "-z", commit, "--", *(f"{folder}/" for folder in folders))
    found = []
    for line in filter(None, listed.split("\0")):
        about, _, path = line.partition("\t")
        mode, _kind, name, size = about.split()
        found.append(Entry(path=path, mode=mode, hash=name, size=int(size) if size.isdigit() else 0))
    return tuple(found)


def contents(repository: Repository, hashes: Iterable[str]) -> dict[str, bytes]:
    """The content of each of these blobs, by git's hash; all of them by one git. Raises ToolError where one is missing.

    A partial clone fetches what it lacks.
    """
    wanted = list(dict.fromkeys(hashes))
    if not wanted:
        return {}
    done = shell.converse(
        ["git", "cat-file", "--batch"],
        "".join(f"{name}\n" for name in wanted).encode(),
        environment=environment(),
        timeout=DEADLINE,
        cwd=repository.root,
    )
    found: dict[str, bytes] = {}
    at = 0
    for name in wanted:
        end = done.out.find(b"\n", at)
        head = done.out[at:end].split() if end >= 0 else []
        if len(head) != 3 or head[:2] != [name.encode(), b"blob"]:  # noqa: PLR2004 - name, kind, size
            raise ToolError(
                "git cannot give a file of the commit",
                where=str(repository.root),
                why=f"{name}: {(done.out[at : max(end, at)].decode(errors='replace') or done.err.strip())[-500:]}",
                todo="git fsck   (says what is damaged)\ngit fetch",
            )
        size = int(head[2])
        found[name] = done.out[end + 1 : end + 1 + size]
        if len(found[name]) != size:
            raise ToolError("git gave less of a file than it promised", where=str(repository.root), why=done.err)
        at = end + 1 + size + 1
    return found
