"""`doit verify` with a real remote and a real database; Argo CD and the cluster are a stand-in that can lie."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import jsonschema
import psycopg
import pytest

from schemas import catalog_file
from schemas.catalog import Catalog
from schemas.errors import NotVerified
from tests.argocd_standin.server import TOKEN
from tests.journeys.conftest import ROOT
from tests.journeys.wrong import LOG, job_wrong
from tests.journeys.yard import BUILT, DECIDED, Yard, fixture_well, fixture_yard
from tests.playground import git

__all__ = ["fixture_well", "fixture_yard"]

SCHEMA = json.loads((ROOT / "schemas" / "evidence.schema.json").read_text())


def test_a_release_that_went_well_is_verified_and_one_request_is_made_for_each_fact(yard: Yard) -> None:
    done = yard.mono.fine("verify:shop@dev", **yard.variables)
    assert "verified: 2 versions of " in done.stderr
    assert f"shop@dev  {yard.image}" in done.stdout
    assert [line.split()[:2] for line in done.stdout.splitlines() if line.startswith("  ✓")] == [
        ["✓", fact] for fact in ("operation", "hook", "job", "log", "database")
    ]
    assert "    2026/11/23 04:56:47 OK   00001_a.sql (1.95ms)" in done.stdout
    assert [one.partition("shop-dev")[2] for one in yard.world.asked] == [
        *("", "/resource", "/resource-tree", "/resource", "/logs"),
    ]
    again = yard.mono.fine("verify:shop@dev", **yard.variables)
    assert again.stderr.splitlines()[-1].startswith("1 ran, 0 up to date, 0 failed")
    assert TOKEN not in done.stdout + done.stderr


def test_the_evidence_is_a_document_of_its_schema_with_every_fact(yard: Yard, tmp_path: Path) -> None:
    done = yard.mono.fine("verify:shop@dev", "format=json", f"evidence={tmp_path}/kept", **yard.variables)
    document = json.loads(done.stdout)
    jsonschema.validate(document, SCHEMA)
    (file,) = (tmp_path / "kept").iterdir()
    assert json.loads(file.read_text()) == document
    assert (document["verified"], document["commit"], document["promoted"]) == (True, yard.before, yard.promoted)
    assert document["built"] == BUILT
    assert document["decided"] == DECIDED
    assert {one["fact"]: one["holds"] for one in document["facts"]} == dict.fromkeys(
        ("operation", "hook", "job", "log", "database"), True
    )
    assert document["jobs"][0]["pods"][0]["log"] == LOG.strip()
    assert TOKEN not in file.read_text()
    assert yard.url not in file.read_text()


def test_what_is_not_verified_ends_with_one_message_and_evidence_that_says_so(yard: Yard) -> None:
    del yard.world.jobs["shop-migrate"]
    done = yard.mono.doit("verify:shop@dev", "format=json", **yard.variables)
    assert done.returncode == 1
    document = json.loads(done.stdout)
    jsonschema.validate(document, SCHEMA)
    assert (document["verified"], document["verdict"]) == (False, "job-gone")
    assert "not proved: the Job cannot be looked at. it is not there" in done.stderr
    assert "see docs/runbook.md#job-gone" in done.stderr


@pytest.fixture(name="lax")
def fixture_lax(yard: Yard) -> Iterator[Callable[[str], None]]:
    """Gives dev more lines in services.yaml, for one test."""
    file = yard.mono.root / "services.yaml"
    strict = file.read_text()

    def more(lines: str) -> None:
        file.write_text(strict.replace("namespace: auth", f"namespace: auth\n    {lines}"))

    yield more
    file.write_text(strict)


def test_what_its_environment_leaves_out_may_be_gone_and_all_that_tells_of_it_says_so(
    yard: Yard, lax: Callable[[str], None], tmp_path: Path
) -> None:
    lax("require: [operation, hook, database]")
    yard.world.jobs.clear()
    done = yard.mono.fine("verify:shop@dev", f"evidence={tmp_path}", **yard.variables)
    without = "verified without: job of shop-migrate: it is not there; log of shop-migrate: it is not there"
    assert f"\n  {without}\n" in done.stdout
    assert "see docs/runbook.md#verified-without" in done.stdout
    assert "! verify:shop@dev  verified without job, log: 2 versions of " in done.stderr
    (file,) = tmp_path.iterdir()
    document = json.loads(file.read_text())
    jsonschema.validate(document, SCHEMA)
    assert (document["verified"], document["left_out"], document["what"]) == (False, ["job", "log"], without)
    status = yard.world.applications["shop-dev"]["status"]
    status["history"][0] |= {"revision": yard.promoted, "deployStartedAt": document["operation"]["started"]}
    told = yard.mono.fine("history:shop@dev", f"evidence={tmp_path}", **yard.variables)
    assert told.stdout.splitlines()[-1].startswith("    verified without job, log, 20")


def test_a_fact_that_may_be_unseen_and_is_seen_to_be_wrong_is_not_verified(
    yard: Yard, lax: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    lax("require: [operation, hook]")
    assert yard.verify(monkeypatch, "SHOP_MAIN_DEV_URL").summary.startswith("verified without database: 2 versions")
    assert yard.verify(monkeypatch).summary.startswith("verified: 2 versions")
    job_wrong(yard.place)
    with pytest.raises(NotVerified, match="the Job ran another image"):
        yard.verify(monkeypatch, "SHOP_MAIN_DEV_URL")


def test_a_protected_environment_is_verified_by_all_five_facts_whatever_a_catalog_says(
    yard: Yard, lax: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    lax("require: [operation, hook, database]")
    yard.world.jobs.clear()
    assert yard.verify(monkeypatch).summary.startswith("verified without job, log")
    protected(monkeypatch)
    with pytest.raises(NotVerified, match="the Job cannot be looked at"):
        yard.verify(monkeypatch)


def protected(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on, dev is protected."""
    read = catalog_file.load

    def changed(path: Path, cache: Path | None = None) -> Catalog:
        made = read(path, cache)
        dev = made.environments["dev"]._replace(protected=True)
        return made._replace(environments={**made.environments, "dev": dev})

    monkeypatch.setattr(catalog_file, "load", changed)


