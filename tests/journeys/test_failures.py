"""Migrations that the server refuses: where, why, what is applied and what to do, each case on a real PostgreSQL."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import yaml

from tasks.hints import HINTS, hint
from tests.journeys.conftest import Monorepo, lend, small

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "cases" / "failures.yaml").read_text())
PLACES = {name: f"case-{number}" for number, name in enumerate(CASES, 1)}
CORRECTED = [name for name, case in CASES.items() if "then" in case]
WAYS = {"correct": "correct the file, then ", "again": ""}  # what comes before the command
NOT_RAISED = ("53100",)  # a full disk would hit every other test of this machine
INDEXES = """
SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid) AND c.relnamespace = 'public'::regnamespace
"""
HELD = "SELECT version_id FROM goose_db_version WHERE version_id > 0 AND is_applied ORDER BY 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What one run said of each case, and what each database then held."""

    said: Mapping[str, str]
    held: Mapping[str, list[int]]
    indexes: Mapping[str, dict[str, bool]]
    whole: str


def write(monorepo: Monorepo, name: str, files: Mapping[str, str]) -> None:
    folder = monorepo.folder(PLACES[name])
    for file, text in files.items():
        filled = text.replace("{place}", PLACES[name].replace("-", "_")).replace("{long}", "1," * 25_000)
        (folder / file).write_bytes(filled.encode())


def run(monorepo: Monorepo, urls: Mapping[str, str], names: list[str]) -> Ended:
    """Migrate these cases in one run that goes on after a failure, and look at what it has left."""
    done = monorepo.doit("--continue", *(f"migrate:{PLACES[name]}" for name in names))
    said = dict(re.findall(r"^(?:✗|✓) migrate:(\S+)/main +(.*\n(?:  [ →].*\n|  .*\n)*)", done.stderr, re.MULTILINE))
    held: dict[str, list[int]] = {}
    indexes: dict[str, dict[str, bool]] = {}
    for name in names:
        with psycopg.connect(urls[f"{PLACES[name]}/main"]) as connection:
            held[name] = [version for (version,) in connection.execute(HELD)]
            indexes[name] = dict(connection.execute(INDEXES).fetchall())
    return Ended(
        said={name: said.get(PLACES[name], "") for name in names}, held=held, indexes=indexes, whole=done.stderr
    )


@pytest.fixture(scope="module")
def runs(empty_server: Monorepo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ended, Ended]]:
    """The run that fails everywhere, and the one after the corrections."""
    monorepo = small(tmp_path_factory.mktemp("failures") / "monorepo", {place: {} for place in PLACES.values()})
    lend(empty_server, monorepo)
    for name, case in CASES.items():
        write(monorepo, name, case.get("before", {}))
    urls = monorepo.urls()
    with ExitStack() as sessions:
        for name, case in CASES.items():
            if "holds" in case:
                monorepo.fine(f"migrate:{PLACES[name]}")
                held = sessions.enter_context(psycopg.connect(urls[f"{PLACES[name]}/main"]))
                held.execute(f"LOCK TABLE {case['holds']}".encode())
        for name, case in CASES.items():
            write(monorepo, name, case["files"])
        first = run(monorepo, urls, list(CASES))
    for name in CORRECTED:
        write(monorepo, name, CASES[name]["then"])
    second = run(monorepo, urls, CORRECTED)
    yield first, second
    monorepo.stop()


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_of(name: str, runs: tuple[Ended, Ended]) -> None:
    case, said = CASES[name], runs[0].said[name]
    head, *lines = said.split("\n")
    assert max(map(len, lines)) < 300
    assert head.startswith("failed")
    assert f"  services/{PLACES[name]}/migrations/{case['where']}: {PLACES[name]}/main: " in said
    for part in (
        *case["says"],
        f"the server's code: {case['code']}",
        f"→ {WAYS[case.get('way', 'correct')]}doit migrate:{PLACES[name]}",
    ):
        assert part in said, said
    if "at" in case:
        excerpt = next(n for n, line in enumerate(lines) if line.rstrip().endswith("^"))
        column = lines[excerpt].index("^")
        assert lines[excerpt - 1][column:].startswith(case["at"]), said
        assert lines[excerpt][:column].count("\t") == lines[excerpt - 1][:column].count("\t")
    advice = [line for line in lines if line.lstrip().startswith("→ ") and "doit migrate:" not in line]
    if "hint" in case:
        assert case["hint"] in " ".join(advice), said
    else:
        assert advice == [], said


@pytest.mark.parametrize("name", CASES)
def test_what_is_left_after(name: str, runs: tuple[Ended, Ended]) -> None:
    assert runs[0].held[name] == CASES[name]["held"]
    if "indexes" in CASES[name]:
        assert runs[0].indexes[name] == CASES[name]["indexes"]


@pytest.mark.parametrize("name", CORRECTED)
def test_the_corrected_files_run_after(name: str, runs: tuple[Ended, Ended]) -> None:
    ended = runs[1]
    assert re.match(r"\d+ files? applied", ended.said[name]), ended.whole
    assert len(ended.held[name]) == len({*CASES[name].get("before", {}), *CASES[name]["files"], *CASES[name]["then"]})
    assert ended.indexes[name].items() >= CASES[name].get("finally", {}).items()
    assert all(ended.indexes[name].values())
    for part in CASES[name].get("announces", ()):
        assert part in ended.whole


def test_every_hint_for_postgres_is_given_by_a_real_failure() -> None:
    given = set()
    for case in CASES.values():
        for message in case["says"]:
            given.add(hint("postgres", case["code"], message))
    wanted = {one.advice for one in HINTS if one.engine == "postgres" and not set(one.codes) & set(NOT_RAISED)}
    assert wanted <= given, wanted - given
