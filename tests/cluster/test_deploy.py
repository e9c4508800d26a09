"""`doit deploy` against a real cluster: the whole road of a release, as its engineer types it."""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import yaml

from tests.cluster.cluster import Api, Cluster
from tests.cluster.making import example, generated
from tests.cluster.site import Site
from tests.journeys.conftest import Monorepo, ran
from tools.clickhouse.connection import Address

SERVICE = "identity-service"
ROAD = ("image", "promote", "sync", "verify")
SEED = "GANDER_TEST_SEED"


def facts(site: Site) -> tuple[int, dict[str, bool]]:
    """How `doit verify` ends, and each fact with what it is about: whether it holds."""
    done = site.monorepo.doit(f"verify:{site.service}@{site.environment}", "format=json")
    found = json.loads(done.stdout)["facts"]
    return done.returncode, {f"{one['fact']} of {one['about']}": one["holds"] is True for one in found}


def test_of_two_jobs_one_fails_once_and_the_next_run_does_what_is_left(site: Site, mono: Monorepo) -> None:
    deploy, jobs = f"deploy:{SERVICE}@dev", {key: f"{SERVICE}-migrate-{key}" for key in site.databases}
    with psycopg.connect(site.url_of("auth"), autocommit=True) as connection:
        connection.execute("CREATE TABLE operators (by_hand boolean)")
    failed = mono.doit(deploy)
    assert failed.returncode == 1, failed.stderr
    assert f"{jobs['auth']}: Job has reached the specified backoff limit" in failed.stderr
    assert f'{jobs["auth"]}: 20260108015533_create_operators.sql: ERROR: relation "operators" already' in failed.stderr
    assert f"{SERVICE}/identity is done: all 6 versions" in failed.stderr
    assert "true: the application was not rolled out" in failed.stderr
    assert f"not run: verify:{SERVICE}@dev" in failed.stderr
    assert (site.versions("identity"), site.versions("auth")) == (site.files("identity"), [])
    assert not site.cluster.kubectl("get", "deployments", f"--namespace={site.namespace}", "-o=name")
    code, held = facts(site)
    assert code == 1
    assert {about for about, holds in held.items() if not holds} == {
        *(f"operation of {site.application}", f"database of {SERVICE}/auth"),
        *(f"{fact} of {jobs['auth']}" for fact in ("hook", "job", "log")),
    }

    with psycopg.connect(site.url_of("auth"), autocommit=True) as connection:
        connection.execute("DROP TABLE operators")
    done = mono.fine(deploy)
    assert [name.partition(":")[0] for name in ran(done)] == ["sync", "verify"]
    assert f"{jobs['identity']}: " in done.stderr
    assert f"verified: {len(site.files('identity') + site.files('auth'))} versions of" in done.stderr
    assert site.versions("auth") == site.files("auth")
    ends = {key: site.log(site.pods(site.job(job))[0]) for key, job in jobs.items()}
    assert "goose: no migrations to run" in ends["identity"], "what was done is not done twice"
    assert "goose: successfully migrated" in ends["auth"]
    code, held = facts(site)
    assert (code, len(held), all(held.values())) == (0, 1 + 4 * len(jobs), True), held


@pytest.fixture(name="unknown")
def fixture_unknown(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Site]:
    """A service with random names, as somebody has set it up: its chart is merged, and it has no migration."""
    seed = int(os.environ.get(SEED) or random.SystemRandom().randrange(1_000_000))
    with capsys.disabled():
        print(f"\n{SEED}={seed}")  # noqa: T201 - what repeats these names
    with generated(cluster, tmp_path, seed) as site:
        for name, value in site.variables.items():
            monkeypatch.setenv(name, value)
        yield site
        site.monorepo.doit("stop")


def test_a_service_of_any_name_goes_from_a_new_migration_to_a_proof_and_then_only_the_proof_is_made(
    unknown: Site,
) -> None:
    site, mono, service = unknown, unknown.monorepo, unknown.service
    (key,) = site.databases
    entry = yaml.safe_load((mono.root / "services.yaml").read_text())["services"][service]["databases"][key]
    new = mono.root / mono.fine(f"create:{service}", "name=create_things").stdout.strip()
    assert new.is_file()
    checked = mono.fine(f"check:{service}", f"commit:{service}")
    assert {"lint", "test", "migrate", "commit"} <= {name.partition(":")[0] for name in ran(checked)}
    assert site.git("status", "--porcelain") == ""
    site.git("push", "--quiet", "origin", "HEAD:main")

    done = mono.fine(f"deploy:{service}@dev")
    assert [name for name in ran(done) if name.partition(":")[0] in ROAD] == [
        *(f"image:{service}", f"promote:{service}@dev", f"sync:{service}@dev", f"verify:{service}@dev"),
    ]
    site.pulled()
    assert site.versions(table=entry["table"]) == site.files() != []
    job = site.job(entry.get("job", ""))
    (pod,) = site.pods(job)
    assert pod["status"]["containerStatuses"][0]["imageID"].rpartition("@")[2] == site.image().rpartition("@")[2]
    with psycopg.connect(site.url) as connection:
        connection.execute("SELECT id, created_at FROM things")

    before = asked(site)
    again = mono.fine(f"deploy:{service}@dev")
    assert [name for name in ran(again) if "@dev" in name or name.startswith("image")] == [f"verify:{service}@dev"]
    assert "1 ran, 2 up to date, 0 failed" in again.stderr
    assert site.job(entry.get("job", ""))["metadata"]["uid"] == job["metadata"]["uid"]
    once = {"Get": 1, "GetResource": 2, "ResourceTree": 1, "PodLogs": 1}  # the resources are the Job and its pod
    assert not before or asked(site) - before == once


