"""Is a release verified? Every row of what Argo CD can say, and the five facts missing, stale or wrong."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from schemas.application import application
from schemas.catalog import ALWAYS, FACTS, Environment
from schemas.goose_log import parse_log
from schemas.job import job, pod
from tasks.sync.ending import Section
from tasks.verify.advice import ADVICE
from tasks.verify.facts import Expected, Facts, Held, Look, Part, Printed, Seen
from tasks.verify.judgement import Verdict, judge
from tasks.verify.masking import masked
from tasks.verify.required import required
from tests.argocd_standin.release import released
from tests.argocd_standin.server import World

CASES: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "cases/verify/verdicts.yaml").read_text())
IMAGE = f"registry.example.com/shop/cart:m-0123456789abcdef@sha256:{'a' * 64}"
COMMIT = "74de4fa726a32a125f73af5cb25606d9f5cf63c2"
LOG = """2026/11/23 04:56:47 OK   1_a.sql (1.95ms)
2026/11/23 04:56:47 OK   2_b.sql (1.95ms)
2026/11/23 04:56:47 goose: successfully migrated database to version: 2
"""
ALL = [(kind, name) for kind, cases in CASES.items() for name in cases]


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_the_verdict_is_what_the_facts_say(kind: str, name: str) -> None:
    case = CASES[kind][name] or {}
    verdict = judged(case)
    assert verdict.kind == kind
    assert case.get("says", "") in verdict.what + verdict.true
    assert (verdict.verified, verdict.enough) == (kind == "verified", kind in {"verified", "verified-without"})
    assert bool(verdict.left_out) is (kind == "verified-without")
    notes = "\n".join(verdict.notes)
    assert case["notes"] in notes if case.get("notes") else ("notes" not in case or not notes)


def test_every_verdict_has_a_case() -> None:
    assert set(CASES) | {"not-proved"} == set(ADVICE)


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_a_verdict_says_what_is_true_what_is_safe_and_what_to_type(kind: str, name: str) -> None:
    verdict = judged(CASES[kind][name] or {})
    assert verdict.true
    assert verdict.safe
    assert bool(verdict.todo) is not verdict.verified
    assert "{" not in verdict.what + verdict.true + verdict.safe + "".join(verdict.todo)


def test_without_a_database_nothing_is_verified() -> None:
    verdict = judged({}, parts=())
    assert (verdict.kind, verdict.verified) == ("not-proved", False)


def test_one_of_two_databases_that_is_behind_is_enough() -> None:
    parts = (part("main"), part("other"))
    assert judged({}, parts=parts).kind == "verified"
    verdict = judged({"other": [1]}, parts=parts)
    assert (verdict.kind, verdict.verified) == ("database-behind", False)
    assert [one.about for one in verdict.findings if one.kind != "holds"] == ["cart/other"]


def test_of_two_jobs_the_verdict_says_which_failed_and_what_the_other_did() -> None:
    case = {
        "state": {"phase": "Failed", "message": "one or more synchronization tasks completed unsuccessfully"},
        "row": {"hookPhase": "Failed", "message": "Job has reached the specified backoff limit"},
        "log of cart/main": "2026/11/23 04:56:47 goose run: ERROR 2_b.sql: failed: ERROR: boom (SQLSTATE 1)",
    }
    verdict = judged(case, parts=(part("main"), part("other")))
    assert (verdict.kind, verdict.verified) == ("hook-failed", False)
    assert verdict.what.splitlines() == [
        "failed: the migration Job failed. cart-migrate: Job has reached the specified backoff limit",
        "cart-migrate: 2_b.sql: failed: ERROR: boom (SQLSTATE 1)",
        "cart/other is done: all 2 versions to 2",
    ]
    assert "is done" not in judged(case | {"other": [1]}, parts=(part("main"), part("other"))).what


def test_a_job_that_failed_with_its_first_pod_was_not_tried_again() -> None:
    failed = {"failed": 1, "conditions": [{"type": "Failed", "status": "True", "message": "no"}]}
    assert not [one for one in judged({"job": {"status": failed}}).notes if "tried" in one]


WRONG: dict[str, dict[str, dict[str, Any]]] = {
    "operation": {
        "missing": {"application": None},
        "stale": {"said": "registry.example.com/shop/cart:m-0@sha256:0"},
        "wrong": {"state": {"operation": {"info": None}}},
    },
    "hook": {
        "missing": {"row": None},
        "stale": {"row": {"images": ["registry.example.com/shop/cart:m-0@sha256:0"]}},
        "wrong": {"row": {"hookPhase": "Failed"}},
    },
    "job": {
        "missing": {"job": None},
        "stale": {"job": {"metadata": {"creationTimestamp": "2026-11-23T04:00:00Z"}}},
        "wrong": {"job": {"status": {"conditions": [{"type": "Failed", "status": "True"}]}}},
    },
    "log": {
        "missing": {"log": ""},
        "stale": {"log": "2026/11/23 04:00:00 goose: no migrations to run. current version: 1"},
        "wrong": {"log": "2026/11/23 04:56:47 goose run: failed to connect"},
    },
    "database": {
        "missing": {"database": None},
        "stale": {"database": {"versions": [1]}},
        "wrong": {"database": {"versions": [1, 2, 99]}},
    },
}
EACH = [(fact, how) for fact, hows in WRONG.items() for how in hows]
PAIRS = [(one, other) for one, other in itertools.combinations(EACH, 2) if one[0] != other[0]]


@pytest.mark.parametrize(("fact", "how"), EACH)
def test_one_fact_that_does_not_hold_is_named_and_the_release_is_not_verified(fact: str, how: str) -> None:
    verdict = judged(WRONG[fact][how])
    assert not verdict.verified
    assert verdict.outcome != "verified"
    assert fact in {one.fact for one in verdict.findings if one.kind != "holds"}


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=" ".join)
def test_two_facts_that_do_not_hold_never_make_a_verified_release(one: tuple[str, str], other: tuple[str, str]) -> None:
    verdict = judged({**WRONG[one[0]][one[1]], **WRONG[other[0]][other[1]]})
    assert not verdict.verified
    assert verdict.outcome != "verified"
    assert {one[0], other[0]} <= {found.fact for found in verdict.findings if found.kind != "holds"}


REQUIRED = [
    (*ALWAYS, *some)
    for count in range(len(FACTS) - len(ALWAYS))
    for some in itertools.combinations([one for one in FACTS if one not in ALWAYS], count)
]


@pytest.mark.parametrize("require", REQUIRED, ids=" ".join)
def test_what_is_left_out_may_be_missing_and_never_stale_or_wrong(require: tuple[str, ...]) -> None:
    for names in [*((one,) for one in EACH), *PAIRS]:
        verdict = judged({"require": require} | {k: v for fact, how in names for k, v in WRONG[fact][how].items()})
        hows = dict(names) | ({"log": "missing"} if ("job", "missing") in names else {})  # it is read through the Job
        missing = {fact for fact, how in hows.items() if how == "missing"}
        unseen_alone = missing == {*hows} and not missing & {*require}
        assert verdict.enough is unseen_alone, (names, verdict.kind)
        assert verdict.verified is False
        assert {one.fact for one in verdict.left_out} == (missing if unseen_alone else set()), names


def test_without_a_database_nothing_is_verified_whatever_is_left_out() -> None:
    verdict = judged({"require": ALWAYS}, parts=())
    assert (verdict.kind, verdict.enough) == ("not-proved", False)


def test_a_protected_environment_requires_all_five_facts_and_any_the_operation_and_its_hook() -> None:
    lax = Environment(name="dev", servers={}, require=("log",))
    assert required(lax) == (*ALWAYS, "log")
    assert required(lax._replace(protected=True)) == FACTS
    assert required(Environment(name="dev", servers={})) == FACTS


def test_there_are_five_facts_and_all_of_them_are_in_the_matrix() -> None:
    assert tuple(WRONG) == FACTS
    assert len(PAIRS) == 90


@pytest.mark.parametrize(
    ("count", "says"), [(3, "applied 1_a.sql, 2_a.sql, 3_a.sql"), (4, "applied 4 files, 1_a.sql to 4_a.sql")]
)
def test_of_many_files_that_were_applied_the_first_and_the_last_are_named(count: int, says: str) -> None:
    files = {version: f"{version}_a.sql" for version in range(1, count + 1)}
    ran = "".join(f"2026/11/23 04:56:47 OK   {name} (1.95ms)\n" for name in files.values())
    log = f"{ran}2026/11/23 04:56:47 goose: successfully migrated database to version: {count}"
    verdict = judged({"log": log, "database": {"versions": [*files]}}, (replace(part("main"), files=files),))
    assert verdict.verified
    assert [one.says for one in verdict.findings if one.fact == "log"] == [says]


def test_the_digest_of_a_job_is_what_its_node_ran() -> None:
    ran = f"registry.example.com/shop/cart@sha256:{'b' * 64}"
    verdict = judged({"container": {"imageID": ran}})
    (says,) = [one.says for one in verdict.findings if one.fact == "job"]
    assert says.endswith(" UTC, ran sha256:bbbbbbbbbbbb")


RUNBOOK = (Path(__file__).parents[2] / "docs" / "runbook.md").read_text()


def test_the_runbook_has_a_section_for_every_verdict_with_its_words() -> None:
    _, *sections = re.split(r"^## ", RUNBOOK, flags=re.MULTILINE)
    told = {head: text for head, _, text in (one.partition("\n") for one in sections)}
    assert list(told) == list(ADVICE)
    words = {"target": "SERVICE@ENV", "service": "SERVICE", "application": "APPLICATION", "lacking": "…", "said": "…"}
    for kind, advice in ADVICE.items():
        for line in (advice.true, advice.safe, *advice.todo):
            assert line.format(**words) in " ".join(told[kind].split()), kind


def test_a_sync_that_ends_otherwise_names_a_section_of_the_runbook() -> None:
    assert {*get_args(Section)} < {*ADVICE}


@pytest.mark.parametrize(
    ("engine", "statement", "kept"),
    [
        ("postgres", "INSERT INTO u VALUES ('a@b.c', 42, 1.5)", "INSERT INTO u VALUES ('…', '…', '…')"),
        ("postgres", "SELECT 'it''s', E'x\\'y', U&'z'", "SELECT '…', '…', U&'…'"),
        ("postgres", "SELECT 'C:\\', 'secret'", "SELECT '…', '…'"),
        ("postgres", "DO $$ secret $$; DO $a$ it's $a$", "DO '…'; DO '…'"),
        ("postgres", "SELECT 'cut off", "SELECT '…'"),
        ("postgres", 'ALTER TABLE t2 ADD "c3" varchar(9)', "ALTER TABLE t2 ADD \"c3\" varchar('…')"),
        ("clickhouse", "INSERT INTO u VALUES ('it\\'s secret', 7)", "INSERT INTO u VALUES ('…', '…')"),
    ],
)
def test_no_literal_of_a_statement_is_kept(engine: Any, statement: str, kept: str) -> None:
    quoted = statement.replace("\\", "\\\\").replace('"', '\\"')
    line = f'goose run: ERROR 2_b.sql: failed to execute SQL query "{quoted}": ERROR: boom (SQLSTATE 1)'
    shown = parse_log(masked(line, engine)).failure
    assert shown is not None
    assert (shown.statement, shown.message) == (kept, "ERROR: boom (SQLSTATE 1)")


def test_values_that_a_server_quotes_are_masked_and_names_are_not() -> None:
    said = 'ERROR: invalid input syntax for type integer: "secret" (SQLSTATE 22P02)'
    assert masked(said, "postgres") == "ERROR: invalid input syntax for type integer: '…' (SQLSTATE 22P02)"
    named = 'ERROR: relation "users" does not exist (SQLSTATE 42P01)'
    assert masked(named, "postgres") == named
    assert masked("Code: 6. Cannot parse string 'secret' as UInt8", "clickhouse").endswith("string '…' as UInt8")


@pytest.mark.parametrize(
    "said",
    [
        'goose run: parse "http://u:s3c%ZZt@h:8123/db": invalid URL escape "%ZZ"; parse "http://u:s3c%ZZt@h:8123/db"',
        'goose run: parse "http://u:s3c/t@h:8123/db": invalid port ":s3c" after host',
        'goose run: parse "http://u:s3c\\"x@ t@h:8123/db": net/url: invalid userinfo',
        'goose run: cannot parse `postgres://u:xxxxxx@h:5432/db`: failed to parse (invalid port ":s3c" after host)',
        "goose: cannot reach clickhouse://u:s3c@h:9000/db",
    ],
)
def test_the_password_of_a_url_that_goose_could_not_read_is_masked(said: str) -> None:
    """Of a Job's Secret, which nobody here knows. The words are those of goose 3.27.3."""
    for engine in ("postgres", "clickhouse"):
        shown = masked(said, engine)
        assert not re.search("s3c|%ZZ|xxxxxx", shown)
        assert "h:" in shown or "after host" in shown


