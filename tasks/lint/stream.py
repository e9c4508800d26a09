"""A stream as rules over all its files see it."""

from __future__ import annotations

from typing import NamedTuple

from schemas.catalog import Database
from schemas.stream import Problem
from tasks.lint.base import Base
from tasks.lint.file import File
from tasks.lint.reading import Readings

__all__ = ["Dotenv", "Stream"]


class Dotenv(NamedTuple):
    """A file ``.env`` that goose would read, and the first line of it that is meant for goose; 0: none is."""

    path: str
    line: int


class Stream(NamedTuple):
    """The files of a stream and what stands around them."""

    database: Database
    files: tuple[File, ...]  # by version
    problems: tuple[Problem, ...]  # what goose would not take
    dotenvs: tuple[Dotenv, ...]
    base: Base | None  # None: nothing can be compared
    readings: Readings  # of ClickHouse's parser

    @property
    def folder(self) -> str:
        """The folder of the files, relative to the monorepo's root."""
        return self.database.migrations
