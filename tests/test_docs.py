"""What README, docs and .ai say: links that lead somewhere, commands that exist, and nothing left out."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dodo import CONTENTS
from pipelines import words
from pipelines.contents import Operation
from schemas.errors import SelectionError
from tasks.hints import HINTS, Hint
from tasks.lint import manual

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
TEMPLATES = tuple(sorted((DOCS / "ci").glob("*.yml")))
PAGES = tuple(sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / ".ai").rglob("*.md"), *TEMPLATES]))

FENCE = re.compile(r"^```")
INLINE = re.compile(r"(`+)(.+?)\1")
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)>\s]+)>?[^)]*\)")
TYPED = re.compile(r"(?:^|(?<=[\s('\"]))(?:\./run )?doit(?= |$)(?P<rest>(?: (?! )[^`)|]*?)*)(?=\s{2}|[`)|]|$)")
PLACEHOLDER = re.compile(r"[A-Z]+…?")
TAKES_VALUE = {"-n", "--process"}
DOITS_OWN = ("help", "tabcompletion")
OF_OURS = re.compile(r"(?:pipelines|tasks|tools|schemas|tests|docs|services)/[\w./-]*")
ELSEWHERE = re.compile(r"^[a-z][a-z0-9+.-]*:")
OF_ONE_MACHINE = re.compile(r"(?<![\w.-])/(?:work|root|home|Users|tmp)/")


def shown(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def lines_of(page: Path) -> Iterator[tuple[int, str, bool]]:
    """Number, text, and whether it is code: between fences, or indented by four blanks."""
    fenced = False
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if FENCE.match(line):
            fenced = not fenced
        else:
            yield number, line, fenced or line.startswith("    ")


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them; a repeated heading gets a number."""
    found: list[str] = []
    for _, line, code in lines_of(page):
        if not code and (heading := re.match(r"#+ +(.+?) *#*$", line)):
            plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1])
            slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
            count = sum(one == slug or one.startswith(f"{slug}-") for one in found)
            found.append(f"{slug}-{count}" if slug in found else slug)
    return set(found)


def broken_links(page: Path) -> Iterator[str]:
    for number, line, code in lines_of(page):
        for target in () if code else LINK.findall(INLINE.sub("", line)):
            path, _, anchor = target.partition("#")
            if ELSEWHERE.match(target):
                continue
            place = (page.parent / path).resolve() if path else page
            if not place.exists():
                yield f"{shown(page)}:{number}: {target}: there is no {path}"
            elif anchor and anchor not in anchors(place):
                yield f"{shown(page)}:{number}: {target}: there is no such heading in {place.name}"


def commands_in(page: Path) -> Iterator[tuple[int, str]]:
    """Line and words after `doit` of each command that a page has the reader type, planned ones left out."""
    for number, line, code in lines_of(page):
        if "*planned*" in line:
            continue
        places = [line] if code else [found[1] for found in INLINE.findall(line) if TYPED.match(found[1])]
        for place in places:
            yield from ((number, found["rest"]) for found in TYPED.finditer(place))


def mistake_in(typed: str, commands: Iterable[str]) -> str:
    """What is wrong with the words after `doit`; empty when they can be typed."""
    commands = tuple(commands)
    try:
        typed_words, variables = words.split(shlex.split(typed))
        typed_words = [
            word
            for before, word in zip(["", *typed_words], typed_words, strict=False)
            if not word.startswith("-") and before not in TAKES_VALUE
        ]
        if unknown := [name for name, _ in variables if name not in CONTENTS.variables and name != "NAME"]:
            return f"there is no variable {unknown[0]}"
        first = typed_words[0] if typed_words else ""
        if first in commands:
            del typed_words[0]
        if first == "help":
            return "" if set(typed_words) <= {*commands, *CONTENTS.verbs, "COMMAND"} else f"no help for {typed_words}"
        words.read([word for word in typed_words if not PLACEHOLDER.fullmatch(word)], CONTENTS, commands)
    except (SelectionError, ValueError) as error:
        return str(error)
    return ""


def commands_there_are() -> tuple[str, ...]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return (*settings["tool"]["doit"]["plugins"]["command"], *DOITS_OWN)


def keys_of(schema: Any) -> Iterator[str]:
    """Every key that a document of this JSON Schema may have."""
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield from schema["properties"]
        for part in schema.values():
            yield from keys_of(part)


