"""The AR rules on the releases of a service: findings, each with the line that it is in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from schemas.yaml_lenient import LARGEST
from tasks.lint.check import finding, shown
from tasks.lint.finding import Finding, in_order
from tasks.lint.release import Release
from tasks.lint.rule import rules

__all__ = ["files", "findings"]

SECRET = ("AR10",)  # their lines hold what must not be shown again


def findings(root: Path, releases: tuple[Release, ...]) -> list[Finding]:
    """What the rules find; the same in two environments is told once."""
    return in_order(_each(root, releases))


def files(releases: tuple[Release, ...]) -> frozenset[str]:
    """The files that were looked at: templates and Applications that came to something."""
    return frozenset(one.file for release in releases for one in (*release.manifests, *release.applications))


def _each(root: Path, releases: tuple[Release, ...]) -> Iterator[Finding]:
    lines: dict[str, list[str]] = {}
    for one in rules(None, "release"):
        for release in releases:
            for flaw in one.check(release):
                found = finding(one.rule, flaw, None)
                if found.code not in SECRET:
                    text = lines.setdefault(found.path, _lines(root / found.path))
                    line = text[found.line - 1] if 0 < found.line <= len(text) else ""
                    found = shown(found, line)
                yield found


def _lines(file: Path) -> list[str]:
    try:
        with file.open("rb") as opened:
            return opened.read(LARGEST).decode(errors="replace").split("\n")
    except OSError:
        return []
