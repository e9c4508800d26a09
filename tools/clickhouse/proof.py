"""Whether a rewritten statement says the same as the file's, but for the cluster: judged on ClickHouse's own parser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.errors import ServerError
from tools.clickhouse.connection import array, string
from tools.clickhouse.cuts import cuts, without
from tools.clickhouse.tokens import Ask, Token, tokens

__all__ = ["Disproved", "NotProvable", "Proved", "Reading", "Verdict", "expected", "judge", "read"]

UNSUPPORTED = "parseQueryToJSON"
TREELESS = (
    r"^(GRANT|REVOKE|CHECK GRANT|SET (DEFAULT )?ROLE|MOVE|EXECUTE|UNDROP|DESCRIBE|EXISTS|DROP FUNCTION)\b"
    r"|^(CREATE|ALTER|DROP) (OR REPLACE )?"
    r"(USER|ROLE|(ROW|MASKING) POLICY|QUOTA|SETTINGS PROFILE|NAMED COLLECTION|WORKLOAD|RESOURCE)\b"
    r"|^INSERT .* FORMAT \w+$|\bJSON\(| PARALLEL WITH "
)
"""Canonical lines that ClickHouse 26.9 has no tree of: one such statement makes the whole request fail."""
REPLICATED = re.compile(r"Replicated(\w*MergeTree)")  # not that of the cuts: a proof must not share their mistakes
SETTINGS = (
    "SETTINGS implicit_select = 0, short_circuit_function_evaluation = 'force_enable',"
    " output_format_json_validate_utf8 = 1"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How ClickHouse reads a statement: one canonical line, None when it does not parse, and its syntax tree.

    Some statements have no tree; then there are the tokens of the canonical line.
    """

    canonical: str | None
    written: str = ""  # the tree, as JSON
    tokens: tuple[Token, ...] = ()

    @property
    def tree(self) -> dict[str, Any] | None:
        """The tree; None where ClickHouse has none of such a statement."""
        return json.loads(self.written) if self.written else None


@dataclass(frozen=True, slots=True)
class Proved:
    """The syntax trees differ in nothing but what a cluster needs."""


@dataclass(frozen=True, slots=True)
class Disproved:
    """The statements differ in more than that: the rewritten one must not run."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotProvable:
    """ClickHouse gives nothing to judge by."""

    reason: str


Verdict = Proved | Disproved | NotProvable


def read(texts: Sequence[str], ask: Ask) -> list[Reading]:
    """Let ClickHouse parse statements: in one request, unless one has no tree although it looks as if it had."""
    if not texts:
        return []
    try:
        return _read(texts, ask, TREELESS)
    except ServerError as error:
        if UNSUPPORTED not in str(error):
            raise
    if len(texts) == 1:
        return _read(texts, ask, ".*")
    middle = len(texts) // 2  # the server does not say which one it was
    return [*read(texts[:middle], ask), *read(texts[middle:], ask)]


def _read(texts: Sequence[str], ask: Ask, treeless: str) -> list[Reading]:
    rows = ask(
        "SELECT line, if(without, '', parseQueryToJSON(q)) AS tree,"  # noqa: S608 - the texts are literals there
        " if(without, arrayMap(t -> (t.1, t.2, toString(t.3)), tokenizeQuery(ifNull(line, ''))), []) AS pieces"
        f" FROM (SELECT arrayJoin({array(texts)}) AS q, formatQuerySingleLineOrNull(q) AS line,"
        f" match(ifNull(line, ''), {string(treeless)}) OR isNull(line) AS without) {SETTINGS}"
    )
    return [Reading(canonical=line, written=tree, tokens=tokens(pieces)) for line, tree, pieces in rows]


def expected(tree: Any) -> Any:
    """The tree that the statement should have on one server: no cluster, no replicated engine."""
    return _each(tree, _local)


def judge(before: Reading, after: Reading) -> Verdict:
    """Compare how ClickHouse reads the file's statement and the rewritten one."""
    if before.canonical is None:
        return NotProvable("ClickHouse cannot parse it")
    if after.canonical is None:
        return Disproved("the rewritten statement does not parse")
    if before.written and after.written:
        wanted, got = expected(before.tree), _each(after.tree, _plain)
        return Proved() if wanted == got else Disproved(f"they differ at {_difference(wanted, got)}")
    if _on_one_server(before) != _tidy(after.canonical):
        return Disproved("their canonical texts differ")
    return NotProvable("ClickHouse has no syntax tree of it to compare; its canonical text is as it should be")


def _each(tree: Any, change: Callable[[dict[str, Any]], Any]) -> Any:
    """The tree with every node of it changed, the innermost first."""
    if isinstance(tree, list):
        return [_each(one, change) for one in tree]
    if not isinstance(tree, dict):
        return tree
    return change({name: _each(value, change) for name, value in tree.items()})


def _local(node: dict[str, Any]) -> dict[str, Any]:
    """A node without what the cluster needs; an engine whose arguments leave open what they are stays as it is."""
    if str(node.get("type")).endswith("Query"):
        return {name: value for name, value in node.items() if name != "cluster"}
    matched = REPLICATED.fullmatch(node["name"]) if node.get("kind") == "TABLE_ENGINE" else None
    arguments = list(node.get("arguments", {}).get("children", ())) if matched else []
    if matched and len(arguments) > 1 and all(map(_is_string, arguments[:2])):
        children = {**node["arguments"], "children": arguments[2:]}
        node = {**node, "name": matched[1], "arguments": children}
    elif matched and (not arguments or _is_column(arguments[0]) or (len(arguments) == 1 and "Graphite" in matched[1])):
        node = {**node, "name": matched[1]}
    return _plain(node)


def _plain(node: dict[str, Any]) -> dict[str, Any]:
    """An engine with empty brackets is the engine without any."""
    if node.get("kind") != "TABLE_ENGINE":
        return node
    empty = not node.get("arguments", {}).get("children")
    return {
        name: value for name, value in node.items() if name != "no_empty_args" and not (empty and name == "arguments")
    }


def _is_string(argument: dict[str, Any]) -> bool:
    return bool(argument["type"] == "Literal" and argument["value"]["field_type"] == "String")


def _is_column(argument: dict[str, Any]) -> bool:
    return argument["type"] == "Identifier" or (
        argument["type"] == "Function" and argument["name"] in {"tuple", "array"}
    )


def _on_one_server(before: Reading) -> str:
    text = (before.canonical or "").encode()
    return _tidy(without(text, cuts(text, before.tokens)).decode())


def _tidy(line: str) -> str:
    """A canonical line, in which an engine has no empty brackets and nothing follows the last word."""
    return line.replace("MergeTree()", "MergeTree").strip()


def _difference(wanted: Any, got: Any, path: str = "") -> str:
    """The first place at which two trees differ."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        for name in [*wanted, *(name for name in got if name not in wanted)]:
            if wanted.get(name) != got.get(name):
                return _difference(wanted.get(name), got.get(name), f"{path}.{name}" if path else name)
    if isinstance(wanted, list) and isinstance(got, list):
        for at, (one, other) in enumerate(zip(wanted, got, strict=False)):
            if one != other:
                return _difference(one, other, f"{path}[{at}]")
    return path or "the root"
