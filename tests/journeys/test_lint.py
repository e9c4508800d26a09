"""`doit lint` as it is typed: its report in every form, into a file, and again when nothing needs to run."""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest

from tests.journeys.conftest import ROOT, Monorepo, counts, small

WARNING = "-- +goose Up\nSELECT 1; SELECT 2;\n-- +goose Down\nSELECT 3;\n"
ERROR = "-- +goose Up\nSELECT 1;\n"
SCHEMA = json.loads((ROOT / "schemas" / "lint.schema.json").read_text(encoding="utf-8"))


@pytest.fixture
def warned(tmp_path: Path) -> Monorepo:
    """Two services, each with a warning, merged."""
    services = {name: {"20260101000000_a.sql": WARNING} for name in ("one", "two")}
    monorepo = small(tmp_path / "monorepo", services, head="base: master")
    monorepo.commit()
    return monorepo


def test_a_run_that_is_spared_reports_byte_for_byte_what_a_run_does(warned: Monorepo) -> None:
    for form in ("sarif", "junit", "github"):
        cold = warned.fine("lint", "--always-execute", f"format={form}", "output=cold")
        warm = warned.fine("lint", f"format={form}", "output=warm")
        assert (counts(cold), counts(warm)) == ((5, 0, 0), (0, 5, 0))
        assert cold.stdout == warm.stdout == ""
        assert "warm: 2 warnings in 2 of 3 files" in warm.stderr
        report = (warned.root / "cold").read_bytes()
        assert report == (warned.root / "warm").read_bytes()
        assert report.count(b"GS09") >= 2
    assert warned.fine("lint", "format=text").stdout.encode() == warned.fine("lint").stdout.encode() != b""


def test_git_lists_merged_files_once_a_run_for_all_streams_together(warned: Monorepo, tmp_path: Path) -> None:
    log, git = tmp_path / "asked", tmp_path / "bin" / "git"
    git.parent.mkdir()
    git.write_text(f'#!/bin/sh\necho "$1" >> {log}\nexec {shutil.which("git")} "$@"\n')
    git.chmod(0o755)
    path = f"{git.parent}{os.pathsep}{os.environ['PATH']}"
    warned.fine("lint")
    assert counts(warned.doit("lint", PATH=path)) == (0, 5, 0)
    assert log.read_text().split().count("ls-tree") == 1


def test_strict_fails_over_what_a_run_without_it_lets_pass(warned: Monorepo) -> None:
    assert "GS09 two-on-a-line (warning)" in warned.fine("lint").stdout
    done = warned.doit("lint", "strict=true")
    assert done.returncode == 1
    assert counts(done) == (0, 3, 2)
    assert counts(warned.fine("lint"))[2] == 0


def test_a_stream_that_fails_does_not_keep_the_others_out_of_the_report(tmp_path: Path) -> None:
    services = {f"s{number}": {"20260101000000_a.sql": ERROR} for number in range(12)}
    done = small(tmp_path / "monorepo", services).doit("lint", "format=json", "-n", "1")
    assert (done.returncode, counts(done)) == (1, (13, 0, 12))
    document = json.loads(done.stdout)
    jsonschema.validate(document, SCHEMA)
    assert len({one["file"] for one in document["findings"] if one["code"] == "GS02"}) == 12
    assert len(document["not_checked"]) == 1


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("services.yaml", "git has this file"),
        ("services", "is a folder"),
        ("reports/lint.json", "is in a folder that is not there"),
    ],
)
def test_a_report_replaces_nothing_but_a_report(warned: Monorepo, named: str, says: str) -> None:
    before = (warned.root / "services.yaml").read_bytes()
    done = warned.doit("lint", "format=json", f"output={named}")
    assert done.returncode == 1
    assert f"`output={named}`" in done.stderr
    assert says in done.stderr
    assert (warned.root / "services.yaml").read_bytes() == before


