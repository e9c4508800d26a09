"""Which valid word was probably meant by a mistyped one."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["closest", "nearest"]


def nearest(word: str, valid: Iterable[str]) -> str:
    """Return `` — did you mean `x`?`` for the valid word closest to ``word``; empty when none is close."""
    found = closest(word, valid)
    return f" — did you mean `{found}`?" if found else ""


def closest(word: str, valid: Iterable[str]) -> str:
    """The valid word closest to ``word``, whatever its case; empty when none is close."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it

    words = {candidate.casefold(): candidate for candidate in valid}
    found = get_close_matches(word.casefold(), words, n=1)
    return words[found[0]] if found else ""
