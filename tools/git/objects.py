"""Commits, folders and files as git's store of objects has them: named by their hashes, so they never change.

One `git cat-file --batch` answers for a repository; while something is `Kept`, it stays for the next question, and
what folders list is read once. Branches are not asked here.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import NamedTuple

from schemas.errors import ToolError
from tools import shell
from tools.dialogue import Dialogue
from tools.git.surroundings import DEADLINE, environment

__all__ = ["FOLDER", "LINK", "SUBMODULE", "Commit", "Entry", "Kept", "Objects", "objects"]

FOLDER, LINK, SUBMODULE = "040000", "120000", "160000"  # modes
PLAIN = frozenset(("100644", "100755", "100664"))  # modes of files that are neither link nor submodule
AT_ONCE = 500  # names that are told together: they fit into a pipe
CHUNK = 1 << 20
NOTHING: Mapping[str, Entry] = MappingProxyType({})


class Entry(NamedTuple):
    """What a folder lists under a name."""

    mode: str
    hash: str  # git's, of the content

    @property
    def plain(self) -> bool:
        """Whether it is a file with content of its own: no link, no submodule."""
        return self.mode in PLAIN


class Commit(NamedTuple):
    """A commit."""

    hash: str
    folder: str  # the hash of what it begins with
    parents: tuple[str, ...]
    message: bytes
    plain: bool  # the message is in UTF-8, as far as the commit says


class Object(NamedTuple):
    """An object of the store."""

    hash: str
    kind: str
    data: bytes | None  # None: larger than was asked for


class Objects:
    """The store of a repository; safe to use from several threads.

    Paths are relative to its root, as Repository's are; those that begin with ``/``, to the top of the work tree.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._prefix: str | None = None
        self._git: Dialogue | None = None
        self._lock = Lock()
        self._folders: dict[str, Mapping[str, Entry]] = {}  # by hash
        self._commits: dict[str, Commit] = {}

    @property
    def prefix(self) -> str | None:
        """Where the root lies in the work tree: empty, or ``PATH/``; None where it lies in none.

        Raises ToolError where git refuses to look, as it does in a folder that belongs to somebody else.
        """
        if self._prefix is not None:
            return self._prefix
        words = ["git", "rev-parse", "--is-inside-work-tree", "--show-prefix"]
        done = shell.run(words, environment=environment(), timeout=DEADLINE, cwd=self.root, raw=True)
        if done.code and "not a git repository" not in done.err:
            raise ToolError("git refuses to look", where=str(self.root), why=done.err.strip()[-2000:])
        inside, _, prefix = done.out.partition("\n")
        self._prefix = prefix.rstrip("\n") if inside == "true" else None
        return self._prefix

    def close(self) -> None:
        """Let git go."""
        with self._lock:
            self._drop()

    def commit(self, name: str) -> Commit | None:
        """The commit of that full hash, or that a tag of it is of; None where it is not here."""
        if name not in self._commits:
            (found,) = self._ask([f"{name}^{{commit}}"])
            if found is None:
                return None
            self._commits[name] = _commit(found)
        return self._commits[name]

    def entry(self, commit: str, path: str) -> Entry | None:
        """What a commit, by its full hash, has at a path; None where it has nothing there. Raises ToolError."""
        there = self.commit(commit)
        if there is None:
            raise ToolError("git has no such commit", where=str(self.root), why=commit, todo="git fetch")
        found: Entry | None = Entry(FOLDER, there.folder)
        whole = posixpath.normpath(path[1:] if path.startswith("/") else f"{self.prefix or ''}{path}")
        if whole.split("/")[0] == "..":
            raise ToolError("lies outside of the repository", where=path)
        for part in [] if whole == "." else whole.split("/"):
            if found is None or found.mode != FOLDER:
                return None
            found = self._folder(found.hash).get(part)
        return found

    def folder(self, commit: str, path: str) -> Mapping[str, Entry]:
        """What lies in a folder of a commit, by name; nothing where it has no such folder."""
        found = self.entry(commit, path)
        return self._folder(found.hash) if found and found.mode == FOLDER else NOTHING

    def below(self, commit: str, path: str) -> Iterator[Entry]:
        """Every file, link and submodule below a folder of a commit."""
        yield from self._below(self.folder(commit, path))

    def _below(self, listed: Mapping[str, Entry]) -> Iterator[Entry]:
        for entry in listed.values():
            if entry.mode == FOLDER:
                yield from self._below(self._folder(entry.hash))
            else:
                yield entry

    def files(self, hashes: Iterable[str], largest: int | None = None) -> dict[str, bytes]:
        """The content of each of these files, without those that are larger. Raises ToolError where one is missing.

        A partial clone fetches what it lacks.
        """
        found: dict[str, bytes] = {}
        wanted = list(dict.fromkeys(hashes))
        for name, one in zip(wanted, self._ask(wanted, largest=largest), strict=True):
            if one is None or one.kind != "blob":
                raise ToolError(
                    "git cannot give a file of the commit",
                    where=str(self.root),
                    why=f"{name}: {one.kind if one else 'missing'}",
                    todo="git fsck   (says what is damaged)\ngit fetch",
                )
            if one.data is not None:
                found[name] = one.data
        return found

    def _folder(self, name: str) -> Mapping[str, Entry]:
        if name not in self._folders:
            (found,) = self._ask([name])
            if found is None:
                raise ToolError("git lacks a folder of the commit", where=str(self.root), why=name, todo="git fsck")
            self._folders[name] = _listed(found)
        return self._folders[name]

    def _ask(self, names: Sequence[str], *, largest: int | None = None) -> list[Object | None]:
        """The object of each name, in order; None for one that is not here."""
        with self._lock:
            try:
                return [
                    one for at in range(0, len(names), AT_ONCE) for one in self._told(names[at : at + AT_ONCE], largest)
                ]
            except BaseException:  # the rest of an answer is not taken for the next one
                self._drop()
                raise

    def _told(self, names: Sequence[str], largest: int | None) -> Iterator[Object | None]:
        if self._git is None:
            command = ["git", "cat-file", "--batch"]
            self._git = Dialogue(command, environment=environment(), timeout=DEADLINE, cwd=self.root)
        self._git.tell("".join(f"{name}\n" for name in names).encode())
        for _ in names:
            head = self._git.line().decode().split()
            if len(head) != 3 or not head[2].isdigit():  # noqa: PLR2004 - hash, kind, size
                yield None
                continue
            size = int(head[2])
            fits = largest is None or size <= largest
            data = self._git.exactly(size) if fits else None
            for at in range(0, 0 if fits else size, CHUNK):
                self._git.exactly(min(CHUNK, size - at))
            self._git.exactly(1)  # the end of the line
            yield Object(head[0], head[1], data)

    def _drop(self) -> None:
        if self._git:
            self._git.close()
            self._git = None


