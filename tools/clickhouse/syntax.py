"""ClickHouse's own parser: the engine in a process of its own, which answers about texts and holds no data."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Lock, Timer
from typing import Any, Literal, NamedTuple

from schemas.errors import ToolError, ToolTimeout
from schemas.syntax import Mistake, Tree
from tools import shell
from tools.clickhouse.tokens import Token

__all__ = ["Parsed", "Parser"]

PROGRAM = "tools.clickhouse.parsing"
DEADLINE = 120.0  # seconds for the statements of one stream
LONGEST = 1_000_000  # bytes of a statement: reading the tree of a longer one takes seconds


class Parsed(NamedTuple):
    """How ClickHouse reads a text; neither tree nor mistake: it has no tree of such a statement, or nobody can tell."""

    tree: Tree | None
    mistake: Mistake | None
    lexed: Callable[[], tuple[Token, ...]] = tuple

    @property
    def tokens(self) -> tuple[Token, ...]:
        """What ClickHouse's lexer makes of it. Raises what `Parser.read` raises."""
        return self.lexed()


UNKNOWN = Parsed(tree=None, mistake=None)


class _Lexed:
    """The tokens of texts that were read together: few are asked for them, and who is asks for all at once."""

    def __init__(self, parser: Parser, texts: list[str]) -> None:
        self.parser, self.texts = parser, texts
        self._lock = Lock()
        self._found: dict[str, Any] = {}

    def of(self, text: str) -> tuple[Token, ...]:
        """Those of one of the texts."""
        with self._lock:
            if not self._found:
                self._found = dict(zip(self.texts, self.parser.ask("tokens", self.texts), strict=True))
        return tuple(map(Token._make, self._found[text]))


class Parser:
    """The process, started when first asked; used by one thread at a time, and ended by `close`.

    ``package`` gives the folder of the engine, which is installed when first needed.
    """

    def __init__(self, package: Callable[[], Path]) -> None:
        self.package = package
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._home: tempfile.TemporaryDirectory[str] | None = None

    def read(self, texts: Sequence[str]) -> dict[str, Parsed]:
        """Each text as ClickHouse reads it. Raises ToolError when the process fails, ToolTimeout past the deadline."""
        found = dict.fromkeys(texts, UNKNOWN)
        asked = [text for text in found if _readable(text)]
        if asked:
            lexed = _Lexed(self, asked)
            answers = self.ask("trees", asked)
            found |= {
                text: _parsed(text, answer)._replace(lexed=partial(lexed.of, text))
                for text, answer in zip(asked, answers, strict=True)
            }
        return found

    def ask(self, what: Literal["trees", "tokens"], texts: Sequence[str]) -> list[Any]:
        """What the process answers about each text."""
        with self._lock:
            return self._ask([what, list(texts)])

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                with suppress(OSError):
                    if pipe:
                        pipe.close()
            self._process = None
        if self._home is not None:
            self._home.cleanup()
            self._home = None

    def _ask(self, question: list[Any]) -> list[Any]:
        process = self._process = self._process or self._started()
        assert process.stdin is not None  # noqa: S101 - for the type checker: both are pipes
        assert process.stdout is not None  # noqa: S101
        late = Timer(DEADLINE, process.kill)
        late.start()
        try:
            process.stdin.write(json.dumps(question).encode() + b"\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = b""
        finally:
            expired = not late.is_alive()
            late.cancel()
        if not line.endswith(b"\n"):
            self.close()
            if expired:
                raise ToolTimeout(f"ClickHouse's parser did not end within {DEADLINE:.0f} s and was stopped")
            raise ToolError("ClickHouse's parser ended without an answer", todo="./run doit doctor")
        answers: list[Any] = json.loads(line)
        return answers

    def _started(self) -> subprocess.Popen[bytes]:
        package = self.package()
        self._home = tempfile.TemporaryDirectory(prefix="gander-")
        try:
            return subprocess.Popen(
                [sys.executable, "-m", PROGRAM, str(package)],
                env={
                    **shell.inherited(),
                    "PYTHONPATH": os.fspath(Path(__file__).parents[2]),
                    "TMPDIR": self._home.name,  # the engine makes a folder there, which stays when it is killed
                },
                cwd=self._home.name,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise ToolError(
                "ClickHouse's parser cannot be started", why=str(error), todo="./run doit doctor"
            ) from error


def _readable(text: str) -> bool:
    try:
        return "\0" not in text and len(text.encode()) <= LONGEST
    except UnicodeEncodeError:
        return False


def _parsed(text: str, answer: dict[str, Any]) -> Parsed:
    data = text.encode()
    mistake = None
    if answer["mistake"]:
        message, byte = answer["mistake"]
        mistake = Mistake(message, len(data[: max(byte - 1, 0)].decode(errors="replace")) + 1)
    tree = json.loads(answer["tree"]) if answer["tree"] else None
    return Parsed(
        tree=Tree(kind=tree["type"], fields=tree, begin=0, end=len(data)) if tree else None,
        mistake=mistake,
    )