def test_other_programs_find_a_file_by_its_path_from_the_repository(warned: Monorepo) -> None:
    (warned.root / ".git").rename(warned.root.parent / ".git")
    assert "file=monorepo/services/one/migrations/" in warned.fine("lint", "format=github").stdout
    assert json.loads(warned.fine("lint", "format=json").stdout)["findings"][0]["file"].startswith("services/one/")


def test_only_lint_writes_reports_for_other_programs(warned: Monorepo) -> None:
    done = warned.doit("status", "format=sarif")
    assert done.returncode == 3
    assert "give format=text or format=json" in done.stderr


def test_the_rules_are_shown_all_or_one_with_its_examples(tmp_path: Path) -> None:
    without = Monorepo(root=tmp_path)
    rows = without.fine("rules").stdout.splitlines()
    assert "AR: what Argo CD and Kubernetes are told of migrations." in rows
    assert [row.split()[0] for row in rows if row.startswith("  GS")] == [f"GS{number:02}" for number in range(1, 23)]
    one = without.fine("rules:gs05").stdout
    assert one == without.fine("rules:body-unwrapped").stdout
    assert one.startswith("# GS05 body-unwrapped\n")
    assert all(part in one for part in ("**Problem.**", "**Consequence.**", "**Solution.**", "## Bad", "## Good"))


@pytest.mark.parametrize(
    ("word", "says", "code"),
    [
        ("rules:body-unwraped", "did you mean `body-unwrapped`?", 1),
        ("rules:GS05/a", "takes one CODE", 3),
        ("rules:GS05@dev", "takes one CODE", 3),
        ("doctor:GS05", "takes no service", 3),
    ],
)
def test_what_is_no_rule_is_refused(tmp_path: Path, word: str, says: str, code: int) -> None:
    done = Monorepo(root=tmp_path).doit(word)
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr


def test_a_waiver_is_true_until_its_day_and_is_told_when_it_has_ended(warned: Monorepo) -> None:
    today = datetime.now(UTC).date()
    last, gone = today + timedelta(days=2), today - timedelta(days=1)
    file = warned.folder("one") / "20260102000000_b.sql"
    file.write_text(WARNING.replace("SELECT 1;", f"-- lint:allow GS09 they are one thought until={last}\nSELECT 1;"))
    assert "20260102000000_b.sql" not in warned.fine("lint:one").stdout
    assert "up to date" in warned.fine("lint:one").stderr
    file.write_text(file.read_text().replace(str(last), str(gone)))
    done = warned.doit("lint:one")
    assert done.returncode == 1
    assert "20260102000000_b.sql:2:1 LA01 bad-waiver\n" in done.stdout
    assert f"this waiver ended on {gone}" in done.stdout
    assert "20260102000000_b.sql:3:11 GS09 two-on-a-line (warning)" in done.stdout


def test_services_yaml_says_how_grave_a_finding_is_and_which_may_stay(warned: Monorepo) -> None:
    services = warned.root / "services.yaml"
    text, day = services.read_text(), datetime.now(UTC).date()
    merged = "services/two/migrations/20260101000000_a.sql"
    allow = f'{{rule: GS09, path: {merged}, reason: it is merged, until: "{day}"}}'
    services.write_text(f"{text}lint:\n  severity: {{GS09: error}}\n  allow:\n    - {allow}\n")
    done = warned.doit("lint")
    assert (done.returncode, counts(done)) == (1, (4, 0, 1))
    assert "services/one/migrations/20260101000000_a.sql:2:11 GS09 two-on-a-line\n" in done.stdout
    assert "services/two" not in done.stdout
    services.write_text(f"{text}lint: {{severity: {{GS09: {{services/one: 'off'}}}}}}\n")
    done = warned.fine("lint")
    assert "services/two/migrations/20260101000000_a.sql:2:11 GS09 two-on-a-line (warning)" in done.stdout
    assert "services/one" not in done.stdout
