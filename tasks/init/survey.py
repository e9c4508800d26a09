"""What is read of a monorepo before anything is decided: which files there are, and the texts of some."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from tools.tree import Tree

__all__ = ["Survey", "survey"]

HEAD = 256 * 1024  # bytes read of a file
BUDGET = 192 * 1024 * 1024  # bytes read of all files
MANY = 20_000  # files read
MIGRATION = re.compile(r"(?:.*/)?(?P<version>[0-9]+)_[^/]*\.(?P<kind>sql|go)")
READ = re.compile(r"(?:.*/)?(?:[0-9]+_[^/]*\.(?:sql|go)|[^/]*\.(?:ya?ml|prisma))")


class Survey(NamedTuple):
    """A monorepo as far as it was looked at; paths are relative to its root."""

    name: str  # of its folder
    paths: tuple[str, ...]  # of all plain files
    texts: Mapping[str, str]  # of migrations, YAML and Prisma files: their beginning, see `HEAD`
    links: Mapping[str, str]  # link -> what it leads to
    cut: str = ""  # why there may be more


def survey(tree: Tree) -> Survey:
    """Read what may matter; bytes that are no UTF-8 become U+FFFD, and a binary file has no text."""
    texts: dict[str, str] = {}
    left, cut = BUDGET, tree.cut
    for path in sorted(filter(READ.fullmatch, tree.files), key=lambda path: (not path.endswith(".sql"), path)):
        if left <= 0 or len(texts) >= MANY:
            cut = cut or f"only {len(texts):,} files were read"
            break
        data = tree.head(path, min(HEAD, left))
        left -= len(data)
        texts[path] = "" if b"\0" in data else data.decode(errors="replace")
    return Survey(name=tree.root.name, paths=tree.files, texts=texts, links=tree.links, cut=cut)
