"""A services.yaml as text: a line a value, and behind each guess its reason."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

__all__ = ["From", "Guess", "written"]

PLAIN = re.compile(r"[A-Za-z./][A-Za-z0-9_./-]*")
WORDS = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))  # text to us, but not to everybody
LONGEST = 160  # characters of a comment


class Guess(NamedTuple):
    """A value that nobody has said, and why it is the likely one."""

    value: Any
    why: str

    @property
    def comment(self) -> str:
        """What stands behind the value."""
        return f"guess: {self.why}"


class From(NamedTuple):
    """A value that a file says, and which."""

    value: Any
    where: str

    @property
    def comment(self) -> str:
        """What stands behind the value."""
        return f"from {self.where}"


def written(document: Mapping[str, Any], head: str = "", schema: str = "") -> str:
    """The text of a document; ``head`` is a comment above it, ``schema`` the path of what editors check it with."""
    comment = f"# yaml-language-server: $schema={schema}\n" if schema else ""
    comment += "".join(f"# {_shown(line)}\n" for line in head.splitlines())
    return comment + "\n".join(_lines(document, "")) + "\n"


def _lines(data: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, value in data.items():
        comment = ""
        plain = value
        if isinstance(value, Guess | From):
            plain, comment = value.value, f" # {_shown(value.comment)}"
        if isinstance(plain, dict) and plain:
            yield f"{indent}{_scalar(key)}:{comment}"
            yield from _lines(plain, f"{indent}  ")
        else:
            yield f"{indent}{_scalar(key)}: {_scalar(plain)}{comment}"


def _scalar(value: Any) -> str:
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, bool | int):
        return json.dumps(value)
    text = str(value)
    bare = PLAIN.fullmatch(text) and text.lower() not in WORDS
    return text if bare else json.dumps(text, ensure_ascii=not text.isprintable())


def _shown(text: str) -> str:
    text = "".join(character if character.isprintable() else "?" for character in text)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