class Kept:
    """While one is there, the objects of each repository that is asked stay open until it is closed."""

    def __init__(self) -> None:
        self._open: dict[Path, Objects] = {}
        self._lock = Lock()
        _kept.append(self)

    def of(self, root: Path) -> Objects:
        """The objects of the repository around a folder."""
        with self._lock:
            if root not in self._open:
                self._open[root] = Objects(root)
            return self._open[root]

    def close(self) -> None:
        """Let every git go."""
        _kept.remove(self)
        for one in self._open.values():
            one.close()


_kept: list[Kept] = []


@contextmanager
def objects(root: Path) -> Iterator[Objects]:
    """The objects of the repository around a folder: those that are kept, or for this once."""
    if _kept:
        yield _kept[-1].of(root)
        return
    once = Objects(root)
    try:
        yield once
    finally:
        once.close()


def _commit(found: Object) -> Commit:
    head, _, message = (found.data or b"").partition(b"\n\n")
    lines = [line.partition(b" ") for line in head.split(b"\n")]
    told = [(key, value.decode()) for key, _, value in lines if key in {b"tree", b"parent"}]
    return Commit(
        hash=found.hash,
        folder=told[0][1],
        parents=tuple(value for key, value in told if key == b"parent"),
        message=message,
        plain=all(key != b"encoding" for key, _, _ in lines),
    )


def _listed(found: Object) -> Mapping[str, Entry]:
    """The entries of a folder (gitformat: mode, space, name, NUL, hash), as far as names are UTF-8."""
    data, width, at = found.data or b"", len(found.hash) // 2, 0
    entries: dict[str, Entry] = {}
    while at < len(data):
        end = data.index(b"\0", at)
        mode, _, name = data[at:end].partition(b" ")
        at = end + 1 + width
        entries[name.decode(errors="replace")] = Entry(mode.decode().zfill(6), data[end + 1 : at].hex())
    return entries
