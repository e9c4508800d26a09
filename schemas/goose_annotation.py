"""The lines that mean something to goose: which annotations it knows, how they may be written, and its refusal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from schemas.envsub import SPACE

__all__ = ["NAMES", "Annotation", "Direction", "GooseSyntax", "Kind", "name_of"]

Direction = Literal["up", "down"]
Kind = Literal["annotation", "section", "block", "unfinished", "substitution", "encoding"]
"""What a refusal is about: an annotation's form, Up and Down, StatementBegin and End, a semicolon, ENVSUB, bytes."""

NAMES = ("Up", "Down", "StatementBegin", "StatementEnd", "NO TRANSACTION", "ENVSUB ON", "ENVSUB OFF")


class GooseSyntax(ValueError):
    """goose refuses the file, in the ``directions`` named.

    ``message`` says why and ``remedy`` what to change; ``goose`` is a phrase of goose's own message.
    """

    def __init__(self, line: int, message: str, *, remedy: str, goose: str, kind: Kind) -> None:
        self.line, self.message, self.remedy, self.goose, self.kind = line, message, remedy, goose, kind
        self.directions: tuple[Direction, ...] = ()
        super().__init__(f"line {line}: {message}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """A line ``-- +goose NAME``; the name as goose's documentation spells it."""

    name: str
    line: int


def name_of(number: int, line: str) -> str:
    """The name of the annotation in a comment line that holds ``+goose``; GooseSyntax when it is none."""

    def refused(message: str, goose: str) -> GooseSyntax:
        remedy = f"write one of: {', '.join(f'-- +goose {name}' for name in NAMES)}; leave +goose out of other comments"
        return GooseSyntax(number, message, remedy=remedy, goose=f"{goose}annotation", kind="annotation")

    if line.startswith((" ", "\t")):
        raise refused("a goose annotation must start in the first column", "contains leading whitespace: invalid ")
    rest = line.replace("--", "").replace("+goose", "", 1)
    if "+goose" in rest:
        raise refused("the line holds +goose twice", "contains multiple '+goose' annotations: invalid ")
    word = rest.strip(SPACE)
    if not word:
        raise refused("the goose annotation has no name", "empty ")
    if word in NAMES:
        return word
    for name in NAMES:
        # character by character: goose folds case so, and the ligature ﬀ stays one character
        if len(name) == len(word) and all(a.casefold() == b.casefold() for a, b in zip(name, word, strict=True)):
            return name
    raise refused(f"goose knows no annotation “{word.encode(errors='replace').decode()}”", "not supported: invalid ")
