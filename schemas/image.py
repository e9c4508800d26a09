"""What an image of migrations holds, and the name that follows from that alone.

Two machines that look at the same files, with the same lock files of ours, give the same name, on any day.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from schemas.stream import Migration

__all__ = ["FILES", "ROOT", "Content", "Identity", "identity", "labelled"]

ROOT = "/migrations"
FILES = "gander.{database}.files"  # the label that has a database's files with their hashes
DIGITS = 16  # hexadecimal, of the content's hash: what a tag shows of it


@dataclass(frozen=True, kw_only=True)
class Content:
    """The migrations of one service at one commit: the files that goose takes, by database, in order."""

    service: str
    streams: Mapping[str, tuple[Migration, ...]]
    base: str = ""  # the image that it begins with, HOST/REPOSITORY@sha256:…; empty: none

    @cached_property
    def files(self) -> Mapping[str, bytes]:
        """Path in the image -> content."""
        return MappingProxyType(
            {
                f"{self.folder(database)}/{one.name}": one.data
                for database, stream in self.streams.items()
                for one in stream
            }
        )

    def folder(self, database: str) -> str:
        """Where a database's files lie in the image: apart only where there are several databases."""
        return ROOT if len(self.streams) == 1 else f"{ROOT}/{database}"

    @property
    def hashes(self) -> dict[str, dict[str, str]]:
        """Database -> file name -> SHA-256 of the content."""
        return {database: {one.name: one.sha256 for one in stream} for database, stream in self.streams.items()}

    @property
    def count(self) -> int:
        """How many files there are."""
        return sum(map(len, self.streams.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The name of an image: its repository, and the tag that its content gives it."""

    repository: str
    tag: str

    @property
    def reference(self) -> str:
        """``REPOSITORY:TAG``."""
        return f"{self.repository}:{self.tag}"


def identity(repository: str, content: Content, platforms: Sequence[str], recipe: str) -> Identity:
    """The name of the image that this content makes; the recipe stands for all else that goes into it."""
    base = {"base": content.base.partition("@")[2]} if content.base else {}
    made_of = {"service": content.service, "files": content.hashes, "platforms": list(platforms), "recipe": recipe}
    made_of |= base
    digest = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()
    return Identity(repository=repository, tag=f"m-{digest[:DIGITS]}")


def labelled(labels: Mapping[str, str]) -> dict[str, dict[str, str]] | None:
    """As `Content.hashes`, by what an image's own labels say; None where they say nothing that can be read."""
    head, _, tail = FILES.partition("{database}")
    named = {key[len(head) : -len(tail)]: key for key in labels if key.startswith(head) and key.endswith(tail)}
    try:
        found = {database: dict(json.loads(labels[key])) for database, key in named.items()}
    except (ValueError, TypeError, RecursionError):
        return None
    return {database: {str(name): str(content) for name, content in one.items()} for database, one in found.items()}
