"""A commit's files in a folder of their own, with a repository around them that knows the history and the base branch.

The user's repository is not touched, not even by the note of a work tree: objects are borrowed from it, and what a
killed run leaves is one folder.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import ToolError
from tools import shell
from tools.git.repository import Base, Repository
from tools.git.surroundings import DEADLINE, environment

__all__ = ["copied"]

OWN = (  # settings of the user's that would lead out of the copy, or leave files out of it
    "[core]\n\tbare = false\n\tworktree = ..\n\tsparseCheckout = false\n\tfsmonitor = false\n"
    f"\tsplitIndex = false\n\thooksPath = {os.devnull}\n"
)


@contextmanager
def copied(repository: Repository, commit: str, base: Base | None, place: Path) -> Iterator[Path]:
    """The monorepo's root as the commit has it, below a folder for nobody else; it is removed at the end.

    What a killed run has left there is removed before. Raises ToolError where git fails.
    """
    shutil.rmtree(place, ignore_errors=True)
    try:
        yield _filled(repository, commit, base, place)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _filled(repository: Repository, commit: str, base: Base | None, place: Path) -> Path:
    place.mkdir(parents=True)
    kind = () if len(commit) == 40 else ("--object-format=sha256",)  # noqa: PLR2004 - hexadecimal digits of SHA-1
    _git(place, "init", "--quiet", "--template=", *kind)
    git, theirs = place / ".git", repository.root
    objects, shallow, config = (
        theirs / repository.ask("rev-parse", "--git-path", name).rstrip("\n")
        for name in ("objects", "shallow", "config")
    )
    (git / "objects" / "info").mkdir(exist_ok=True)
    (git / "objects" / "info" / "alternates").write_text(f"{objects}\n")
    if shallow.is_file():
        shutil.copyfile(shallow, git / "shallow")
    made = (git / "config").read_text()
    (git / "config").write_text(f"[include]\n\tpath = {config}\n{made}{OWN}")
    if base:
        remote = repository.commit(f"refs/remotes/{base.name}") == base.commit
        _git(place, "update-ref", f"refs/{'remotes' if remote else 'heads'}/{base.name}", base.commit)
        if remote:
            head = f"refs/remotes/{base.name.partition('/')[0]}/HEAD"
            _git(place, "symbolic-ref", head, f"refs/remotes/{base.name}")
    _git(place, "update-ref", "--no-deref", "HEAD", commit)
    _git(place, "reset", "--quiet", "--hard")
    return place / repository.ask("rev-parse", "--show-prefix").rstrip("\n")


def _git(place: Path, *words: str) -> None:
    done = shell.run(["git", *words], environment=environment(), timeout=DEADLINE, cwd=place, bound_to_us=True)
    if done.code:
        raise ToolError(
            f"git {words[0]} failed in a copy of the commit",
            where=str(place),
            why=(done.err or done.out).strip()[-2000:] or "it said nothing",
            todo="mend what git says, then run the command again",
        )