def test_a_service_that_owns_no_database_has_nothing_to_verify(yard: Yard) -> None:
    done = yard.mono.fine("verify:idle@dev", **yard.variables)
    assert "no database of its own, so nothing to verify" in done.stderr
    assert yard.world.asked == []


def test_an_older_release_on_a_newer_database_is_verified(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    yard.mono.write("shop", "00003_c.sql", "SELECT 1;")
    git(yard.mono.root, "add", "services/shop/migrations/00003_c.sql")
    git(yard.mono.root, "commit", "--quiet", "-m", "c")
    yard.sql("INSERT INTO goose_db_version (version_id, is_applied) VALUES (3, true)")
    yard.world.logs = dict.fromkeys(
        yard.world.logs, "2026/11/23 04:56:47 goose: no migrations to run. current version: 3"
    )
    try:
        assert yard.verify(monkeypatch).summary.startswith("verified: 2 versions")
        assert "and 1 of newer releases" in "\n".join(yard.said.lines)
        protected(monkeypatch)
        with pytest.raises(NotVerified, match="it has 3, which no file explains"):  # it is on no branch of the remote
            yard.verify(monkeypatch)
    finally:
        git(yard.mono.root, "reset", "--quiet", "--hard", "HEAD^")


def test_an_index_that_was_left_invalid_is_not_verified(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    yard.sql("CREATE TABLE twice (n integer); INSERT INTO twice VALUES (1), (1)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        yard.sql("CREATE UNIQUE INDEX CONCURRENTLY once ON twice (n)")
    try:
        with pytest.raises(NotVerified, match="index once of twice: it is invalid"):
            yard.verify(monkeypatch)
    finally:
        yard.sql("DROP TABLE twice")


def test_right_after_a_sync_argo_cd_is_made_to_look_before_a_job_counts_as_gone(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    yard.world.compared = False
    assert yard.verify(monkeypatch).summary.startswith("verified")
    assert yard.world.asked.count("GET applications/shop-dev") == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("commit-tree", "-p", "HEAD", "-m", "x", "HEAD^{tree}"), "is not in the history of origin/main"),
        (("rev-parse", "HEAD^{tree}"), "which origin/main has not"),
    ],
)
def test_a_commit_that_is_not_of_the_branch_proves_nothing_whatever_it_says(
    yard: Yard, words: tuple[str, ...], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    yard.world.state("shop-dev")["syncResult"]["revision"] = git(yard.mono.root, *words).strip()
    with pytest.raises(NotVerified, match=says):
        yard.verify(monkeypatch)


def test_of_an_application_with_several_sources_the_commit_of_this_repository_counts(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = yard.world.state("shop-dev")["syncResult"]
    result["revisions"] = ["1.2.3", "0" * 40, result.pop("revision")]
    assert yard.verify(monkeypatch).summary.startswith("verified")


def test_a_release_that_nobody_promoted_is_told(yard: Yard) -> None:
    root = yard.mono.root
    values = root / "services" / "shop" / "values.yaml"
    for text, says in (
        ('migrations:\n  image: ""\n', "nothing was promoted to dev"),
        (f"migrations:\n  image: {yard.other}x\n", "nobody knows which migrations"),
    ):
        values.write_text(text)
        git(root, "commit", "--quiet", "-am", "by hand")
        git(root, "push", "--quiet", "origin", "HEAD:main")
        done = yard.mono.doit("verify:shop@dev", **yard.variables)
        git(root, "reset", "--quiet", "--hard", yard.promoted)
        git(root, "push", "--quiet", "--force", "origin", "HEAD:main")
        assert done.returncode == 1
        assert says in done.stderr
        assert "→ " in done.stderr
