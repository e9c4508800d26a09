"""Every form of the report: valid where there is a schema, whole where there is a limit, and nothing gets out of it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.catalog import Database
from schemas.stream import Migration
from tasks.lint.check import check
from tasks.lint.file import File
from tasks.lint.finding import Finding, Flaw, Severity, in_order
from tasks.lint.fingerprint import fingerprints
from tasks.lint.formats import MODULES, written
from tasks.lint.found import Found, failing
from tasks.lint.kept import _findings, kept
from tasks.lint.known import parted
from tasks.lint.reading import Readings, files
from tasks.lint.rule import listed, rules

HERE = Path(__file__).parent
SARIF = jsonschema.Draft4Validator(json.loads((HERE / "sarif" / "sarif-2.1.0-rtm.5.json").read_text(encoding="utf-8")))
OURS = json.loads((HERE.parents[2] / "schemas" / "lint.schema.json").read_text(encoding="utf-8"))
FORMS = tuple(MODULES)
DATABASE = Database(
    service="a",
    key="main",
    engine="postgres",
    names={},
    url_env={},
    migrations="services/a/migrations",
    table="",
    job="",
)
BODY = """-- +goose Up
CREATE FUNCTION one() RETURNS INT LANGUAGE plpgsql AS $$
BEGIN
    RETURN 1;
