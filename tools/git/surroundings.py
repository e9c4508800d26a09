"""What every git that we start gets to see, and how long it may take."""

from __future__ import annotations

from tools import shell

__all__ = ["DEADLINE", "LEADING", "environment"]

DEADLINE = 120.0  # seconds: a large repository on a slow disk
SETTINGS = (  # where git finds its configuration and its keys
    *("XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_CEILING_DIRECTORIES"),
    *("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "EMAIL"),
    *("GNUPGHOME", "GPG_TTY", "SSH_AUTH_SOCK", "GIT_SSH_COMMAND"),
)
LEADING = frozenset(  # lead git to another repository, index or store than those around the folder that it works in
    (
        *("GIT_DIR", "GIT_WORK_TREE", "GIT_IMPLICIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_PREFIX", "GIT_NAMESPACE"),
        *("GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_SHALLOW_FILE"),
        *("GIT_GRAFT_FILE", "GIT_REPLACE_REF_BASE"),
    )
)


def environment() -> dict[str, str]:
    """What git gets to see: its settings and keys, and no word in another language."""
    return {
        **shell.inherited(*SETTINGS),
        "LC_ALL": "C.UTF-8",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_LITERAL_PATHSPECS": "1",
    }
