"""What a YAML file runs: texts and lists under the keys by which CI systems, Compose and Kubernetes name it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from tasks.lint.scripts.script import Command, Script, Unreadable, Word, align

__all__ = ["yaml_scripts"]

NAMES = """after_deploy after_failure after_script after_success args bash before_cache before_deploy before_install
    before_script buildcommand cmd cmds command commands deploy entry entrypoint exec install oncreatecommand
    poststartcommand postcreatecommand predeploycommand pwsh releasecommand release_command run script sh shell source
    startcommand test"""
KEYS = frozenset(NAMES.split())
TOGETHER = (("command", "args"), ("entrypoint", "command"), ("entrypoint", "args"))
NODES = 100_000
DEEPEST = 60
COMMENT = re.compile(r"\{\{-?\s*/\*.*?\*/\s*-?\}\}", re.DOTALL)
ALONE = re.compile(r"^[ \t]*\{\{[^\n]*\}\}[ \t]*$", re.MULTILINE)  # a line that is an expression: if, range, end
EXPRESSION = re.compile(r"\$?\{\{[^\n]*?\}\}")
PROPERTIES = re.compile(r"(?:[&!]\S*\s+)+")


class _Scalar(NamedTuple):
    text: str
    event: Any


def yaml_scripts(text: str) -> Iterator[Script | Command]:
    """Each of them; expressions of CI systems and of Helm's templates stand for a word that nobody knows.

    Raises Unreadable at the first place that is no YAML, after what stands before it.
    """
    found, mistake = _read(text)
    if mistake and "{{" in text:  # a template, which is no YAML before it is filled in
        filled = ALONE.sub(_blank, COMMENT.sub(_blank, text))
        found, mistake = _read(EXPRESSION.sub(_unknown, filled))
    yield from found
    if mistake:
        raise mistake


def _read(text: str) -> tuple[list[Script | Command], Unreadable | None]:
    import yaml  # noqa: PLC0415 - start-up: most runs read none

    reading = _Reading(text, yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    try:
        for event in reading.events:
            if type(event).__name__ == "DocumentStartEvent":
                reading.node(next(reading.events), "", 0)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return reading.found, Unreadable(f"it is no YAML: {error.problem or error.context}", *place)
    except (yaml.YAMLError, StopIteration):
        return reading.found, Unreadable("it is no YAML")
    except Unreadable as mistake:
        return reading.found, mistake
    return reading.found, None


def _unknown(found: re.Match[str]) -> str:
    return "x" * len(found[0])


def _blank(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", found[0])


class _Reading:
    def __init__(self, text: str, events: Iterator[Any]) -> None:
        self.text, self.events = text, events
        self.found: list[Script | Command] = []
        self.nodes = 0

    def node(self, event: Any, key: str, depth: int) -> list[_Scalar]:
        """Read a node under a key; the scalars of it, where it is a scalar or a list of them."""
        self.nodes += 1
        if self.nodes > NODES or depth > DEEPEST:
            raise Unreadable("it is deeper, or has more in it, than anybody writes by hand", event.start_mark.line + 1)
        kind = type(event).__name__
        if kind == "ScalarEvent":
            scalar = _Scalar(event.value, event)
            if key in KEYS:
                self.found.append(self.script(scalar))
            return [scalar]
        if kind == "MappingStartEvent":
            self.mapping(key, depth)
        elif kind == "SequenceStartEvent":
            listed: list[_Scalar] = []
            while type(inner := next(self.events)).__name__ != "SequenceEndEvent":
                listed += self.node(inner, key, depth + 1)
            return listed
        return []

    def mapping(self, outer: str, depth: int) -> None:
        """Read a mapping; under a key of ours an inner one, ``run: {command: …}``, may have keys of its own."""
        held: dict[str, list[_Scalar]] = {}
        while type(inner := next(self.events)).__name__ != "MappingEndEvent":
            keys = self.node(inner, "", depth + 1)
            name = keys[0].text.lower().replace("-", "_") if keys else ""
            held[name] = self.node(next(self.events), name or outer, depth + 1)
        for name in held.keys() & KEYS:
            self.together(held[name])
        for first, second in TOGETHER:
            if first in held and second in held:
                self.together([*held[first], *held[second]])

    def together(self, listed: list[_Scalar]) -> None:
        """A list of words is one command."""
        if len(listed) > 1:
            scripts = [self.script(one) for one in listed]
            words = [Word(one.text, one.at[0], one.at[-1] + 1) for one in scripts if one.text]
            self.found.append(Command(tuple(words)))

    def script(self, scalar: _Scalar) -> Script:
        begin = scalar.event.start_mark.index
        properties = PROPERTIES.match(self.text, begin) if scalar.event.anchor or scalar.event.tag else None
        begin = properties.end() if properties else begin
        if scalar.event.style in {"|", ">"}:
            begin = self.text.find("\n", begin) + 1
        elif scalar.event.style:
            begin += 1
        script = align(scalar.text, self.text, begin)
        return Script(EXPRESSION.sub(_unknown, script.text), script.at)
