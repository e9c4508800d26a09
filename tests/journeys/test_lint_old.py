"""`doit lint` in a monorepo that has findings already: written down, or left to another branch, and never hidden."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from tests.journeys.conftest import ROOT, Monorepo, counts, small

ERROR = "-- +goose Up\nSELECT 1;\n"
WARNING = "-- +goose Up\nSELECT 1; SELECT 2;\n-- +goose Down\nSELECT 3;\n"
FINE = "-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 3;\n"
KNOWN = ".lint-baseline.json"
SCHEMA = json.loads((ROOT / "schemas" / "lint.schema.json").read_text(encoding="utf-8"))


@pytest.fixture
def old(tmp_path: Path) -> Monorepo:
    """Two services with findings on the base branch."""
    first = "20260101000000_a.sql"
    files = {"one": {first: ERROR}, "two": {first: WARNING, "20260102000000_b.sql": ERROR}}
    monorepo = small(tmp_path / "monorepo", files, head="base: master")
    monorepo.commit()
    return monorepo


def rows(monorepo: Monorepo) -> list[tuple[str, str, int]]:
    """Target, rule and count of what is written down."""
    targets = json.loads((monorepo.root / KNOWN).read_text())["targets"]
    return [(name, row["rule"], row["count"]) for name, those in targets.items() for row in those]


def test_what_is_written_down_fails_no_more_and_only_shrinks(old: Monorepo) -> None:
    assert old.doit("lint").returncode == 1
    done = old.fine("lint", "baseline=write")
    assert f"{KNOWN}: 3 known" in done.stderr
    assert rows(old) == [("one/main", "GS02", 1), ("two/main", "GS02", 1), ("two/main", "GS09", 1)]
    cold = old.fine("lint", "--always-execute")
    assert cold.stdout == f"known, and not shown: 3 in {KNOWN}\n"
    warm = old.fine("lint")
    assert (warm.stdout, counts(warm)) == (cold.stdout, (0, 5, 0))

    new = old.folder("one") / "20260103000000_c.sql"
    new.write_text(ERROR)
    done = old.doit("lint", "baseline=write")
    assert done.returncode == 1
    assert "20260103000000_c.sql:2:10 GS02 down-missing" in done.stdout
    assert "20260101000000_a.sql" not in done.stdout
    assert len(rows(old)) == 3

    new.write_text(FINE)
    (old.folder("two") / "20260101000000_a.sql").write_text(FINE)
    done = old.doit("lint", "format=json")
    jsonschema.validate(json.loads(done.stdout), SCHEMA)
    assert json.loads(done.stdout)["known"] == 2
    assert {one["code"] for one in json.loads(done.stdout)["findings"]} == {"GS15"}
    assert f"known and gone: 1 in {KNOWN} (→ doit lint baseline=write)" in old.doit("lint").stdout
    assert old.doit("lint", "baseline=write").returncode == 1
    assert rows(old) == [("one/main", "GS02", 1), ("two/main", "GS02", 1)]


def test_a_service_can_be_written_down_after_another(old: Monorepo) -> None:
    old.fine("lint:one", "baseline=write")
    assert old.doit("lint").returncode == 1
    old.fine("lint", "baseline=write")
    assert [target for target, _, _ in rows(old)] == ["one/main", "two/main", "two/main"]


@pytest.mark.parametrize("text", ["", "[]", '{"version": 1, "targets": {"one/main": [{"rule": 3}]}}', "[" * 100_000])
def test_a_file_that_is_not_ours_is_an_error_that_says_so(old: Monorepo, text: str) -> None:
    (old.root / KNOWN).write_text(text)
    done = old.doit("lint:one")
    assert done.returncode == 1
    assert "the known findings cannot be read" in done.stderr
    assert f"git restore {KNOWN}, or remove it" in done.stderr


def test_with_a_base_only_what_the_branch_touches_is_told_and_the_rest_is_counted(old: Monorepo) -> None:
    (old.folder("one") / "20260103000000_c.sql").write_text(WARNING)
    done = old.fine("lint", "base=master")
    assert "services/one/migrations/20260103000000_c.sql:2:11 GS09" in done.stdout
    assert "20260101000000_a.sql" not in done.stdout
    assert done.stdout.endswith("what this branch has not touched since master: 2 errors, 1 warning in 3 files\n")
    warm = old.fine("lint", "base=master")
    assert (warm.stdout, counts(warm)) == (done.stdout, (0, 5, 0))
    document = json.loads(old.fine("lint", "base=master", "format=json").stdout)
    jsonschema.validate(document, SCHEMA)
    assert document["untouched"] == {"base": "master", "counts": {"error": 2, "warning": 1, "advice": 0}}

    whole = old.doit("lint")
    assert (whole.returncode, counts(whole)) == (1, (0, 3, 2))
    assert "services/two/migrations/20260102000000_b.sql:2:10 GS02" in whole.stdout


def test_a_base_that_there_is_not_is_refused(old: Monorepo) -> None:
    done = old.doit("lint", "base=origin/main")
    assert done.returncode == 1
    assert "`base=origin/main`: there is no such branch or commit here" in done.stderr
    assert "git fetch origin main" in done.stderr


BODY = """-- +goose Up
CREATE FUNCTION one() RETURNS INT LANGUAGE plpgsql AS $$
BEGIN
    RETURN 1;
END;
$$;
-- +goose Down
DROP FUNCTION one();
"""
MENDED = BODY.replace("CREATE", "-- +goose StatementBegin\nCREATE").replace("$$;\n", "$$;\n-- +goose StatementEnd\n")


def test_safe_fixes_are_made_and_shown_and_never_in_a_merged_file(tmp_path: Path) -> None:
    monorepo = small(tmp_path / "monorepo", {"one": {"20260101000000_a.sql": BODY}}, head="base: master")
    monorepo.commit()
    merged, new = (monorepo.folder("one") / name for name in ("20260101000000_a.sql", "20260102000000_b.sql"))
    new.write_text(BODY.replace("one()", "two()"))
    new.chmod(0o600)
    done = monorepo.doit("lint:one/main", "fix=true", "format=json")
    assert done.returncode == 1
    assert "+++ services/one/migrations/20260102000000_b.sql" in done.stderr
    assert "+-- +goose StatementBegin" in done.stderr
    assert (merged.read_text(), new.read_text()) == (BODY, MENDED.replace("one()", "two()"))
    assert new.stat().st_mode & 0o777 == 0o600
    found = {(one["code"], one["file"]) for one in json.loads(done.stdout)["findings"] if one["severity"] == "error"}
    assert found == {("GS05", "services/one/migrations/20260101000000_a.sql")}


def test_where_nothing_tells_what_is_merged_nothing_is_fixed(tmp_path: Path) -> None:
    monorepo = small(tmp_path / "monorepo", {"one": {"20260101000000_a.sql": BODY}})
    done = monorepo.doit("lint:one/main", "fix=true")
    assert done.returncode == 1
    assert "nothing tells which files are merged" in done.stderr
    assert (monorepo.folder("one") / "20260101000000_a.sql").read_text() == BODY
