"""What a word of the command line names: ``STEP[:SERVICE[/DATABASE]][@ENVIRONMENT]``."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["LOCAL", "Target", "parse"]

LOCAL = "local"

WORD = re.compile(
    r"(?P<step>[^:@/]+)(?::(?P<service>[^:@/]+)(?:/(?P<database>[^:@/]+))?)?(?:@(?P<environment>[^:@/]+))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
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