END;
$$;
"""


def made(code: str = "GS09", severity: Severity = "error", path: str = "a/b.sql", **others: Any) -> Finding:
    usual = {"name": "some-name", "line": 3, "column": 5, "end_column": 9, "message": "It will fail.", "instead": ""}
    values: dict[str, Any] = {**usual, "excerpt": "SELECT 1;", "shift": 0, "context": "0123", **others}
    return Finding(code=code, severity=severity, path=path, **values)


def read(data: bytes, path: str) -> File:
    migration = Migration(version=1, name=Path(path).name, path=path, sha256="", data=data)
    (file,) = files([migration], DATABASE, Readings(None))
    return file


def checked(text: str, path: str = "services/a/migrations/20260101000000_a.sql") -> list[Finding]:
    return check(read(text.encode(), path), rules("postgres", "file", "statements"))


def found(*findings: Finding, **others: Any) -> Found:
    files = sorted({"a/b.sql", "a/c.sql", *(one.path for one in findings)})
    return Found(findings=in_order(findings), files=files, **others)


def run_of(text: str) -> dict[str, Any]:
    document = json.loads(text)
    SARIF.validate(document)
    (run,) = document["runs"]
    return dict(run)


REAL = found(*checked(BODY), made(severity="warning"), made("GS10", "advice", "a/c.sql"), notes=["GS15: no git"])


def test_the_example_has_what_the_tests_need() -> None:
    assert [one.code for one in REAL.findings] == ["GS09", "GS10", "GS05", "GS02"]
    assert REAL.findings[2].fix


def test_sarif_is_valid_and_names_places_below_the_repository() -> None:
    run = run_of(written("sarif", REAL._replace(prefix="back end/")))
    result = run["results"][2]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {
        "uri": "back%20end/services/a/migrations/20260101000000_a.sql",
        "uriBaseId": "SRCROOT",
    }
    assert (place["region"]["startLine"], place["region"]["startColumn"]) == (2, 55)
    assert "uri" not in run["originalUriBaseIds"]["SRCROOT"], "no path of this machine"
    assert run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"] == "not checked: GS15: no git"
    assert [one["level"] for one in run["results"]] == ["warning", "note", "error", "error"]


def test_sarif_tells_of_each_rule_what_it_is_about() -> None:
    rules = run_of(written("sarif", found()))["tool"]["driver"]["rules"]
    assert [one["id"] for one in rules] == [one.rule.code for one in listed()]
    for one in rules:
        assert {"**Problem.**", "**Consequence.**", "**Solution.**"} <= set(one["help"]["markdown"].split())
        assert len(one["fullDescription"]["text"]) <= 1024
    assert run_of(written("sarif", REAL))["results"][2]["ruleIndex"] == [one["id"] for one in rules].index("GS05")


def test_sarif_has_fixes_by_bytes() -> None:
    (change,) = run_of(written("sarif", REAL))["results"][2]["fixes"][0]["artifactChanges"]
    data = BODY.encode()
    for one in reversed(change["replacements"]):
        begin, length = one["deletedRegion"]["byteOffset"], one["deletedRegion"]["byteLength"]
        data = data[:begin] + one["insertedContent"]["text"].encode() + data[begin + length :]
    assert "GS05" not in {one.code for one in checked(data.decode())}


def test_sarif_keeps_the_gravest_of_too_many_and_says_how_many_it_left_out() -> None:
    many = [made(line=number, severity="advice") for number in range(1, 25_001)]
    grave = [made("GS01", line=number, path="z.sql") for number in range(1, 4)]
    document = json.loads(written("sarif", found(*many, *grave)))
    (run,) = document["runs"]
    assert len(run["results"]) == 25_000
    assert [one["ruleId"] for one in run["results"][:4]] == ["GS01", "GS01", "GS01", "GS09"]
    said = run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]
    assert said == "left out, as a run holds 25,000 results at most: 3 advice"


def test_fingerprints_stay_when_lines_move_and_differ_where_statements_do() -> None:
    before = fingerprints(checked(BODY))
    assert fingerprints(checked(BODY.replace("Up\n", "Up\n-- a comment\n\nSELECT 1;\n"))) == before
    assert fingerprints(checked(BODY.replace("    ", "\t"))) == before
    assert fingerprints(checked(BODY.replace("one()", "two()")))[0] != before[0]
    assert fingerprints(checked(BODY, "other.sql")) != before
    twice = [made(line=3), made(line=4)]
    assert len(set(fingerprints(twice))) == 2


def test_json_keeps_to_its_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(OURS)
    document = json.loads(written("json", REAL))
    jsonschema.validate(document, OURS)
    assert document["counts"] == {"error": 2, "warning": 1, "advice": 1}
    assert [one["fixable"] for one in document["findings"]] == [False, False, True, False]


def test_github_shows_ten_of_a_kind_and_counts_the_rest() -> None:
    many = [made(line=number) for number in range(1, 13)]
    warnings = [made("GS10", "warning", line=number) for number in range(1, 12)]
    lines = written("github", found(*many, *warnings, made("GS11", "advice"))).splitlines()
    assert lines[0] == "::error file=a/b.sql,line=1,col=5,endColumn=9,title=GS09 some-name::It will fail."
    assert [sum(line.startswith(f"::{kind} ") for line in lines) for kind in ("error", "warning", "notice")] == [
        10,
        10,
        1,
    ]
    assert lines[-2:] == [
        "and 2 errors, 1 warning more: doit lint shows all of them",
        "12 errors, 11 warnings, 1 advice in 1 of 2 files",
    ]


def test_github_escapes_what_would_end_a_property_or_begin_a_command() -> None:
    text = written("github", found(made(path="a,b:c%.sql", instead="x\n::error::y", message="100%.")))
    assert text.splitlines()[0] == (
        "::error file=a%2Cb%3Ac%25.sql,line=3,col=5,endColumn=9,title=GS09 some-name::100%25.%0Awrite:%0Ax%0A::error::y"
    )


def test_gitlab_has_the_fields_of_a_code_quality_report() -> None:
    entries = json.loads(written("gitlab", REAL._replace(prefix="backend/")))
    assert entries[0] == {
        "description": "GS09 some-name: It will fail.",
        "check_name": "GS09",
        "fingerprint": fingerprints(REAL.findings)[0],
        "severity": "minor",
        "location": {"path": "backend/a/b.sql", "lines": {"begin": 3}},
    }
    assert [one["severity"] for one in entries] == ["minor", "info", "critical", "critical"]
    assert json.loads(written("gitlab", found())) == []


@pytest.mark.parametrize(("strict", "failures"), [("false", 1), ("true", 2)])
def test_junit_has_a_case_for_each_file_that_fails_where_the_run_does(strict: str, failures: int) -> None:
    root = fromstring(written("junit", REAL._replace(failing=failing({"strict": strict}))))  # noqa: S314 - our own
    (suite,) = root
    cases = suite.findall("testcase")
    assert [case.get("name") for case in cases] == ["b.sql", "c.sql", "20260101000000_a.sql"]
    assert len(suite.findall("testcase/failure")) == failures == int(suite.get("failures", ""))
    failure = cases[2].find("failure")
    assert failure is not None
    assert failure.get("message") == "2 errors"
    assert "GS05 body-unwrapped" in (failure.text or "")
    assert cases[1].find("system-out") is not None
    assert "not checked: GS15" in (suite.findtext("system-out") or "")


@pytest.mark.parametrize("form", FORMS)
def test_a_warm_report_is_the_cold_one(form: str) -> None:
    stored = json.loads(json.dumps(kept(parted(Counter(), REAL.findings), REAL.files, REAL.notes)))
    again = REAL._replace(findings=_findings(stored), files=stored["files"], notes=stored["notes"])
    assert written(form, again) == written(form, REAL)


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=25, deadline=None)
@given(texts=st.lists(st.text(), min_size=4, max_size=4), data=st.binary(max_size=60))
def test_whatever_a_file_holds_the_report_can_be_written_and_read(form: str, texts: Sequence[str], data: bytes) -> None:
    hostile = data.decode(errors="surrogateescape") + texts[0]
    flaws = checked_as(f"-- +goose Up\n{hostile}\n-- +goose {texts[1]}\n", texts[2])
    text = written(form, found(*flaws, notes=[]))
    text.encode()
    if form in {"json", "gitlab"}:
        json.loads(text)
    elif form == "sarif":
        run_of(text)
    elif form == "junit":
        fromstring(text)  # noqa: S314 - our own
    elif form == "github":
        assert all(re.match(r"::(error|warning) file=|\d+ |and ", line) for line in text.split("\n") if line)


ANY_NAME = st.binary(max_size=20).map(lambda name: name.replace(b"/", b"").decode(errors="surrogateescape"))


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=25, deadline=None)
@given(name=ANY_NAME)
def test_whatever_a_file_is_called_the_report_says_no_more_than_its_name(form: str, name: str) -> None:
    text = written(form, found(made(path=f"a/1_{name}\x1b[31m\n.sql")))
    text.encode()
    assert not [one for one in text if not one.isprintable() and one != "\n"]
    usual = written(form, found(made(path="a/1_.sql")))
    assert text.count("\n") == usual.count("\n")
    if form in {"json", "gitlab"}:
        json.loads(text)
    elif form == "sarif":
        run_of(text)
    elif form == "junit":
        fromstring(text)  # noqa: S314 - our own


def checked_as(text: str, advice: str) -> list[Finding]:
    """The findings of a rule that repeats what it has read."""
    rule = listed()[0]
    data = text.encode(errors="surrogateescape") if not re.search("[\ud800-\udc7f\udd00-\udfff]", text) else b""
    repeats = rule._replace(check=lambda one: iter([Flaw(f"{one.lines[0]}{advice}.", line=2, instead=text)]))
    return check(read(data, "a/b.sql"), [repeats])
