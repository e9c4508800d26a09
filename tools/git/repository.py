"""git, asked about one monorepo: what the base branch holds, and what the working tree adds to it."""

from __future__ import annotations

import os
import re
import shutil
from hashlib import sha1, sha256
from pathlib import Path
from typing import NamedTuple

from schemas.errors import Refused, ToolError, ToolTimeout
from tools import shell
from tools.git import history
from tools.git.objects import objects
from tools.git.surroundings import DEADLINE, environment

__all__ = ["Base", "Repository", "find", "hashed"]

FULL = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")  # a hash


class Base(NamedTuple):
    """The branch that merged migrations are on, at one commit."""

    name: str  # origin/main
    commit: str  # in full


class Repository(NamedTuple):
    """The git work tree around a monorepo's root; paths are relative to that root, with ``/``."""

    root: Path

    def base(self, branch: str | None = None) -> Base | None:
        """The base branch: ``branch`` of the remote, else the local one; None where there is none.

        Without ``branch`` it is the remote's default branch, or main, or master.
        """
        remotes = self.ask("remote").split()
        remote = "origin" if "origin" in remotes or not remotes else remotes[0]
        head = self._try("symbolic-ref", "--short", f"refs/remotes/{remote}/HEAD").strip()
        wanted = [branch] if branch else [head.partition("/")[2], "main", "master"]
        candidates = [f"refs/remotes/{remote}/{name}" for name in wanted if name]
        candidates += [f"refs/heads/{name}" for name in wanted if name]
        for candidate in candidates:
            commit = self.commit(candidate)
            if commit:
                return Base(name=candidate.removeprefix("refs/").partition("/")[2], commit=commit)
        return None

    def commit(self, name: str) -> str | None:
        """The full hash of a branch, tag or commit; None where there is no such commit here."""
        if FULL.fullmatch(name):
            try:
                with objects(self.root) as there:
                    found = there.commit(name)
                    return found.hash if found else None
            except ToolTimeout:
                raise
            except ToolError:  # a partial clone cannot fetch it
                return None
        return self._try("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").strip() or None

    def who(self) -> str:
        """The address of who works here, as git knows them; empty where it does not."""
        return self.run("config", "--get", "user.email").out.strip()

    def plain(self, folder: str) -> str:
        """The folder itself; Refused where a symbolic link leads to it, for git sees the link and no file behind it."""
        there, home = os.path.realpath(self.root / folder), os.path.realpath(self.root)
        if there != os.path.normpath(f"{home}/{folder}"):
            raise Refused(
                "is reached by a symbolic link, and git sees no file behind one",
                where=folder,
                todo=f"name the folder itself in services.yaml: migrations: {os.path.relpath(there, home)}",
            )
        return folder

    def files(self, commit: str, *folders: str) -> dict[str, str]:
        """The files below folders at a commit: path -> git's hash of the content; Refused as by `plain`."""
        listed = self.ask("ls-tree", "-r", "-z", commit, "--", *(f"{self.plain(folder)}/" for folder in folders))
        entries = (entry.partition("\t") for entry in listed.split("\0") if entry)
        return {path: about.split()[2] for about, _, path in entries}

    def ever(self, commit: str, folder: str) -> frozenset[str]:
        """The paths that ever were below a folder, in the history of a commit (of a shallow clone: what there is)."""
        words = ("log", "--format=", "--name-only", "-z", "--no-renames", "--diff-filter=A", "--relative", "-m")
        return frozenset(filter(None, self.ask(*words, commit, "--", f"{folder}/").split("\0")))

    def has(self, file: Path) -> bool:
        """Whether git has a file of the work tree, committed or only added."""
        return not self.run("ls-files", "--error-unmatch", "--", str(file)).code

    def text(self, commit: str, path: str) -> str | None:
        """The content of a text file at a commit, as far as it is UTF-8; None where it is not there."""
        done = self.run("cat-file", "blob", f"{commit}:./{path}")
        return None if done.code else done.out

    def fork(self, commit: str, other: str = "HEAD") -> str | None:
        """Where another commit left a commit's history; None where a shallow clone does not reach back so far."""
        return self._try("merge-base", commit, other).strip() or None

    def within(self, commit: str, other: str) -> bool | None:
        """Whether a commit is in the history of another; None where a shallow clone cannot tell."""
        if FULL.fullmatch(commit) and FULL.fullmatch(other):
            with objects(self.root) as there:
                if history.within(there, commit, other):
                    return True
        done = self.run("merge-base", "--is-ancestor", commit, other)
        if done.code == 1 and self.shallow:
            return None
        return done.code == 0

    @property
    def shallow(self) -> bool:
        """Whether the history here is cut short."""
        return self._try("rev-parse", "--is-shallow-repository").strip() == "true"

    def trailer(self, name: str, tip: str, text: str, path: str) -> str:
        """A trailer of the commit that last brought a text into a file, in the history of a commit; empty without.

        The commit's message must have the text too: what a shallow clone begins with seems to bring in everything.
        """
        if not text:
            return ""
        if FULL.fullmatch(tip):
            with objects(self.root) as there:
                found = history.brought(there, tip, path, text)
            known = history.trailer(found, name) if found and text.encode() in found.message else None
            if known is not None:
                return known
        wanted = f"--format=%(trailers:key={name},valueonly)%x00%B"
        said = self._try("log", "-1", wanted, "--no-show-signature", f"-S{text}", tip, "--", path)
        value, _, message = said.partition("\0")
        return value.strip() if text in message else ""

    def message(self, tip: str, text: str, path: str) -> str:
        """The message of the commit that `trailer` reads; empty without."""
        said = self._try("log", "-1", "--format=%B", "--no-show-signature", f"-S{text}", tip, "--", path)
        return said.strip() if text and text in said else ""

    def about(self, text: str, tip: str, path: str) -> list[str]:
        """The commits that brought a text into a file or took it out, in the history of a commit; newest first."""
        return self._try("log", "--format=%H", "--no-show-signature", f"-S{text}", tip, "--", path).split()

    def changed(self, commit: str) -> frozenset[str]:
        """The paths that differ between the work tree and where it left a commit's history, untracked ones too."""
        fork = self.fork(commit) or commit
        differing = self.ask("diff", "--name-only", "-z", "--no-renames", "--relative", fork, "--")
        untracked = self.ask("ls-files", "-z", "--others", "--exclude-standard")
        return frozenset(filter(None, f"{differing}\0{untracked}".split("\0")))

    def mentioning(self, text: str, *endings: str) -> list[str]:
        """The files with one of these endings that hold a text, in the work tree and not ignored."""
        words = ("grep", "--files-with-matches", "-z", "--untracked", "--fixed-strings", "-I", "--no-color", "-e", text)
        patterns = [f":(glob)**/*{ending}" for ending in endings]
        seen = {name: value for name, value in environment().items() if name != "GIT_LITERAL_PATHSPECS"}
        done = shell.run(["git", *words, "--", *patterns], environment=seen, timeout=DEADLINE, cwd=self.root, raw=True)
        if done.code not in {0, 1}:  # 1: there is none
            raise ToolError("git grep failed", where=str(self.root), why=done.err.strip()[-2000:])
        return sorted(filter(None, done.out.split("\0")))

    def ask(self, *words: str) -> str:
        """What git prints; ToolError where it fails."""
        done = self.run(*words)
        if done.code:
            raise ToolError(
                f"git {words[0]} failed",
                where=str(self.root),
                why=shell.redact(done.err or done.out).strip()[-2000:] or "it said nothing",
                todo="mend what git says, then run the command again",
            )
        return done.out

    def _try(self, *words: str) -> str:
        done = self.run(*words)
        return "" if done.code else done.out

    def run(self, *words: str) -> shell.Finished:
        """Run git in the root and return how it ended, with its output as it is: to be read, not to be shown."""
        return shell.run(["git", *words], environment=environment(), timeout=DEADLINE, cwd=self.root, raw=True)


def hashed(data: bytes, like: str) -> str:
    """The hash that git gives a file's content, of the kind that ``like`` is: SHA-1 or SHA-256 (git hash-object)."""
    kind = sha1 if len(like) == 40 else sha256  # noqa: PLR2004 - hexadecimal digits of SHA-1
    return kind(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def find(root: Path) -> Repository | None:
    """The repository around a folder; None without git, or where nothing is under its control.

    Raises ToolError where git refuses to look, as it does in a folder that belongs to somebody else.
    """
    if not shutil.which("git"):
        return None
    with objects(root) as there:
        return Repository(root) if there.prefix is not None else None
