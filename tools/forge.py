"""The site that hosts a repository: where a pull request is opened there, and its command-line program opening it."""

from __future__ import annotations

import re
import shutil
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from schemas.errors import ToolError
from tools import shell
from tools.git.remote import NETWORK, Remote

__all__ = ["Site", "compare", "opened", "site"]

DEADLINE = 60.0
KEYS = (  # where gh and glab find their accounts
    *("GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "GH_HOST", "GH_CONFIG_DIR"),
    *("GITLAB_TOKEN", "GITLAB_ACCESS_TOKEN", "GITLAB_HOST", "GLAB_CONFIG_DIR", "XDG_CONFIG_HOME"),
)
SCP = re.compile(r"(?:[^@/]+@)?(?P<host>[^:/@]+):(?P<path>(?!//).+)")
ADDRESS = re.compile(r"https?://\S+")


class Site(NamedTuple):
    """Where a repository is hosted."""

    host: str
    path: str  # owner and name, or groups and name

    @property
    def gitlab(self) -> bool:
        """Whether it looks like a GitLab; the name of its host is all that can be known without asking."""
        return "gitlab" in self.host


def site(url: str) -> Site | None:
    """The site that a remote's URL leads to; None for a path of this machine."""
    try:
        parts = urlsplit(url)
        host, path = parts.hostname, parts.path
    except ValueError:
        return None
    if not host and "://" not in url and (short := SCP.fullmatch(url)):
        host, path = short["host"], short["path"]
    path = path.strip("/").removesuffix(".git")
    return Site(host, path) if host and path else None


def compare(where: Site, base: str, branch: str) -> str:
    """The page on which a pull request from a branch into another is opened; empty where no such page is known."""
    if where.gitlab:
        into = f"merge_request[source_branch]={quote(branch)}&merge_request[target_branch]={quote(base)}"
        return f"https://{where.host}/{where.path}/-/merge_requests/new?{into}"
    if "github" in where.host:
        return f"https://{where.host}/{where.path}/compare/{quote(base)}...{quote(branch)}?expand=1"
    return ""


def opened(remote: Remote, base: str, branch: str, title: str, body: str) -> str:
    """Open a pull request with gh or glab, and return its address, or that of the page where a person opens it.

    Empty where neither is known. One that is open already is no mistake: gh names its address then.
    """
    where = site(remote.url)
    if where is None:
        return ""
    program = shutil.which("glab" if where.gitlab else "gh")
    if program is None:
        return compare(where, base, branch)
    words: tuple[str, ...]
    if where.gitlab:
        words = ("mr", "create", "--yes", "--source-branch", branch, "--target-branch", base, "--description", body)
        repository = f"https://{where.host}/{where.path}"
    else:
        words = ("pr", "create", "--head", branch, "--base", base, "--body", body)
        repository = f"{where.host}/{where.path}"
    seen = shell.inherited(*NETWORK, *KEYS) | {"NO_COLOR": "1", "GH_PROMPT_DISABLED": "1"}
    command = [program, *words, "--title", title, "--repo", repository]
    try:
        done = shell.run(command, environment=seen, timeout=DEADLINE, cwd=remote.repository.root)
    except ToolError:
        return compare(where, base, branch)
    found = ADDRESS.findall(f"{done.out}\n{done.err}" if done.code == 0 or "already exists" in done.err else "")
    return found[-1] if found else compare(where, base, branch)
