"""The step `lint`: one target a stream, one a service for its other files, and one for those of no service."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from schemas.catalog import Catalog
from schemas.target import Target
from tasks.work import Outcome, Work

__all__ = ["parts", "run"]


def run(work: Work) -> Outcome:
    """Check what the target is about. Raises LintFailed where a finding is an error."""
    if work.target.database:
        from tasks.lint import run as stream  # noqa: PLC0415 - start-up: each kind of target imports its own

        return stream.run(work)
    from tasks.lint import around  # noqa: PLC0415

    return around.run(work)


def parts(catalog: Catalog, target: Target, digest: Callable[[Path], str]) -> dict[str, str]:
    """What can change the outcome beside services.yaml."""
    if target.database:
        from tasks.lint import run as stream  # noqa: PLC0415

        return stream.parts(catalog, target, digest)
    from tasks.lint import around  # noqa: PLC0415

    return around.parts(catalog, target)
