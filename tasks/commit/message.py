"""The message of a commit, made from what it holds (conventionalcommits.org 1.0.0)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["message"]


def message(service: str, changes: Mapping[str, str]) -> tuple[str, str]:
    """Subject and body: ``changes`` are paths with ``A`` (new), ``M`` (edited) or ``D`` (gone)."""
    new, edited, gone = (_migrations(changes, kind) for kind in "AMD")
    moved = [name for name in new if name in gone]
    if new and len(moved) < len(new):
        kind, what = "feat", _said([name for name in new if name not in gone], "migrations")
    elif moved:
        kind, what = "chore", f"renumber {_said(moved, 'migrations')}"
    elif edited:
        kind, what = "fix", f"correct {_said(edited, 'migrations')}"
    elif gone:
        kind, what = "revert", f"take {_said(gone, 'migrations')} away"
    else:
        kind, what = "chore", "pull the Prisma schema"
    listed = "\n".join(f"{changes[path]} {path}" for path in sorted(changes))
    return f"{kind}({service}): {what}", listed if len(changes) > 1 else ""


def _migrations(changes: Mapping[str, str], kind: str) -> list[str]:
    """What the migrations of a kind are called, without version and ending, in order."""
    names = [path.rpartition("/")[2] for path, one in sorted(changes.items()) if one == kind and path.endswith(".sql")]
    return [name.partition("_")[2].removesuffix(".sql") for name in names]


def _said(names: Sequence[str], several: str) -> str:
    return names[0].replace("_", " ") if len(names) == 1 else f"{len(names)} {several}"
