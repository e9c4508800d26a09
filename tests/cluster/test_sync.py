"""`doit sync` against a real Argo CD: a release as its engineer types it, and what a cluster does to one."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psycopg
import pytest

from tests.cluster.site import Site
from tests.journeys.conftest import ROOT, Monorepo

SERVICE = "auth-service"
TARGET = f"sync:{SERVICE}@dev"
NOWHERE = f"@sha256:{'0' * 64}"
NICKNAME = """SET LOCAL lock_timeout = '2min';
SET LOCAL statement_timeout = '3min';
ALTER TABLE users ADD COLUMN nickname TEXT;

-- +goose Down
SET LOCAL lock_timeout = '2min';
SET LOCAL statement_timeout = '3min';
ALTER TABLE users DROP COLUMN nickname;"""
RUNS = re.compile(r"; pod Running \(")


@pytest.fixture(name="mono")
def fixture_mono(site: Site, mono: Monorepo) -> Monorepo:
    site.promoted()
    return mono


def failed(mono: Monorepo, *words: str) -> str:
    """What a sync says that must not end well."""
    done = mono.doit(TARGET, *words)
    assert done.returncode == 1, done.stderr
    return done.stderr


def typing(mono: Monorepo, *words: str) -> subprocess.Popen[str]:
    """A command that has been typed, and runs."""
    return subprocess.Popen(
        mono.command(*words),
        cwd=ROOT,
        env=mono.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_release_is_rolled_out_and_verified_and_then_nothing_runs(site: Site, mono: Monorepo) -> None:
    done = mono.fine(TARGET)
    commit = site.git("rev-parse", "HEAD")
    assert f"{site.application} is at {commit[:12]}" in done.stderr
    assert f"  {SERVICE}-migrate: 2" in done.stderr
    assert site.cluster.deployer not in done.stderr
    assert site.versions()
    assert "0 ran, 1 up to date, 0 failed" in mono.fine(TARGET).stderr
    mono.fine(f"verify:{SERVICE}@dev")
    (mono.root / "README.md").write_text("of another service\n")
    site.save("docs: of another service")
    assert "0 ran, 1 up to date, 0 failed" in mono.fine(TARGET).stderr
    site.valued("chore: of this one", note="changed")
    assert "1 ran, 0 up to date, 0 failed" in mono.fine(TARGET).stderr


@contextmanager
def quota(site: Site, name: str, hard: str) -> Iterator[None]:
    """The namespace takes no more than that."""
    space = f"--namespace={site.namespace}"
    site.cluster.kubectl("create", "quota", name, f"--hard={hard}", space)
    try:
        yield
    finally:
        site.cluster.kubectl("delete", "quota", name, space)


def test_a_job_whose_pods_a_quota_refuses_ends_early_and_nothing_of_it_runs(site: Site, mono: Monorepo) -> None:
    with quota(site, "none", "pods=0"):
        site.valued("chore: again", note="quota")
        said = failed(mono)
    assert "the pod of the migration does not start" in said
    assert "exceeded quota: none" in said
    assert "it was ended, and nothing of it runs" in said
    with site.cluster.api() as api:
        assert "operation" not in site.now(api)
    mono.fine(TARGET)


def test_a_job_that_the_cluster_refuses_itself_is_told_as_one_that_never_ran(site: Site, mono: Monorepo) -> None:
    with quota(site, "jobs", "count/jobs.batch=0"):
        site.valued("chore: again", note="quota on Jobs")
        said = failed(mono)
    assert "failed before any migration: " in said
    assert f"{SERVICE}-migrate: " in said
    assert "exceeded quota: jobs" in said
    assert "safe: everything: the databases are untouched" in said
    mono.fine(TARGET)


def test_a_secret_that_is_not_there_ends_early(site: Site, mono: Monorepo) -> None:
    space, name = f"--namespace={site.namespace}", f"{SERVICE}-databases"
    held = site.cluster.read("secret", name, space)
    site.cluster.kubectl("delete", "secret", name, space)
    try:
        site.valued("chore: again", note="secret")
        said = failed(mono)
    finally:
        kept = {key: held[key] for key in ("apiVersion", "kind", "data")} | {"metadata": {"name": name}}
        site.cluster.kubectl("create", space, "-f=-", given=kept)
    assert "CreateContainerConfigError" in said
    assert "it was ended, and nothing of it runs" in said
    mono.fine(TARGET)


def test_a_closed_sync_window_is_told_with_its_time(site: Site, mono: Monorepo) -> None:
    window = {"kind": "deny", "schedule": "* * * * *", "duration": "1h", "namespaces": [site.namespace]}
    patched = ("patch", "appproject", "default", "--namespace=argocd", "--type=merge", "--patch")
    site.cluster.kubectl(*patched, json.dumps({"spec": {"syncWindows": [window]}}))
    try:
        site.valued("chore: again", note="window")
        said = failed(mono)
    finally:
        site.cluster.kubectl(*patched, json.dumps({"spec": {"syncWindows": None}}))
    assert "a sync window keeps" in said
    assert "closed from `* * * * *` on, for 1h" in said
    mono.fine(TARGET)


def test_a_migration_that_runs_outlives_ctrl_c_and_the_next_run_takes_it_up(site: Site, mono: Monorepo) -> None:
    site.valued("chore: again", note="ctrl-c")
    with psycopg.connect(site.url) as connection:
        connection.execute("LOCK TABLE goose_db_version IN ACCESS EXCLUSIVE MODE")
        begun = typing(mono, TARGET)
        assert begun.stderr is not None
        try:
            seen = next(filter(RUNS.search, iter(begun.stderr.readline, "")), "")
        finally:
            begun.send_signal(signal.SIGINT)
            _, said = begun.communicate(timeout=60)
        assert seen
        assert begun.returncode == 128 + signal.SIGINT, said
        assert f"→ doit {TARGET}" in said
        uid = site.job()["metadata"]["uid"]
        assert connection.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchall()
    done = mono.fine(TARGET)
    assert site.job()["metadata"]["uid"] == uid
    assert "taking up run" in done.stderr or "0 ran, 1 up to date" in done.stderr


def test_a_release_whose_image_is_lost_and_whose_time_is_up_gets_through_behind_a_colleague(
    site: Site, mono: Monorepo
) -> None:
    before, promoted = site.versions(), site.image()
    site.valued("chore: by hand", image=promoted.partition("@")[0] + NOWHERE)
    assert "nobody knows which migrations" in failed(mono)
    site.valued("chore: back again", image=promoted)
    new = mono.write(SERVICE, "20991231000000_add_nickname_to_users.sql", NICKNAME)
    site.save("feat(auth-service): nicknames")
    site.promoted()
    lost(site.image())
    said = failed(mono)
    assert "the pod of the migration does not start" in said
    assert re.search("ErrImagePull|ImagePullBackOff", said), said
    assert "it was ended, and nothing of it runs" in said

    mono.fine(f"image:{SERVICE}")
    site.valued("chore: in a hurry", deadlineSeconds=4)
    with psycopg.connect(site.url) as connection:
        connection.execute("SELECT FROM users")  # a reader that does not end keeps the migration waiting
        said = failed(mono)
        assert "failed: the migration Job failed. Job was active longer than specified deadline" in said
        assert "true: the application was not rolled out" in said
        assert site.versions() == before

        revision = site.valued("chore: time enough", deadlineSeconds=None)
        with site.cluster.api(site.cluster.token) as colleague:
            asked = {"revision": revision, "strategy": {"hook": {}}}
            assert colleague.post(f"/applications/{site.application}/sync", json=asked).status_code == 200
        begun = typing(mono, f"deploy:{SERVICE}@dev")
        assert begun.stderr is not None
        assert next(filter(re.compile("waiting for an operation of admin").search, begun.stderr), "")
    _, said = begun.communicate(timeout=120)
    assert begun.returncode == 0, said
    assert f"verified: {len(before) + 1} versions of" in said
    assert site.versions() == [*before, int(new.name.partition("_")[0])]


def lost(image: str) -> None:
    """Take an image from its registry, as a clean-up does."""
    host, _, rest = image.partition("/")
    name, digest = rest.partition(":")[0], image.partition("@")[2]
    assert httpx.delete(f"http://{host}/v2/{name}/manifests/{digest}", trust_env=False).status_code == 202


def test_a_hook_that_the_chart_has_lost_is_no_success(site: Site, mono: Monorepo) -> None:
    chart = mono.root / "charts" / "service-base" / "templates" / "_migration-job.tpl"
    whole = chart.read_text()
    chart.write_text("".join(line for line in whole.splitlines(keepends=True) if "argocd.argoproj.io/hook" not in line))
    site.save("refactor: a plainer chart")
    said, linted = failed(mono), mono.doit(f"lint:{SERVICE}")
    chart.write_text(whole)
    site.save("fix: the hook again")
    assert "failed: the operation succeeded without the migration Job" in said
    assert f"→ look at the chart: doit lint:{SERVICE}" in said
    assert (linted.returncode, "AR02" in linted.stdout) == (1, True), linted.stdout
    mono.fine(TARGET)


def test_automated_sync_is_refused(site: Site, mono: Monorepo) -> None:
    patched = ("patch", "application", site.application, "--namespace=argocd", "--type=merge", "--patch")
    site.cluster.kubectl(*patched, json.dumps({"spec": {"syncPolicy": {"automated": {"enabled": True}}}}))
    try:
        assert "has automated sync on" in failed(mono)
    finally:
        site.cluster.kubectl(*patched, json.dumps({"spec": {"syncPolicy": {"automated": None}}}))
        with site.cluster.api() as api:
            site.idle(api)
