"""`doit rehearse`: an environment's Jobs in a real Docker, on a database that stands where a promotion left it."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from docker import APIClient

from tests import playground
from tests.journeys.conftest import ROOT, Monorepo, copied
from tests.playground import Playground, git

AUTH = "services/auth-service"
NEW = "20261101000000_add_devices.sql"
DEVICES = "CREATE TABLE devices (id TEXT PRIMARY KEY, user_id TEXT NOT NULL);"


@pytest.fixture(scope="module", name="promoted")
def fixture_promoted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    """The example, with auth-service promoted to dev."""
    with playground.playground(tmp_path_factory.mktemp("playground")) as ground:
        listed = ground.root / "services.yaml"
        listed.write_text(listed.read_text().replace('-migrations"}', '-migrations", platforms: [linux/amd64]}'))
        git(ground.root, "commit", "--quiet", "--all", "--message", "one platform")
        git(ground.root, "push", "--quiet")
        Monorepo(root=ground.root).fine("promote:auth-service@dev")
        git(ground.root, "pull", "--quiet", "--rebase")
        yield ground


@pytest.fixture(name="mono")
def fixture_mono(promoted: Playground, host: str, tmp_path: Path) -> Iterator[Monorepo]:
    """A copy to be changed at will, and afterwards the proof that nothing of a rehearsal is left."""
    monorepo = copied(Monorepo(root=promoted.root), tmp_path / "monorepo")
    tip = git(promoted.remote, "rev-parse", "main")
    yield monorepo
    with APIClient(base_url=host or None) as client:
        assert client.containers(all=True, filters={"label": "gander.runs"}) == []
    assert [one.name for one in (monorepo.state / "rehearse").glob("*")] in ([], ["lock"])
    assert not list((monorepo.state / "scratch").glob("staging/*/*"))
    assert git(promoted.remote, "rev-parse", "main") == tip


def changed(mono: Monorepo, path: str, old: str, new: str) -> None:
    """Change a file of the monorepo and commit it."""
    file = mono.root / path
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    committed(mono)


def committed(mono: Monorepo) -> None:
    git(mono.root, "add", "--all")
    git(mono.root, "commit", "--quiet", "--message", "a change")


def devices(mono: Monorepo, up: str = DEVICES) -> None:
    mono.write("auth-service", NEW, up, "DROP TABLE devices;")
    committed(mono)


def fails(mono: Monorepo, target: str = "auth-service@dev") -> str:
    done = mono.doit(f"rehearse:{target}")
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.startswith(f"{target}  would fail")
    return done.stdout


def test_a_new_migration_runs_on_what_is_deployed(mono: Monorepo) -> None:
    devices(mono)
    mono.write("auth-service", "20261102000000_later.sql", "SELECT 1;", "SELECT 1;")
    done = mono.fine("rehearse:auth-service@dev")
    head, *rest = done.stdout.splitlines()
    assert re.fullmatch(r"auth-service@dev  would work: m-[0-9a-f]{16} of [0-9a-f]{12}", head)
    assert rest[:2] == ["  auth-service-migrate: 1 migration ran, 9 were there", f"    {NEW}"]
    assert rest[2].endswith(f"so not rehearsed: {AUTH}/migrations/20261102000000_later.sql")
    old = mono.fine("rehearse:auth-service@dev", "commit=HEAD~1")
    assert "  auth-service-migrate: no migrations ran, 9 were there" in old.stdout


def test_rows_that_break_a_new_rule_are_found(mono: Monorepo) -> None:
    devices(mono, "CREATE UNIQUE INDEX permissions_once ON permissions (resource);")
    said = fails(mono)
    assert f"{AUTH}/migrations/{NEW}:2: auth-service/auth: could not create unique index" in said
    assert "→ rows that are there already are not unique" in said
    assert "→ correct the file, commit it, then doit rehearse:auth-service@dev" in said


def test_what_only_a_superuser_may_do_is_found(mono: Monorepo) -> None:
    devices(mono, f"{DEVICES}\nCREATE EXTENSION pg_stat_statements;")
    said = fails(mono)
    assert f'{AUTH}/migrations/{NEW}:3: auth-service/auth: permission denied to create extension "pg_stat_st' in said
    assert f"not applied: {NEW}" in said


def test_a_key_of_a_secret_that_nobody_documents_is_found(mono: Monorepo) -> None:
    changed(mono, f"{AUTH}/helm/values.yaml", "url: DATABASE_URL", "url: DB_CONNECTION")
    said = fails(mono)
    assert "auth-service-migrate (charts/service-base/templates/_migration-job.tpl:" in said
    assert (
        "GOOSE_DBSTRING is the key DB_CONNECTION of the Secret auth-service-databases, which nobody documents" in said
    )
    listed = "name: {dev: girok_auth_dev, prod: girok_auth}"
    changed(mono, "services.yaml", listed, f"{listed}, url_env: {{dev: DB_CONNECTION}}")
    mono.fine("rehearse:auth-service@dev")


def test_a_folder_that_the_image_has_not_is_found(mono: Monorepo) -> None:
    changed(mono, f"{AUTH}/helm/values.yaml", "url: DATABASE_URL", "url: DATABASE_URL, directory: /migration")
    assert "GOOSE_MIGRATION_DIR is /migration, and the image has no such folder (it has: /migrations)" in fails(mono)


def test_an_image_that_the_chart_takes_from_elsewhere_is_found(mono: Monorepo) -> None:
    other = f"registry.example.com/goose@sha256:{'1' * 64}"
    changed(
        mono, "charts/service-base/templates/_migration-job.tpl", '{{ include "service.migrations-image" $ }}', other
    )
    assert f"it runs {other}, and promoted would be " in fails(mono)


def test_a_migration_that_outlasts_the_jobs_deadline_is_found(mono: Monorepo) -> None:
    changed(mono, f"{AUTH}/helm/values.yaml", "  databases:", "  deadlineSeconds: 3\n  databases:")
    devices(mono, "SELECT pg_sleep(600);")
    said = fails(mono)
    assert "it ran longer than its activeDeadlineSeconds of 3 s" in said
    assert f"✗ not applied: {NEW}" in said


def test_a_container_that_may_not_run_as_root_does_not(mono: Monorepo) -> None:
    changed(mono, "charts/service-base/templates/_pods.tpl", "runAsUser: 65532", "runAsUser: 0")
    assert "runAsNonRoot: the user is root, and Kubernetes starts no pod" in fails(mono)


def test_each_database_of_a_service_has_its_job_and_its_database(mono: Monorepo) -> None:
    done = mono.fine("rehearse:identity-service@dev")
    assert "  identity-service-migrate-identity: 6 migrations ran\n" in done.stdout
    assert "  identity-service-migrate-auth: 6 migrations ran\n" in done.stdout
    key = "{driver: postgres, url: IDENTITY_DATABASE_URL"
    changed(mono, "services/identity-service/helm/values.yaml", key, key.replace("IDENTITY_", "AUTH_"))
    said = fails(mono, "identity-service@dev")
    assert "which holds the URL of identity-service/auth, and this Job migrates identity-service/identity" in said
    assert "  identity-service-migrate-auth: 6 migrations ran\n" in said


def test_clickhouse_files_run_without_their_clusters_and_that_is_said(mono: Monorepo) -> None:
    done = mono.fine("rehearse:audit-service@dev")
    assert "  audit-service-migrate: 7 migrations ran\n" in done.stdout
    assert "one server ran the files without their cluster clauses: cluster DDL was not exercised" in done.stdout


def test_what_is_deployed_must_be_known(mono: Monorepo) -> None:
    changed(mono, "services.yaml", "branch: main, push: direct", "branch: by-hand, push: direct")
    values = mono.root / AUTH / "helm" / "values-dev.yaml"
    values.write_text(re.sub("image: .*migrations.*", "image: by-hand", values.read_text()))
    committed(mono)
    git(mono.root, "push", "--quiet", "origin", "HEAD:by-hand")
    try:
        said = fails(mono)
    finally:
        git(mono.root, "push", "--quiet", "--delete", "origin", "by-hand")
    assert f"origin/by-hand:{AUTH}/helm/values-dev.yaml: which migrations by-hand holds is not known" in said


def test_values_in_another_repository_are_those_of_its_branch(mono: Monorepo) -> None:
    values = mono.root / AUTH / "helm" / "values-dev.yaml"
    theirs = mono.root.parent / "gitops"
    file = theirs / AUTH / "helm" / "values-dev.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(re.sub("image: .*migrations.*", 'image: ""', values.read_text()))
    playground.publish(theirs, mono.root.parent / "gitops.git")
    file.unlink()
    values.unlink()
    changed(
        mono,
        "services.yaml",
        "repository: ., branch: main, push: direct",
        "repository: ../gitops, branch: main, push: direct",
    )
    done = mono.fine("rehearse:auth-service@dev")
    assert "  auth-service-migrate: 9 migrations ran\n" in done.stdout


def test_an_environment_that_the_commit_does_not_know_is_refused(mono: Monorepo) -> None:
    listed = mono.root / "services.yaml"
    text = listed.read_text()
    changed(mono, "services.yaml", "  dev:", "  qa:")
    changed(mono, "services.yaml", "after: dev", "after: qa")
    listed.write_text(text)
    assert "has no environment `dev`" in fails(mono)


def test_several_releases_are_told_one_by_one(mono: Monorepo) -> None:
    (mono.root / "services" / "legal-service" / "helm" / "templates" / "migration-job.yaml").write_text("")
    committed(mono)
    done = mono.doit("rehearse:legal-service@dev", "rehearse:personal-service@dev")
    assert done.returncode == 1
    assert "legal-service@dev  would fail" in done.stdout
    assert "no Job legal-service-migrate is made, so nothing migrates legal-service/legal" in done.stdout
    assert "personal-service@dev  would work" in done.stdout


def test_without_docker_it_says_so_before_anything_is_done(mono: Monorepo) -> None:
    done = mono.doit("rehearse:auth-service@dev", DOCKER_HOST="unix:///nosuch/docker.sock")
    assert done.returncode == 1
    assert "unix:///nosuch/docker.sock" in done.stderr
    assert "start Docker" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_ended_leaves_neither_container_nor_server(
    mono: Monorepo, host: str, number: signal.Signals
) -> None:
    devices(mono, "SELECT pg_sleep(600);")
    process = subprocess.Popen(mono.command("rehearse:auth-service@dev"), cwd=ROOT, env=mono.environment, text=True)
    with APIClient(base_url=host or None) as client:
        until(lambda: bool(client.containers(filters={"label": "gander.runs"})))
        process.send_signal(number)
        assert process.wait(60) == (-number if number == signal.SIGKILL else 128 + number)
        until(lambda: not client.containers(all=True, filters={"label": "gander.runs"}))
    until(lambda: not (mono.state / "scratch" / "postgres" / "server.json").exists())
    mono.fine("rehearse:auth-service@dev", "commit=HEAD~1")


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)
