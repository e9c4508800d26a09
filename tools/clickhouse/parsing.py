"""The process that is ClickHouse's parser: ``python -m tools.clickhouse.parsing PACKAGE``, until its input ends.

A line of standard input is JSON: what is asked for, "trees" or "tokens", and a list of texts. A line of standard output
is what ClickHouse makes of each.
"""

from __future__ import annotations

import gc
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from schemas.errors import ServerError
from tools.clickhouse.connection import string
from tools.clickhouse.proof import read
from tools.clickhouse.tokens import tokenize

__all__ = ["main"]

PLACE = re.compile(
    r"(?P<message>.*?): failed at position (?P<byte>[0-9]+) \((?P<word>.*?)\)(?: \(line|:|\.)", re.DOTALL
)
PREFIX = re.compile(r"^\s*Code: [0-9]+\. DB::Exception: ")
LARGE = 1_000_000_000
Run = Callable[[str], Any]


def main() -> None:
    """Answer until standard input ends."""
    sys.path.insert(0, sys.argv[1])
    gc.disable()  # trees and tokens hold no cycles
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # the engine may print: nothing but answers may get into ours
    from chdb import _chdb  # type: ignore[import-not-found]  # noqa: PLC0415 - its folder is an argument

    connection = _chdb.connect(":memory:")

    def run(query: str) -> Iterable[Sequence[Any]]:
        try:
            result = connection.query(query, "JSONCompactEachRow")
        except RuntimeError as error:
            raise ServerError(str(error)) from error
        return [json.loads(line) for line in result.bytes().splitlines() if line]

    run(f"SET max_query_size = {LARGE}, max_ast_depth = 1000, implicit_select = 0")
    for line in sys.stdin.buffer:
        what, texts = json.loads(line)
        answers.write(json.dumps(_trees(texts, run) if what == "trees" else tokenize(texts, run)) + "\n")
        answers.flush()


def _trees(texts: list[str], run: Run) -> list[dict[str, Any]]:
    return [
        {"tree": reading.written, "mistake": _mistake(text, run) if reading.canonical is None else None}
        for text, reading in zip(texts, read(texts, run), strict=True)
    ]


def _mistake(text: str, run: Run) -> tuple[str, int] | None:
    """ClickHouse's own words about a text that it cannot parse, and the byte, counted from 1."""
    try:
        run(f"SELECT formatQuerySingleLine({string(text)}) SETTINGS implicit_select = 0")
    except ServerError as error:
        said = PREFIX.sub("", str(error))
        found = PLACE.match(said)
        if found is None:
            return said.partition(": In scope")[0].strip(), 1
        word = found["word"].partition("\n")[0]
        return f"{found['message']} at “{word}”", int(found["byte"])
    return None


if __name__ == "__main__":
    main()
