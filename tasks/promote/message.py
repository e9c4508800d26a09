"""The message of a commit that promotes: what a person looks for in the history, and what a program reads from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from schemas.stream import version_of
from tasks.promote.image import Streams

__all__ = ["BUILT", "COMMIT", "IMAGE", "NONE", "OVERRIDE", "REF", "changes", "message"]

# Trailers (git-interpret-trailers).
IMAGE = "Image"  # what the values file says from this commit on
COMMIT = "Commit"  # the monorepo's commit that it is of
REF = "Ref"  # what stands for the decision elsewhere
BUILT = "Built"  # when and by whom, where that is known: the image itself does not say it
OVERRIDE = "Override"  # why it went there although the environment before had not verified it
NONE: Mapping[str, str] = MappingProxyType({})
LISTED = 20  # files of a database; more would bury the trailers


def message(
    *,
    service: str,
    environment: str,
    image: str,
    commit: str,
    streams: Streams,
    before: Streams | None,
    more: Mapping[str, str] = NONE,
) -> tuple[str, str]:
    """Subject and body. ``before`` is what the environment had; None where nobody knows: all files are named then.

    ``more`` are further trailers, each on one line.
    """
    tag = image.partition("@")[0].rpartition(":")[2]
    trailers = {IMAGE: image, COMMIT: commit, **more}
    listed = "\n".join(f"{name}: {value}" for name, value in trailers.items() if value)
    return f"chore({service}): promote {tag} to {environment}", "\n\n".join([*changes(streams, before), listed])


def changes(streams: Streams, before: Streams | None) -> Iterator[str]:
    """What an image brings, a paragraph a database."""
    for key, files in streams.items():
        yield _database(key, list(files), list((before or {}).get(key, ())))


def _database(key: str, files: Sequence[str], before: Sequence[str]) -> str:
    new = [name for name in files if name not in before]
    gone = [name for name in before if name not in files]
    count = "1 migration" if len(files) == 1 else f"{len(files)} migrations"
    head = f"{key}: {count} to version {version_of(files[-1])}" if files else f"{key}: no migrations"
    lines = [f"  {name}" for name in new[-LISTED:]]
    if len(new) > LISTED:
        lines.insert(0, f"  {len(new) - LISTED} more, from {new[0]}")
    if before:
        head += f", {len(new)} of them new" if new else ", none of them new"
    return "\n".join([head, *lines, *(f"  without {name}" for name in gone[:LISTED])])
