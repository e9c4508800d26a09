"""What of the unfinished things in a database is this release's to finish."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from schemas.stream import Migration
from tools.remote import Undone

__all__ = ["Sorted", "sort"]


class Sorted(NamedTuple):
    """Sentences on what speaks against a release, and on what is only to be known."""

    against: tuple[str, ...]
    remarks: tuple[str, ...]


def sort(undone: Iterable[Undone], migrations: Iterable[Migration]) -> Sorted:
    """Everything unfinished speaks against it, but a constraint that no file validates: that was left so on purpose."""
    text = "\n".join(one.data.decode(errors="replace") for one in migrations)
    against, remarks = [], []
    for one in undone:
        says = f"{one.kind} {one.name} of {one.table}"
        if one.kind == "constraint" and not re.search(
            rf'VALIDATE\s+CONSTRAINT\s+"?{re.escape(one.name)}(?![\w$])', text, re.IGNORECASE
        ):
            remarks.append(f"{says}: {one.says}, and no file validates it")
        else:
            against.append(f"{says}: {one.says}")
    return Sorted(tuple(against), tuple(remarks))