def part(key: str, known: tuple[int, ...] = ()) -> Part:
    name = "cart-migrate" if key == "main" else f"cart-migrate-{key}"
    return Part(label=f"cart/{key}", job=name, files={1: "1_a.sql", 2: "2_b.sql"}, known=frozenset(known))


def judged(case: dict[str, Any], parts: tuple[Part, ...] | None = None) -> Verdict:
    """The verdict on a release that went well but for what the case changes."""
    parts = (part("main", case.get("known", ())),) if parts is None else parts
    world = World()
    released(world, "cart-dev", image=IMAGE, revision=COMMIT, logs={one.job: LOG for one in parts})
    expected = Expected(
        service="cart",
        environment="dev",
        application="cart-dev",
        namespace="auth",
        image=IMAGE,
        digests=frozenset((IMAGE.partition("@")[2], f"sha256:{'b' * 64}")),
        parts=parts,
    )
    return judge(facts(case, world, parts), expected, case.get("require", FACTS))


def facts(case: dict[str, Any], world: World, parts: tuple[Part, ...]) -> Facts:
    document = world.applications["cart-dev"]
    rows = document["status"]["operationState"]["syncResult"]["resources"]
    if "row" in case:
        hook = next(one for one in rows if one["kind"] == "Job")
        rows[rows.index(hook)] = merged(hook, case["row"])
        rows[:] = filter(None, rows)
    document = merged(document, {"status": {"operationState": case.get("state", {})}})
    document = merged(document, case.get("application", {}))
    return Facts(
        application=Look(why="nobody answers") if document is None else Look(value=application(document)),
        said=Look(value=case.get("said", IMAGE)),
        jobs={one.job: seen(case, world, one) for one in parts},
        logs={one.job: Look(value=tuple(printed(case, world, one))) for one in parts},
        databases={one.label: held(case, one) for one in parts},
    )


