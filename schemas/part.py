"""A strict look into a JSON document: what is there has the expected kind, or it is said where it has not.

Go leaves out what is empty, so an absent key, null and an empty value are the same thing here.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar

__all__ = ["Part", "Unreadable", "moment"]

Kind = TypeVar("Kind")
KINDS = {dict: "an object", list: "a list", str: "a text", bool: "true or false", int: "a number"}


class Unreadable(ValueError):
    """A document has something else in a place than what belongs there, or nothing."""


class Part:
    """An object of a document, and the way that leads to it."""

    def __init__(self, value: Any, path: str = "") -> None:
        if not isinstance(value, dict):
            raise Unreadable(f"{path or 'the document'} is {_kind(value)}, and should be an object")
        self.value, self.path = value, path

    def text(self, key: str) -> str:
        """The text under a key; empty where there is none."""
        return self._of(key, str) or ""

    def needed(self, key: str) -> str:
        """The text under a key that must be there."""
        found = self.text(key)
        if not found:
            raise Unreadable(f"{self._at(key)} is missing")
        return found

    def number(self, key: str) -> int:
        """The whole number under a key; 0 where there is none."""
        found = self._of(key, int)
        if isinstance(found, bool):
            raise Unreadable(f"{self._at(key)} is true or false, and should be a number")
        return found or 0

    def flag(self, key: str, *, absent: bool = False) -> bool:
        """The truth under a key, or what it stands for where it is absent."""
        found = self._of(key, bool)
        return absent if found is None else found

    def moment(self, key: str) -> datetime | None:
        """The time under a key; None where there is none."""
        found = self.text(key)
        return moment(found, self._at(key)) if found else None

    def has(self, key: str) -> bool:
        """Whether there is anything but null under a key."""
        return self.value.get(key) is not None

    def part(self, *keys: str) -> Part:
        """The object that keys lead to; an empty one where there is none."""
        found = self
        for key in keys:
            found = Part(found._of(key, dict) or {}, found._at(key))
        return found

    def parts(self, key: str) -> Iterator[Part]:
        """The objects in the list under a key."""
        for number, one in enumerate(self._of(key, list) or []):
            yield Part(one, f"{self._at(key)}[{number}]")

    def texts(self, key: str) -> tuple[str, ...]:
        """The texts in the list under a key."""
        found = self._of(key, list) or []
        if any(not isinstance(one, str) for one in found):
            raise Unreadable(f"{self._at(key)} should be a list of texts")
        return tuple(found)

    def _of(self, key: str, kind: type[Kind]) -> Kind | None:
        found = self.value.get(key)
        if found is not None and not isinstance(found, kind):
            raise Unreadable(f"{self._at(key)} is {_kind(found)}, and should be {KINDS[kind]}")
        return found

    def _at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key


def moment(text: str, path: str = "") -> datetime:
    """A time in UTC as Kubernetes writes it (RFC 3339); Unreadable where it is none, or has no zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Unreadable(f"{path or 'the text'} is no time: {text[:40]!r}")
    return found.astimezone(UTC)


def _kind(value: Any) -> str:
    return next((name for kind, name in KINDS.items() if type(value) is kind), type(value).__name__)
