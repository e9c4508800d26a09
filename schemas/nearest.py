"""Which valid word was probably meant by a mistyped one."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["nearest"]


def nearest(word: str, valid: Iterable[str]) -> str:
    """Return `` — did you mean `x`?`` for the valid word closest to ``word``; empty when none is close."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it

    words = {candidate.casefold(): candidate for candidate in valid}
    found = get_close_matches(word.casefold(), words, n=1)
    return f" — did you mean `{words[found[0]]}`?" if found else ""