def seen(case: dict[str, Any], world: World, part: Part) -> Look[Seen]:
    found = merged(world.jobs[part.job], case.get("job", {}))
    if found is None:
        return Look(why="it is not there")
    pods = [merged(one, case.get("pod", {})) for one in world.pods.values()]
    for one in filter(None, pods):
        status = one["status"]["containerStatuses"][0]
        one["status"]["containerStatuses"][0] = merged(status, case.get("container", {}))
    read = [pod(one) for one in pods if one]
    name = f"{part.job}-xrun-1"
    return Look(value=Seen(job=job(found), pods=tuple(one for one in read if one.name == name)))


def printed(case: dict[str, Any], world: World, part: Part) -> Iterator[Printed]:
    text = case.get(f"log of {part.label}", case.get("log", world.logs[f"{part.job}-xrun-1"]))
    if text is not None:
        yield Printed(pod=f"{part.job}-xrun-1", text=text, cut=case.get("cut", False), log=parse_log(text))


def held(case: dict[str, Any], part: Part) -> Look[Held]:
    told = case.get("database", {"versions": [1, 2]})
    if part.label == "cart/other":
        told = {"versions": case.get("other", [1, 2])}
    if told is None:
        return Look(why="a variable is not set")
    told = {key: frozenset(value) if key == "versions" else tuple(value) for key, value in told.items()}
    return Look(value=Held(**told))


def merged(document: Any, patch: Any) -> Any:
    """The document after a merge patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return deepcopy(patch)
    made = dict(document) if isinstance(document, dict) else {}
    for key, value in patch.items():
        if value is None:
            made.pop(key, None)
        else:
            made[key] = merged(made.get(key), value)
    return made
