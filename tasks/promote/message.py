"""The message of a commit that promotes: what a person looks for in the history, and what a program reads from it."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.stream import version_of
from tasks.promote.image import Streams

__all__ = ["COMMIT", "message"]

COMMIT = "Commit"  # the trailer that names the monorepo's commit (git-interpret-trailers)
LISTED = 20  # files of a database; more would bury the trailers


def message(
    *, service: str, environment: str, image: str, commit: str, streams: Streams, before: Streams | None
) -> tuple[str, str]:
    """Subject and body. ``before`` is what the environment had; None where nobody knows: all files are named then."""
    tag = image.partition("@")[0].rpartition(":")[2]
    parts = [_database(key, list(files), list((before or {}).get(key, ()))) for key, files in streams.items()]
    trailers = f"Image: {image}\n{COMMIT}: {commit}"
    return f"chore({service}): promote {tag} to {environment}", "\n\n".join([*parts, trailers])


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
