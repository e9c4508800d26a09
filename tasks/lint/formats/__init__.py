"""The forms that a report is written in, each a pure function from what was found to a text."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from tasks.lint.found import Found

__all__ = ["written"]

MODULES = {name: f"tasks.lint.formats.{name}" for name in ("github", "gitlab", "junit", "sarif")}
MODULES |= {"text": "tasks.lint.text", "json": "tasks.lint.formats.document"}

BYTES = frozenset({"sarif"})  # its paths are URIs, which may hold any byte


def written(form: str, found: Found) -> str:
    """The report in that form, without an end of line after the last; empty where the form has nothing to say."""
    write: Callable[[Found], str] = importlib.import_module(MODULES[form]).write
    return write(found if form in BYTES else found.plain)
