"""What a Helm template or a plain manifest holds, read line by line: it is no YAML before Helm has filled it in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["Resource", "filled", "resources"]

SEPARATOR = re.compile(r"^---[ \t]*(?:#.*)?$", re.MULTILINE)
KIND = re.compile(r"^kind:[ \t]*[\"']?(?P<kind>[A-Za-z]+)", re.MULTILINE)
METADATA = re.compile(r"^metadata:[ \t]*\n(?P<body>(?:(?:[ \t]+[^\n]*|\{\{[^\n]*|[ \t]*)\n)*)", re.MULTILINE)
NAME = re.compile(r"^(?P<indent>[ \t]+)name:[ \t]*(?P<name>[^\n#]+?)[ \t]*(?:[ \t]#[^\n]*)?$", re.MULTILINE)
HOOK = re.compile(r"^[ \t]*[\"']?(?:argocd\.argoproj\.io|helm\.sh)/hook[\"']?:[ \t]*(?P<hook>[^\n#]+)", re.MULTILINE)
VARIABLE = re.compile(
    r"^[ \t]*-[ \t]+name:[ \t]*[\"']?(?P<listed>[A-Z][A-Z0-9_]+)[\"']?[ \t]*\n[ \t]+value:[ \t]*(?P<value>[^\n]+)"
    r"|^[ \t]+[\"']?(?P<mapped>GOOSE_[A-Z_]+)[\"']?:[ \t]*(?P<plain>[^\n]+)",
    re.MULTILINE,
)
EXPRESSION = re.compile(r"\{\{-?\s*(?P<inside>[^{}]*?)\s*-?\}\}")
INCLUDED = re.compile(r"\(?\s*(?:include|template)\s+\"(?P<name>[^\"]+)\"[^)]*\)?")
DEFAULT = re.compile(r"default\s+\"(?P<text>[^\"]*)\"")
HARMLESS = re.compile(r"(?:quote|squote|toString|lower|trim|trunc\s+\d+|trimSuffix\s+\"[^\"]*\"|required\s+\"[^\"]*\")")
LARGEST = 256 * 1024


class Resource(NamedTuple):
    """A document of a template: what it makes, from which line on (1-based), with its expressions as they stand."""

    kind: str
    name: str  # empty where none can be made out
    line: int
    hook: str  # PreSync, pre-install,pre-upgrade; empty without the annotation
    variables: Mapping[str, str]  # what a container's environment is given as plain text
    text: str


def resources(text: str) -> tuple[Resource, ...]:
    """The documents of a file that say a ``kind`` in their first column."""
    found, at = [], 0
    text = text[:LARGEST].replace("\r\n", "\n")
    for part in (*SEPARATOR.finditer(text), None):
        document = text[at : part.start() if part else len(text)]
        kind = KIND.search(document)
        if kind:
            metadata = METADATA.search(f"{document}\n")
            names = list(NAME.finditer(metadata["body"])) if metadata else []
            name = min(names, key=lambda one: len(one["indent"]), default=None)
            hook = HOOK.search(document)
            pairs = (
                (one["listed"] or one["mapped"], one["value"] or one["plain"]) for one in VARIABLE.finditer(document)
            )
            found.append(
                Resource(
                    kind=kind["kind"],
                    name=_bare(name["name"]) if name else "",
                    line=text.count("\n", 0, at + kind.start()) + 1,
                    hook=_bare(hook["hook"]) if hook else "",
                    variables={variable: _bare(value) for variable, value in pairs},
                    text=document,
                )
            )
        at = part.end() if part else at
    return tuple(found)


def filled(text: str, values: Mapping[str, Any], *, release: str, chart: str) -> str | None:
    """A text of a template with its expressions filled in; None where one of them is beyond reading.

    ``values`` are flattened; the release's full name is taken for the release's.
    """
    whole = True

    def fill(found: re.Match[str]) -> str:
        nonlocal whole
        value = _value(found["inside"], values, release=release, chart=chart)
        whole = whole and value is not None
        return value or ""

    result = EXPRESSION.sub(fill, text)
    return _bare(result) if whole and "{{" not in result else None


def _value(inside: str, values: Mapping[str, Any], *, release: str, chart: str) -> str | None:
    source, *pipes = [piece.strip() for piece in inside.split("|")]
    otherwise = None
    for pipe in pipes:
        default = DEFAULT.fullmatch(pipe)
        if default:
            otherwise = default["text"]
        elif not HARMLESS.fullmatch(pipe):
            return None
    source = source.removeprefix("$")
    included = INCLUDED.fullmatch(source)
    if source == ".Release.Name" or (included and included["name"].endswith(("fullname", ".name"))):
        return release
    if source == ".Chart.Name":
        return chart
    if source.startswith(".Values."):
        found = values.get(source.removeprefix(".Values."))
        return otherwise if found is None else str(found)
    literal = re.fullmatch(r"\"([^\"]*)\"", source)
    return literal[1] if literal else None


def _bare(text: str) -> str:
    """A scalar without blanks and quotes around it."""
    text = text.strip()
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1] if quoted else text
