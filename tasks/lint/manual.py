"""What is written about a rule: its docstring, and a bad and a good example out of its cases.

``python -m tasks.lint.manual`` writes docs/rules/ anew; a test fails where a page is not what its rule says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tasks.lint.rule import BOTH, Listed, listed

__all__ = ["examples", "index", "page", "pages", "parts"]

HOME = Path(__file__).parents[2] / "docs" / "rules"
ENGINES = {"postgres": "PostgreSQL", "clickhouse": "ClickHouse"}
MADE = "<!-- Made by `python -m tasks.lint.manual` of the rule's own file: change it there. -->"
EXPECTATIONS = frozenset({"finds", "fixed", "secondary"})


def parts(rule: Listed) -> tuple[str, list[tuple[str, str]]]:
    """The rule in one sentence, and its paragraphs by title."""
    head, *paragraphs = rule.manual.strip().split("\n\n")
    titled = []
    for paragraph in paragraphs:
        title, _, text = paragraph.partition(":")
        titled.append((title, text.strip()) if re.fullmatch(r"[A-Z][a-z ]+", title) else ("", paragraph))
    return head.partition(": ")[2], titled


def examples(rule: Listed) -> tuple[str, str]:
    """A bad and a good example, as Markdown."""
    import yaml  # noqa: PLC0415 - start-up: only who reads about rules needs it

    cases = yaml.load(
        rule.cases.read_text(encoding="utf-8"),
        Loader=yaml.BaseLoader,  # noqa: S506 - it makes texts alone
    )
    bad, good = (next(iter(cases[verdict].values())) for verdict in ("fail", "pass"))
    return "\n".join(_example(bad)), "\n".join(_example(good))


def page(rule: Listed) -> str:
    """The rule's page of docs/rules/."""
    head, paragraphs = parts(rule)
    value = rule.rule
    lines = [f"# {value.code} {value.name}", "", MADE, "", f"{head[:1].upper()}{head[1:]}", ""]
    engines = "both engines" if value.engines == BOTH else " and ".join(ENGINES[one] for one in value.engines)
    lines += [f"Severity: {value.severity}. For {engines}.", ""]
    for title, text in paragraphs:
        lines += [f"**{title}.** {text}" if title else text, ""]
    bad, good = examples(rule)
    lines += ["## Bad", "", bad, "", "## Good", "", good]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip("\n") + "\n"


def index(rules: tuple[Listed, ...]) -> str:
    """The page that lists all rules."""
    lines = ["# The rules of `doit lint`", "", MADE.replace("the rule's own file", "the rules' files"), ""]
    lines += ["| code | name | severity | what it asks for |", "|---|---|---|---|"]
    for one in rules:
        value = one.rule
        lines.append(f"| [{value.code}]({value.code}.md) | {value.name} | {value.severity} | {parts(one)[0]} |")
    return "\n".join(lines) + "\n"


def pages() -> dict[str, str]:
    """Every page of docs/rules/ by its name."""
    rules = listed()
    return {"README.md": index(rules)} | {f"{one.rule.code}.md": page(one) for one in rules}


def _example(case: str | Mapping[str, Any]) -> Iterator[str]:
    if isinstance(case, str):
        yield from _fenced("sql", case)
    elif "sql" in case:
        yield from _fenced("sql", case["sql"])
    elif set(case) <= {"files", "base", "now", "engine", *EXPECTATIONS}:
        for title, key in (("merged", "base"), ("on the base branch now", "now"), ("", "files")):
            for name, text in case.get(key, {}).items():
                yield f"`{name}`{f', {title}' if title else ''}:"
                yield ""
                yield from _fenced("sql", text)
                yield ""
    else:
        for key, value in case.items():
            if key not in EXPECTATIONS:
                yield f"`{key}`:"
                yield ""
                yield from _fenced("yaml", value if isinstance(value, str) else _yaml(value))
                yield ""


def _yaml(value: Any, indent: str = "") -> str:
    """Mappings of texts as a person writes them."""
    if not isinstance(value, Mapping):
        return f"{indent}{value}"
    lines = []
    for key, inner in value.items():
        plain = isinstance(inner, str)
        if plain and "\n" not in inner:
            lines.append(f"{indent}{key}: {inner}")
        else:
            lines.append(f"{indent}{key}:{' |' if plain else ''}")
            text = inner.rstrip("\n") if plain else _yaml(inner)
            lines += [f"{indent}  {line}".rstrip() for line in text.split("\n")]
    return "\n".join(lines)


def _fenced(language: str, text: str) -> Iterator[str]:
    yield f"```{language}"
    yield "".join(one if one.isprintable() or one in "\n\t" else "\ufffd" for one in text).rstrip("\n")
    yield "```"


def _write() -> None:
    HOME.mkdir(exist_ok=True)
    wanted = pages()
    for name, text in wanted.items():
        (HOME / name).write_text(text, encoding="utf-8")
    for file in HOME.glob("*.md"):
        if file.name not in wanted:
            file.unlink()


if __name__ == "__main__":
    _write()