def code_in(page: Path) -> str:
    """What stands between backticks on a page, one a line."""
    return "\n".join(found[1] for _, line, code in lines_of(page) if not code for found in INLINE.findall(line))


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_links_lead_to_files_and_headings_that_are_there(page: Path) -> None:
    assert list(broken_links(page)) == []


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_commands_can_be_typed_as_they_stand(page: Path) -> None:
    there = commands_there_are()
    wrong = [
        f"{shown(page)}:{number}: doit{typed}: {mistake}"
        for number, typed in commands_in(page)
        if (mistake := mistake_in(typed, there))
    ]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_no_path_of_one_machine_is_shown(page: Path) -> None:
    text = page.read_text(encoding="utf-8").splitlines()
    assert [
        f"{shown(page)}:{number}: {line}" for number, line in enumerate(text, 1) if OF_ONE_MACHINE.search(line)
    ] == []


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_files_of_the_project_that_are_named_are_there(page: Path) -> None:
    named = [span for span in code_in(page).splitlines() if OF_OURS.fullmatch(span)]
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_commands_are_found_in_text_and_in_code(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "Type `doit migrate:a` or `./run doit list --all`; doit is a program.\n"
        "`doit fly` is *planned*.\n\n"
        "    $ ./run doit why 'migrate:*'\n"
        "    ./run doit status     every database\n"
        "    → correct the file, then doit migrate:a/b\n",
        encoding="utf-8",
    )
    assert [typed for _, typed in commands_in(page)] == [
        " migrate:a",
        " list --all",
        " why 'migrate:*'",
        " status",
        " migrate:a/b",
    ]


@pytest.mark.parametrize(
    "typed", ["migrate:auth-service", "-n 1 migrate", "help run", "why TARGET", "", "status format=json"]
)
def test_a_command_that_exists_is_no_mistake(typed: str) -> None:
    assert mistake_in(f" {typed}", commands_there_are()) == ""


@pytest.mark.parametrize("typed", ["migrte", "status form=json", "help fly", "list a:b:c", "doctor:auth-service"])
def test_a_command_that_does_not_exist_is_a_mistake(typed: str) -> None:
    assert mistake_in(f" {typed}", commands_there_are())


@pytest.mark.parametrize("verb", CONTENTS.verbs)
def test_each_step_and_operation_has_a_page_that_the_index_names(verb: str) -> None:
    titled = [page.name for page in DOCS.glob("*.md") if f"`doit {verb}`" in page.read_text("utf-8").split("\n", 1)[0]]
    assert len(titled) == 1, f"one page of docs/ must have `doit {verb}` in its title, found {titled}"
    rows = (DOCS / "README.md").read_text(encoding="utf-8").splitlines()
    assert any(f"]({titled[0]})" in row and f"`doit {verb}`" in row for row in rows)


def test_each_page_is_in_the_index() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    assert [
        page.name for page in DOCS.glob("*.md") if page.name != "README.md" and f"]({page.name})" not in index
    ] == []


def test_each_variable_is_told_with_who_takes_it() -> None:
    rows = (DOCS / "list-and-names.md").read_text(encoding="utf-8").splitlines()
    for name in CONTENTS.variables:
        takers = [verb.name for verb in CONTENTS.verbs.values() if name in verb.takes]
        assert any(row.startswith(f"| `{name}` |") and all(taker in row for taker in takers) for row in rows), name


def test_each_key_of_services_yaml_is_told() -> None:
    schema = json.loads((ROOT / "schemas" / "services.schema.json").read_text(encoding="utf-8"))
    told = code_in(DOCS / "services-yaml.md").splitlines()
    assert [key for key in dict.fromkeys(keys_of(schema)) if key not in told] == []


def test_the_example_of_services_yaml_is_the_projects_own() -> None:
    page = (DOCS / "services-yaml.md").read_text(encoding="utf-8")
    example = page.split("```yaml\n", 1)[1].split("```", 1)[0]
    assert example == (ROOT / "services.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("hint", HINTS, ids=lambda hint: f"{hint.engine} {','.join(hint.codes) or hint.words}")
def test_each_advice_stands_beside_its_codes_in_troubleshooting(hint: Hint) -> None:
    rows = (DOCS / "troubleshooting.md").read_text(encoding="utf-8").splitlines()
    row = f"| {', '.join(hint.codes) or 'any'} | … | {hint.advice} |"
    assert any(hint.advice in one and all(code in one for code in hint.codes) for one in rows), f"add: {row}"


def test_the_pages_of_rules_are_what_the_rules_say() -> None:
    there = {page.name: page.read_text(encoding="utf-8") for page in (DOCS / "rules").glob("*.md")}
    assert there == manual.pages(), "./run python -m tasks.lint.manual writes them anew"


def test_operations_that_ask_say_so_on_their_page() -> None:
    for operation in CONTENTS.operations:
        if isinstance(operation, Operation) and operation.asks:
            assert "yes=" in (DOCS / f"{operation.name}.md").read_text(encoding="utf-8")
