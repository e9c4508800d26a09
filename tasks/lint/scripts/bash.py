"""The commands of a shell script, by a grammar of bash that also reads what comes before and after a mistake."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tasks.lint.scripts.script import Command, Script, Unreadable, Word, align

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

__all__ = ["commands", "given"]

LONGEST = 256 * 1024  # characters of a script
SECONDS = 2.0  # the grammar takes minutes over thousands of open brackets
DEEPEST = 4  # scripts in scripts
SHELLS = frozenset(("sh", "bash", "ash", "dash", "zsh", "ksh"))
HANDED_ON = frozenset(  # programs that give their arguments to a shell
    ("concurrently", "eval", "nodemon", "parallel", "ssh", "start-server-and-test", "su", "trap", "watch")
)
NODES_OF_WORDS = """command_name word number string raw_string ansi_c_string translated_string concatenation
    simple_expansion expansion command_substitution arithmetic_expansion"""
WORDS = frozenset(NODES_OF_WORDS.split())
TEXTS = frozenset(("string", "raw_string"))


def commands(script: Script, about: str, depth: int = 0) -> Iterator[Command]:
    """Each command whose source holds the text ``about``, also in scripts that are given to another shell.

    Raises Unreadable.
    """
    if about not in script.text.lower() or depth > DEEPEST:
        return
    if len(script.text) > LONGEST:
        raise Unreadable(f"a script in it is longer than {LONGEST // 1024} kB")
    yield from _Reading(script, about, depth).commands()


def given(command: Command, script: Script, about: str, depth: int = 0) -> Iterator[Command]:
    """The commands in those arguments that a command hands to a shell: ``sh -c '…'``, ``concurrently "…"``."""
    names = [word.text.rpartition("/")[2] for word in command.words]
    shell = next((number for number, name in enumerate(names) if name in SHELLS), len(names))
    for number, word in enumerate(command.words):
        before = names[number - 1] if number else ""
        told = number > shell and before.startswith("-") and before.endswith("c")
        if (told or names[0] in HANDED_ON or before in {"--exec", "--command"}) and " " in word.text.strip():
            yield from commands(_inside(word, script), about, depth + 1)


def _inside(word: Word, script: Script) -> Script:
    """A word as a script of its own, its characters where the file has them."""
    first = next((number for number, at in enumerate(script.at) if at >= word.begin), 0)
    inner = align(word.text, script.text, first)
    return Script(inner.text, [script.at[min(at, len(script.at) - 1)] for at in inner.at])


class _Reading:
    def __init__(self, script: Script, about: str, depth: int) -> None:
        self.script, self.about, self.depth = script, about, depth
        self.data = script.text.encode(errors="replace")
        self.characters = None if script.text.isascii() else _characters(script.text)

    def commands(self) -> Iterator[Command]:
        """Those that are about it, from the outside in."""
        needle = self.about.encode()
        waiting = [_parse(self.data).root_node]
        while waiting:
            node = waiting.pop()
            if needle not in self.data[node.start_byte : node.end_byte].lower():
                continue
            waiting.extend(reversed(node.children))
            if node.type in {"command", "ERROR"}:
                command = Command(tuple(self.words(node)))
                if command.words:
                    yield command
                    yield from given(command, self.script, self.about, self.depth)
            elif node.type == "variable_assignment" and node.children[-1].type in TEXTS:
                held = _inside(self.word(node.children[-1]), self.script)
                yield from (one._replace(kept=True) for one in commands(held, self.about, self.depth + 1))
            elif node.type == "redirected_statement":
                yield from self.fed(node)

    def fed(self, node: Node) -> Iterator[Command]:
        """The commands of a here-document that a shell reads."""
        inside = list(_below(node))
        names = (self.raw(one).rpartition("/")[2] for one in inside if one.type == "word")
        if not (SHELLS | {"ssh"}).isdisjoint(names):
            for body in inside:
                if body.type == "heredoc_body":
                    yield from commands(self.script.cut(*self.span(body)), self.about, self.depth + 1)

    def words(self, node: Node) -> Iterator[Word]:
        """The words of a command."""
        return (self.word(one) for one in node.children if one.type in WORDS and one.end_byte > one.start_byte)

    def word(self, node: Node) -> Word:
        """One word."""
        return self.script.word(self.text(node), *self.span(node))

    def text(self, node: Node) -> str:
        """What the shell makes of a word, as far as that can be told without running it."""
        raw = self.raw(node)
        if node.type in {"command_name", "concatenation"}:
            raw = "".join(map(self.text, node.children))
        elif node.type == "string":
            raw = raw[1:-1].replace("\\\n", "").replace('\\"', '"').replace("\\$", "$").replace("\\\\", "\\")
        elif node.type in {"raw_string", "ansi_c_string"}:
            raw = raw.removeprefix("$")[1:-1]
        elif node.type == "word":
            raw = raw.replace("\\\n", "").replace("\\", "")
        return raw

    def raw(self, node: Node) -> str:
        """A node as it is written."""
        return self.data[node.start_byte : node.end_byte].decode(errors="replace")

    def span(self, node: Node) -> tuple[int, int]:
        """The characters of the script that a node takes."""
        if self.characters is None:
            return node.start_byte, node.end_byte
        return self.characters[node.start_byte], self.characters[node.end_byte]


def _below(node: Node) -> Iterator[Node]:
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        waiting.extend(one.children)


def _characters(text: str) -> Sequence[int]:
    """The character that each byte belongs to."""
    found: list[int] = []
    for number, one in enumerate(text):
        found += [number] * len(one.encode(errors="replace"))
    return [*found, len(text)]


def _parse(data: bytes) -> Tree:
    import tree_sitter_bash  # noqa: PLC0415 - start-up: most runs meet no script that is to be read
    from tree_sitter import Language, Parser  # noqa: PLC0415

    end = time.monotonic() + SECONDS

    def piece(at: int, _: Any) -> bytes:
        return data[at : at + 4096]

    def late(*_: Any) -> bool:
        return time.monotonic() > end

    try:
        return Parser(Language(tree_sitter_bash.language())).parse(piece, progress_callback=late)
    except ValueError as error:
        raise Unreadable("a script in it is too tangled to be read") from error
