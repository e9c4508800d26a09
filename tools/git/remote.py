"""A branch of a repository's remote, asked and pushed to without any ref, index or work tree of the user's being set.

The remote is asked first (`git ls-remote`); a commit that is not here yet is fetched without a name of its own, so
that it meets no lock of a git that somebody else has running.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from schemas.errors import Refused, ToolError
from tools import shell
from tools.git.repository import Repository
from tools.git.surroundings import environment

__all__ = ["Remote", "of"]

DEADLINE = 300.0  # seconds: a slow network, or a hook of the remote
NETWORK = (  # what git's transports read besides its settings
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "ALL_PROXY", "all_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "GIT_SSL_NO_VERIFY", "GIT_ASKPASS", "SSH_ASKPASS", "DISPLAY"),
)


class Remote(NamedTuple):
    """A remote of a repository, by its name in that repository."""

    repository: Repository
    name: str
    url: str  # as git pushes to it; may hold a password, which is hidden from output already

    def tip(self, branch: str) -> str | None:
        """The commit that the branch is at now, and that is here then; None where the remote has no such branch.

        Raises ToolError with git's words where the remote cannot be asked.
        """
        ref = f"refs/heads/{branch}"
        listed = self._ask("ls-remote", "--refs", self.name, ref).splitlines()
        found = [line.split("\t")[0] for line in listed if line.endswith(f"\t{ref}")]
        if not found:
            return None
        if self.repository.commit(found[0]) is None:
            quiet = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--refmap=")
            self._ask("fetch", *quiet, self.name, ref)
            if self.repository.commit(found[0]) is None:  # it was replaced in between
                raise ToolError(f"{self.name}/{branch} moved while it was fetched", todo="run the command again")
        return found[0]

    def branches(self, pattern: str) -> dict[str, str]:
        """The remote's branches whose names match, with their commits; nothing is fetched. Raises ToolError."""
        listed = (
            line.split("\t")
            for line in self._ask("ls-remote", "--refs", self.name, f"refs/heads/{pattern}").splitlines()
        )
        return {ref.removeprefix("refs/heads/"): commit for commit, ref in listed}

    def push(self, commit: str, branch: str) -> str:
        """Push a commit to a branch, never by force: empty where git says it did, else its words for why not."""
        words = ("push", "--quiet", "--no-follow-tags", "--recurse-submodules=no", self.name)
        done = self._run(*words, f"{commit}:refs/heads/{branch}")
        return "" if not done.code else shell.redact(done.err or done.out).strip()[-2000:] or "it said nothing"

    def _ask(self, *words: str) -> str:
        done = self._run(*words)
        if done.code:
            raise ToolError(
                f"git cannot reach the remote `{self.name}`",
                where=str(self.repository.root),
                why=shell.redact(done.err or done.out).strip()[-2000:] or "it said nothing",
                todo=f"git -C {self.repository.root} ls-remote {self.name}   (must answer)",
            )
        return done.out

    def _run(self, *words: str) -> shell.Finished:
        seen = {**shell.inherited(*NETWORK), **environment()}
        return shell.run(["git", *words], environment=seen, timeout=DEADLINE, cwd=self.repository.root, raw=True)


def of(repository: Repository) -> Remote:
    """The remote of a repository: origin, else its first. Raises Refused where it has none."""
    names = repository.ask("remote").split()
    if not names:
        raise Refused(
            "has no remote, and a release is written to a branch of one",
            where=str(repository.root),
            todo=f"git -C {repository.root} remote add origin URL",
        )
    name = "origin" if "origin" in names else names[0]
    urls = [repository.ask("remote", "get-url", *push, name).strip() for push in ((), ("--push",))]
    for url in urls:
        shell.hide(_password(url))
    return Remote(repository=repository, name=name, url=urls[-1])


def _password(url: str) -> str:
    try:
        return urlsplit(url).password or ""
    except ValueError:
        return ""
