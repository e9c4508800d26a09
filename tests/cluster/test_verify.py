"""`doit verify` against a real release: proved while all of it is there, and not a moment longer."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import jsonschema
import psycopg
import pytest

from tests.cluster.site import Site
from tests.journeys.conftest import ROOT, Monorepo
from tools import toolchain

SERVICE = "auth-service"
TARGET = f"verify:{SERVICE}@dev"
SCHEMA = json.loads((ROOT / "schemas" / "evidence.schema.json").read_text())
GADGETS = """-- +goose Up
CREATE TABLE gadgets (
    id TEXT PRIMARY KEY DEFAULT gen_random_uuid()::TEXT,
    created_at TIMESTAMPTZ(6) NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ(6) NOT NULL DEFAULT now()
);

-- +goose Down
DROP TABLE gadgets;
"""


@pytest.fixture(name="released")
def fixture_released(site: Site, mono: Monorepo) -> str:
    """A release that went well; the run."""
    assert mono
    revision = site.promoted()
    run = f"run-of-{revision}"
    with site.cluster.api() as api:
        assert site.sync(api, revision, run)["status"]["operationState"]["phase"] == "Succeeded"
    return run


def facts(mono: Monorepo) -> tuple[int, dict[str, Any]]:
    """How it ends, and the evidence."""
    done = mono.doit(TARGET, "format=json")
    document: dict[str, Any] = json.loads(done.stdout)
    jsonschema.validate(document, SCHEMA)
    return done.returncode, document


def test_a_release_is_proved_by_what_the_cluster_holds_and_no_secret_is_shown(
    site: Site, mono: Monorepo, released: str
) -> None:
    done = mono.doit(TARGET)
    assert done.returncode == 0, done.stdout + done.stderr
    for fact in ("operation", "hook", "job", "log", "database"):
        assert f"✓ {fact}" in done.stdout, done.stdout
    assert released in done.stdout
    code, evidence = facts(mono)
    assert code == 0
    shown = done.stdout + done.stderr + json.dumps(evidence)
    for secret in (site.cluster.deployer, site.cluster.postgres.partition("@")[0].rpartition(":")[2]):
        assert secret
        assert secret not in shown


def test_a_database_that_was_rolled_back_by_hand_is_not_where_the_release_says_until_it_is_synced_again(
    site: Site, mono: Monorepo, released: str
) -> None:
    assert released
    before = site.versions()
    variables = {"GOOSE_DRIVER": "postgres", "GOOSE_DBSTRING": site.url}
    folder = f"-dir={mono.folder(SERVICE)}"
    subprocess.run([toolchain.goose(print), folder, "down"], env=variables, check=True, capture_output=True)
    done = mono.doit(TARGET)
    assert done.returncode == 1
    assert "✗ database" in done.stdout
    assert f"→ doit sync:{SERVICE}@dev" in done.stderr
    assert site.versions() == before[:-1]
    mono.fine(f"sync:{SERVICE}@dev")
    assert site.versions() == before
    mono.fine(TARGET)


def test_a_job_that_is_gone_proves_nothing(site: Site, mono: Monorepo, released: str) -> None:
    assert released
    site.cluster.kubectl("delete", "job", f"{SERVICE}-migrate", f"--namespace={site.namespace}")
    done = mono.doit(TARGET)
    assert done.returncode == 1, done.stdout
    assert "not proved" in done.stderr


def test_a_sync_by_hand_without_a_run_proves_nothing(site: Site, mono: Monorepo, released: str) -> None:
    assert released
    with site.cluster.api() as api:
        asked = {"revision": site.git("rev-parse", "HEAD"), "strategy": {"hook": {}}}
        assert api.post(f"/applications/{site.application}/sync", json=asked).status_code == 200
        site.idle(api)
    done = mono.doit(TARGET)
    assert done.returncode == 1, done.stdout
    assert "not proved" in done.stderr


def test_a_migration_that_fails_there_alone_is_told_with_its_file_and_the_words_of_the_server(
    site: Site, mono: Monorepo, released: str
) -> None:
    assert released
    before = site.versions()
    file = mono.root / "services" / SERVICE / "migrations" / "20991231000000_create_gadgets.sql"
    file.write_text(GADGETS)
    site.save("feat(auth-service): gadgets")
    with psycopg.connect(site.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE gadgets (by_hand boolean)")
    revision = site.promoted()
    with site.cluster.api() as api:
        assert site.sync(api, revision, "fails")["status"]["operationState"]["phase"] == "Failed"
    code, evidence = facts(mono)
    assert (code, evidence["verdict"]) == (1, "hook-failed")
    assert f'{file.name}: ERROR: relation "gadgets" already exists' in evidence["what"]
    assert site.versions() == before
    assert f"failed in {file.name}" in mono.fine(f"logs:{SERVICE}@dev").stdout

    with psycopg.connect(site.url, autocommit=True) as connection:
        connection.execute("DROP TABLE gadgets")
    with site.cluster.api() as api:
        assert site.sync(api, revision, "again")["status"]["operationState"]["phase"] == "Succeeded"
    assert facts(mono)[0] == 0
    assert f"1 file applied to {file.name.partition('_')[0]}" in mono.fine(f"logs:{SERVICE}@dev").stdout
