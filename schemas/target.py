"""What a word of the command line names: ``STEP[:SERVICE[/DATABASE]][@ENVIRONMENT]``.

A named tuple starts faster than a dataclass: see schemas/catalog.py.
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["LOCAL", "Target", "parse"]

LOCAL = "local"

WORD = re.compile(
    r"(?P<step>[^:@/]+)(?::(?P<service>[^:@/]+)(?:/(?P<database>[^:@/]+))?)?(?:@(?P<environment>[^:@/]+))?"
)


class Target(NamedTuple):
    """A step, a place and an environment; on a command line the parts may hold ``*``."""

    step: str
    service: str | None = None
    database: str | None = None
    environment: str = LOCAL

    @property
    def name(self) -> str:
        """The task's name, as typed: ``migrate:identity-service/auth``, ``verify:auth-service@prod``."""
        tail = "" if self.environment == LOCAL else f"@{self.environment}"
        return f"{self.step}{f':{self.place}' if self.service else ''}{tail}"

    @property
    def place(self) -> str:
        """The service and database alone: ``identity-service/auth``; empty for everything."""
        return "/".join(part for part in (self.service, self.database) if part)


def parse(word: str) -> Target | None:
    """Read a word of the command line; None when it does not have the form of a name."""
    found = WORD.fullmatch(word)
    if not found:
        return None
    return Target(
        step=found["step"],
        service=found["service"],
        database=found["database"],
        environment=found["environment"] or LOCAL,
    )