def asked(site: Site) -> Counter[str]:
    """What Argo CD was asked about the Application, as its server's log has it; nothing where nobody can read that."""
    log = Path(site.cluster.kubeconfig).parent / "argocd-server.log"
    if not log.exists():
        return Counter()
    lines = [json.loads(line) for line in log.read_text().splitlines() if f'"{site.application}"' in line]
    return Counter(one["msg"].rpartition("/")[2] for one in lines if one["msg"].startswith("received "))


def test_a_clickhouse_job_with_an_image_of_localized_files_migrates_and_is_proved(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, job = "audit-service", "audit-service-migrate"
    with example(cluster, tmp_path, service) as site:
        for name, value in site.variables.items():
            monkeypatch.setenv(name, value)
        done = site.monorepo.fine(f"deploy:{service}@dev")
        assert f"verified: {len(site.files())} versions of" in done.stderr
        assert "goose: successfully migrated database" in site.log(site.pods(site.job())[0])
        server = Address(url=cluster.clickhouse, todo="")
        server.query("INSERT INTO audit_db.events (occurred_at, service, action) VALUES (now64(), 'shop', 'read')")
        assert server.query("SELECT service, total FROM audit_db.actions_by_day") == [["shop", 1]]
        code, held = facts(site)
        assert (code, all(held.values())) == (0, True), held
        assert [name.partition(":")[0] for name in ran(site.monorepo.fine(f"deploy:{service}@dev"))] == ["verify"]

        newest = site.files()[-1]
        server.query(
            f"ALTER TABLE audit_db.goose_db_version DELETE WHERE version_id = {newest} SETTINGS mutations_sync = 1"
        )
        code, held = facts(site)
        assert (code, [about for about, holds in held.items() if not holds]) == (1, [f"database of {service}/audit"])
        assert held[f"job of {job}"]


def test_prod_is_refused_before_dev_is_verified_and_is_released_after_it_by_a_pull_request(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, by_request = "auth-service", {"gitops": {"repository": ".", "branch": "main", "push": "pull-request"}}
    release = (f"deploy:{service}@prod", "yes=prod", "ref=CHG-123")
    with example(cluster, tmp_path, service, more={"prod": by_request}) as dev, cluster.api() as api:
        prod, mono = dev.at("prod"), dev.monorepo
        for name, value in (dev.variables | prod.variables).items():
            monkeypatch.setenv(name, value)
        dev.promoted()
        refused = mono.doit(*release)
        assert (refused.returncode, "dev has not verified" in refused.stderr) == (1, True), refused.stderr
        assert f"→ doit verify:{service}@dev" in refused.stderr
        assert (untouched(prod, api), dev.git("ls-remote", "origin", "promote/*")) == (True, "")

        mono.fine(f"deploy:{service}@dev")
        waits = mono.doit(*release)
        branch = next(word for word in waits.stderr.split() if word.startswith(f"promote/prod/{service}-m-"))
        assert (waits.returncode, f"waits for a merge: {branch} into main" in waits.stderr) == (1, True), waits.stderr
        assert untouched(prod, api)
        dev.git("fetch", "--quiet", "origin", branch)
        dev.git("merge", "--quiet", "--no-ff", "--message", "release", "FETCH_HEAD")
        dev.git("push", "--quiet", "origin", "HEAD:main")

        done = mono.fine(*release)
        assert [name for name in ran(done) if name.endswith("@prod")] == [
            f"sync:{service}@prod",
            f"verify:{service}@prod",
        ]
        assert prod.image() == dev.image()
        assert prod.versions() == dev.files()
        assert "Ref: CHG-123" in dev.git("log", "-1", "--format=%B", "FETCH_HEAD")
        again = mono.fine(*release)
        assert [name for name in ran(again) if name.endswith("@prod")] == [f"verify:{service}@prod"]


def untouched(site: Site, api: Api) -> bool:
    """Whether nothing was ever asked of an Application, and its database is as it was made."""
    found = site.now(api)
    return "operation" not in found and "operationState" not in found["status"] and not site.versions()
