"""What services.yaml says under ``lint:``, with the places where it says so."""

from __future__ import annotations

import os
from collections.abc import Collection
from functools import lru_cache
from typing import NamedTuple

from schemas import yaml_positions
from schemas.catalog import Catalog
from tasks.lint.waiver import ALL, WORD, Waiver

__all__ = ["Unknown", "allowed", "settings_file", "unknown"]

ALLOW = ("lint", "allow")
SEVERITY = ("lint", "severity")


class Unknown(NamedTuple):
    """A code that services.yaml gives a severity to, and that no rule has."""

    path: str
    line: int
    column: int
    code: str


def settings_file(catalog: Catalog) -> str:
    """The path of services.yaml from the monorepo's root."""
    return os.path.relpath(catalog.file, catalog.root)


def allowed(catalog: Catalog, paths: Collection[str], text: str) -> list[Waiver]:
    """Its waivers that are about one of these files, or about one that is not there."""
    made = []
    for number, one in enumerate(catalog.lint.allow):
        if one.path in paths or not (catalog.root / one.path).exists():
            line, column = _places(text).at_value((*ALLOW, number))
            place = (settings_file(catalog), line, column, 0, WORD)
            made.append(Waiver(*place, (one.rule,), one.reason, one.until, one.path, 1, ALL))
    return made


def unknown(catalog: Catalog, known: Collection[str], text: str) -> list[Unknown]:
    """The codes of its severities that no rule has."""
    found = [code for code in catalog.lint.severity if code not in known]
    return [Unknown(settings_file(catalog), *_places(text).at_key((*SEVERITY, code)), code) for code in found]


@lru_cache(maxsize=2)
def _places(text: str) -> yaml_positions.Document:
    return yaml_positions.read(text, "services.yaml")
