"""What of the unfinished things in a database is this release's to finish."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from schemas.stream import Migration
from tools.remote import Undone

__all__ = ["Sorted", "sort"]

FINISHING = {  # how a file brings it to its end, in a word and as SQL
    "constraint": ("validates", r'VALIDATE\s+CONSTRAINT\s+"?{}(?![\w$])'),
    "partitioned index": ("attaches any to", r'(?<![\w$]){}"?\s+ATTACH\s+PARTITION'),
}


class Sorted(NamedTuple):
    """Sentences on what speaks against a release, and on what is only to be known."""

    against: tuple[str, ...]
    remarks: tuple[str, ...]


def sort(undone: Iterable[Undone], migrations: Iterable[Migration]) -> Sorted:
    """Everything unfinished speaks against it, but what no file finishes, which was left so on purpose.

    That is a constraint without VALIDATE, and the index of a partitioned table without ATTACH PARTITION.
    """
    text = "\n".join(one.data.decode(errors="replace") for one in migrations)
    against, remarks = [], []
    for one in undone:
        says = f"{one.kind} {one.name} of {one.table}"
        how, finishing = FINISHING.get(one.kind, ("", ""))
        if finishing and not re.search(finishing.format(re.escape(one.name)), text, re.IGNORECASE):
            remarks.append(f"{says}: {one.says}, and no file {how} it")
        else:
            against.append(f"{says}: {one.says}")
    return Sorted(tuple(against), tuple(remarks))
