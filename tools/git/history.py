"""What a commit's history holds, read from the objects themselves where that is soon and surely found.

Each function answers as git does, or not at all: git is asked then, which costs a process of its own.
"""

from __future__ import annotations

import re

from tools.git.objects import Commit, Entry, Objects

__all__ = ["brought", "trailer", "within"]

FAR = 2000  # commits after which git looks itself
LINE = re.compile(r"(?P<name>[A-Za-z0-9-]+): ?(?P<value>.*)")


def within(there: Objects, commit: str, tip: str) -> bool:
    """Whether a commit is seen in the history of another; False where git has to be asked."""
    seen = {tip}
    waiting = [tip]
    for name in waiting:  # it grows
        if name == commit:
            return True
        found = there.commit(name) if len(waiting) < FAR else None
        for parent in found.parents if found else ():
            if parent not in seen:
                seen.add(parent)
                waiting.append(parent)
    return False


def brought(there: Objects, tip: str, path: str, text: str) -> Commit | None:
    """The commit that `git log -1 -S TEXT TIP -- PATH` finds; None where git has to be asked.

    Like git's, the walk goes on with the first parent that has the same at the path ("History Simplification" of
    git-log). A merge that has something else than each of its parents is for git.
    """
    at = tip
    for _ in range(FAR):
        commit = there.commit(at)
        if commit is None or not all(there.commit(one) for one in commit.parents):  # a shallow clone ends here
            break
        here, before = there.entry(at, path), [there.entry(one, path) for one in commit.parents]
        if here in before:
            at = commit.parents[before.index(here)]
            continue
        if len(before) > 1 or not all(one is None or one.plain for one in (here, *before)):
            break
        if _count(there, here, text) != _count(there, before[0] if before else None, text):
            return commit
        if not before:
            break
        at = commit.parents[0]
    return None


def _count(there: Objects, entry: Entry | None, text: str) -> int:
    return there.files([entry.hash])[entry.hash].count(text.encode()) if entry else 0


def trailer(commit: Commit, name: str) -> str | None:
    """The value of a trailer, as git-interpret-trailers reads it; None where git has to be asked.

    The last of several paragraphs must hold nothing but trailers of one line each.
    """
    if not commit.plain:
        return None
    *more, last = commit.message.decode(errors="replace").rstrip().split("\n\n")
    found = [LINE.fullmatch(line) for line in last.split("\n")]
    if not more or not all(found):
        return None
    return "\n".join(one["value"].strip() for one in found if one and one["name"].lower() == name.lower())
