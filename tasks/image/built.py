"""Who built an image, and when: never in the image, which is the same whoever builds it, but beside it.

It is noted where the image was pushed, and promotion writes it down for everybody (tasks/promote/message.py).
"""

from __future__ import annotations

import getpass
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from tasks.work import Work
from tools import git, whole

__all__ = ["Built", "note", "noted", "parse"]

FORM = re.compile(r"(?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00) by (?P<by>\S+)")


class Built(NamedTuple):
    """Who pushed an image first, as git knows them or else the machine, and when, by the clock there."""

    by: str
    at: str

    def __str__(self) -> str:
        return f"{self.at} by {self.by}"


def note(work: Work, service: str, image: str) -> None:
    """Remember on this machine that it has just built ``REPOSITORY:TAG@DIGEST``."""
    repository = git.find(work.catalog.root)
    named = repository.who() if repository else ""
    by = "-".join((named or getpass.getuser()).split())
    at = datetime.now(UTC).isoformat(timespec="seconds")
    whole.replace(_file(work, service), f"{image}\n{Built(by=by, at=at)}\n")


def noted(work: Work, service: str, image: str) -> Built | None:
    """Who built an image, where this machine did."""
    file = _file(work, service)
    try:
        named, _, text = file.read_text(encoding="utf-8").partition("\n")
    except (OSError, ValueError):
        return None
    return parse(text.strip()) if named == image else None


def parse(text: str) -> Built | None:
    """What a note or a commit's trailer says; None where it is nothing of ours."""
    found = FORM.fullmatch(text)
    return Built(by=found["by"], at=found["at"]) if found and text.isprintable() else None


def _file(work: Work, service: str) -> Path:
    return work.catalog.root / ".state" / "image" / f"{service}.built"
