"""A commit of exactly the named files, whatever else is staged or changed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from schemas.errors import Refused, ToolError
from tools import shell, whole
from tools.git.repository import Repository
from tools.git.surroundings import LEADING, environment

__all__ = ["changes", "ignored", "named", "ready", "record"]

PATIENCE = 1800.0  # seconds: hooks may run linters and tests
MIDDLE = {
    "MERGE_HEAD": ("a merge", "git merge --continue   (or --abort)"),
    "rebase-merge": ("a rebase", "git rebase --continue   (or --abort)"),
    "rebase-apply": ("a rebase", "git rebase --continue   (or --abort)"),
    "CHERRY_PICK_HEAD": ("a cherry-pick", "git cherry-pick --continue   (or --abort)"),
    "REVERT_HEAD": ("a revert", "git revert --continue   (or --abort)"),
}


def ready(repository: Repository) -> None:
    """Refused where a commit would not be what its author expects, with the command that mends it."""
    for mark, (what, way) in MIDDLE.items():
        if (repository.root / repository.ask("rev-parse", "--git-path", mark).strip()).exists():
            raise Refused(f"{what} is in progress, and a commit would become part of it", todo=way)
    if repository.run("symbolic-ref", "--quiet", "HEAD").code:
        raise Refused("HEAD is detached: a commit would be on no branch", todo="git switch BRANCH")
    named(repository)


def named(repository: Repository) -> None:
    """Refused where git does not know under whose name a commit would be."""
    who = repository.run("var", "GIT_COMMITTER_IDENT")
    if who.code:
        raise Refused(
            "git does not know who commits",
            why=who.err.strip().splitlines()[-1],
            todo='git config user.name "Your Name"\ngit config user.email you@example.com',
        )


def changes(repository: Repository, places: Iterable[str]) -> dict[str, str]:
    """The files at these places that differ from HEAD: path -> ``A`` (new), ``M`` (edited), ``D`` (gone)."""
    listed = list(places)
    if not listed:
        return {}
    against = repository.commit("HEAD") or repository.ask("hash-object", "-t", "tree", "--stdin").strip()
    words = ("diff", "--name-status", "-z", "--no-renames", "--relative", against, "--", *listed)
    fields = repository.ask(*words).split("\0")[:-1]
    found = {path: "M" if kind == "T" else kind for kind, path in zip(fields[::2], fields[1::2], strict=True)}
    untracked = repository.ask("ls-files", "-z", "--others", "--exclude-standard", "--", *listed).split("\0")
    return found | {path: "A" for path in untracked if path and not whole.is_part(Path(path))}


def ignored(repository: Repository, places: Sequence[str]) -> list[str]:
    """The untracked files at these places that git leaves out by its settings."""
    words = ("ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--", *places)
    return list(filter(None, repository.ask(*words).split("\0")))


def record(repository: Repository, changed: Mapping[str, str], subject: str, body: str) -> str:
    """Commit these files as they are in the work tree and return the new commit; hooks and signing as git has them.

    What else is staged stays staged and is not committed. Raises ToolError with the words of git or of a hook;
    nothing is staged then that was not before.
    """
    before = repository.commit("HEAD")
    files = list(changed)
    known = set(repository.ask("ls-files", "-z", "--", *files).split("\0"))
    fresh = [path for path in files if changed[path] == "A" and path not in known]
    if fresh:
        repository.ask("add", "--intent-to-add", "--", *fresh)  # `commit --only` takes no file that it has never seen
    # never bound to us: git that is ended between making a lock file and noting it leaves it behind; let alone, it
    # commits whole and clears up
    words = ["git", "commit", "--quiet", "--only", "-m", subject, *(("-m", body) if body else ()), "--", *files]
    try:
        done = shell.run(words, environment=_everything(), timeout=PATIENCE, cwd=repository.root)
    except BaseException:
        _forget(repository, fresh)
        raise
    after = repository.commit("HEAD")
    if done.code or after is None or after == before:
        _forget(repository, fresh)
        said = (done.out + done.err).strip()
        raise ToolError(
            "git did not commit", why=said[-4000:] or "it said nothing", todo="mend what it says, then run it again"
        )
    return after


def _everything() -> dict[str, str]:
    """All that the user's hooks may need, but what leads git elsewhere: a hook of git's has that, too."""
    literal = {name: value for name, value in environment().items() if name == "GIT_LITERAL_PATHSPECS"}
    return {name: value for name, value in os.environ.items() if name not in LEADING} | literal


def _forget(repository: Repository, fresh: Sequence[str]) -> None:
    """Take the marks of files that were to be added out of the index."""
    if fresh:
        repository.run("reset", "--quiet", "--", *fresh)
