"""`doit verify` with a real remote and a real database; Argo CD and the cluster are a stand-in that can lie."""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import psycopg
import pytest

from schemas import catalog_file
from schemas.errors import GanderError, NotVerified
from schemas.target import Target
from tasks.verify.run import run
from tasks.work import Outcome, Session, Work
from tests.argocd_standin.release import released
from tests.argocd_standin.server import TOKEN, Fault, World, serving
from tests.journeys.conftest import ROOT, Monorepo, copied, lend, small
from tests.playground import git, publish
from tests.tasks.promote.conftest import Said

GOOD = "-- +goose Up\nCREATE TABLE {0} (id TEXT PRIMARY KEY);\n-- +goose Down\nDROP TABLE {0};\n"
FILES = {"00001_a.sql": GOOD.format("a"), "00002_b.sql": GOOD.format("b")}
HEAD = """image: {repository: "HOST/shop/{service}"}
environments:
  dev:
    namespace: auth
    argocd: {application: "{service}-dev", server: "ARGO", token_env: SHOP_TOKEN}
    gitops: {repository: ., branch: main, push: direct}
    values: {file: "services/{service}/values.yaml", key: migrations.image}"""
DIGEST = f"sha256:{'a' * 64}"
LOG = """2026/11/23 04:56:47 OK   00001_a.sql (1.95ms)
2026/11/23 04:56:47 OK   00002_b.sql (1.95ms)
2026/11/23 04:56:47 goose: successfully migrated database to version: 2
"""
SCHEMA = json.loads((ROOT / "schemas" / "evidence.schema.json").read_text())
Change = Mapping[str, Any]


@dataclass(kw_only=True)
class Yard:
    """A monorepo whose release to dev went well, the Argo CD that says so, and dev's database."""

    mono: Monorepo
    world: World
    url: str  # of the database
    before: str = ""  # the GitOps commit before the release
    promoted: str = ""  # the one that brought it
    said: Said = field(default_factory=Said)

    @property
    def image(self) -> str:
        """What was released; its registry is the stand-in, too, and gives nothing away."""
        return f"{self.world.host}/shop/shop:m-0123456789abcdef@{DIGEST}"

    @property
    def other(self) -> str:
        """What was released before."""
        return f"{self.world.host}/shop/shop:m-fedcba9876543210@sha256:{'0' * 64}"

    @property
    def variables(self) -> dict[str, str]:
        """What a release engineer has set."""
        return {"SHOP_TOKEN": TOKEN, "SHOP_MAIN_DEV_URL": self.url}

    def well(self) -> None:
        """Have everything be as after a release that went well."""
        world = self.world
        world.faults, world.asked, world.compared, world.look = [], [], True, None
        for held in (world.applications, world.jobs, world.pods, world.logs):
            held.clear()
        released(world, "shop-dev", image=self.image, revision=self.promoted, logs={"shop-migrate": LOG})
        self.sql("DELETE FROM goose_db_version")
        self.sql("INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true), (1, true), (2, true)")

    def sql(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def verify(self, monkeypatch: pytest.MonkeyPatch, *without: str, **variables: str) -> Outcome:
        """Verify, as a run would."""
        for name, value in self.variables.items():
            monkeypatch.setenv(name, value)
        for name in without:
            monkeypatch.delenv(name)
        catalog = catalog_file.load(self.mono.root / "services.yaml", None)
        session = Session(catalog, self.said.line)
        self.said.lines.clear()
        work = Work(
            catalog=catalog,
            targets=(Target(step="verify", service="shop", environment="dev"),),
            variables=variables,
            session=session,
            progress=self.said,
            out=self.said.line,
        )
        try:
            return run(work)
        finally:
            session.close()


@pytest.fixture(scope="module", name="yard")
def fixture_yard(empty_server: Monorepo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    folder = tmp_path_factory.mktemp("verify")
    dev = lend(empty_server, small(folder / "dev", {"shop": FILES}))
    dev.fine("migrate")
    url = dev.urls()["shop/main"]
    with serving() as world:
        head = HEAD.replace("ARGO", world.url).replace("HOST", world.host)
        yard = Yard(mono=small(folder / "mono", {"shop": FILES, "idle": {}}, head), world=world, url=url)
        root = yard.mono.root
        listed = (root / "services.yaml").read_text()
        listed = listed.replace("main: {engine: postgres, name: idle}", "x: {owner: shop/main}")
        (root / "services.yaml").write_text(listed.replace("name: shop}", "name: {dev: shop_main}}"))
        values = root / "services" / "shop" / "values.yaml"
        values.write_text(f"migrations:\n  image: {yard.other}\n")
        (root / ".gitignore").write_text(".state/\n")
        publish(root, folder / "remote")
        yard.before = git(root, "rev-parse", "HEAD").strip()
        values.write_text(f"migrations:\n  image: {yard.image}\n")
        git(root, "commit", "--quiet", "-am", f"chore(shop): promote\n\nImage: {yard.image}\nCommit: {yard.before}")
        git(root, "push", "--quiet")
        yard.promoted = git(root, "rev-parse", "HEAD").strip()
        yield yard
    dev.stop()


@pytest.fixture(autouse=True)
def _well(yard: Yard) -> None:
    yard.well()


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


def test_a_service_that_owns_no_database_has_nothing_to_verify(yard: Yard) -> None:
    done = yard.mono.fine("verify:idle@dev", **yard.variables)
    assert "no database of its own, so nothing to verify" in done.stderr
    assert yard.world.asked == []


@pytest.mark.parametrize("words", [("-s",), ("--continue",), ("-a",)])
def test_no_flag_of_doit_verifies(yard: Yard, words: tuple[str, ...]) -> None:
    yard.sql("DELETE FROM goose_db_version WHERE version_id = 2")
    done = yard.mono.doit("run", *words, "verify:shop@dev", **yard.variables)
    assert done.returncode == 1
    assert "failed: the database is behind the release. it lacks 00002_b.sql" in done.stderr


def test_a_state_of_another_machine_verifies_nothing(yard: Yard, tmp_path: Path) -> None:
    yard.mono.fine("verify:shop@dev", **yard.variables)
    copy = copied(yard.mono, tmp_path / "copy")
    assert (copy.state / "state.db").exists()
    del yard.world.applications["shop-dev"]
    done = copy.doit("verify:shop@dev", **yard.variables)
    assert done.returncode == 1
    assert "not proved: Argo CD was not heard." in done.stderr
    assert copy.doit("ignore", "verify:shop@dev").returncode != 0


@pytest.mark.parametrize(
    ("lacking", "says"),
    [
        ("SHOP_TOKEN", r"SHOP_TOKEN is not set"),
        ("SHOP_MAIN_DEV_URL", "not proved: the database was not checked. SHOP_MAIN_DEV_URL is not set"),
    ],
)
def test_without_a_token_or_a_url_nothing_is_verified(yard: Yard, lacking: str, says: str, tmp_path: Path) -> None:
    variables = {**yard.variables, "HOME": str(tmp_path)}
    del variables[lacking]
    done = yard.mono.doit("verify:shop@dev", **variables)
    assert done.returncode == 1
    assert says in done.stderr


# Each of the five facts missing, stale or wrong, as Argo CD, the cluster and the database themselves would have it.
def operation_missing(yard: Yard) -> None:
    yard.world.faults.append(Fault(status=404, on="GET applications/shop-dev", times=1))


def operation_stale(yard: Yard) -> None:
    state = yard.world.state("shop-dev")
    state["operation"]["sync"]["revision"] = state["syncResult"]["revision"] = yard.before


def operation_wrong(yard: Yard) -> None:
    yard.world.state("shop-dev")["operation"]["info"] = []


def _rows(yard: Yard) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = yard.world.state("shop-dev")["syncResult"]["resources"]
    return rows


def hook_missing(yard: Yard) -> None:
    _rows(yard)[:] = [row for row in _rows(yard) if row["kind"] != "Job"]


def hook_stale(yard: Yard) -> None:
    for row in _rows(yard):
        row["images"] = [yard.other]


def hook_wrong(yard: Yard) -> None:
    for row in _rows(yard):
        row["message"] = "Deleted"


def job_missing(yard: Yard) -> None:
    yard.world.jobs.clear()


def job_stale(yard: Yard) -> None:
    yard.world.jobs["shop-migrate"]["metadata"]["creationTimestamp"] = "2026-11-23T04:00:00Z"


def job_wrong(yard: Yard) -> None:
    for one in yard.world.pods.values():
        one["status"]["containerStatuses"][0]["imageID"] = f"{yard.world.host}/shop/shop@sha256:{'c' * 64}"


def log_missing(yard: Yard) -> None:
    yard.world.logs.clear()


def log_stale(yard: Yard) -> None:
    for pod in yard.world.logs:
        yard.world.logs[pod] = "2026/11/23 04:00:00 goose: no migrations to run. current version: 1"


def log_wrong(yard: Yard) -> None:
    for pod in yard.world.logs:
        yard.world.logs[pod] = "2026/11/23 04:56:47 goose run: ERROR 00002_b.sql: failed to run SQL migration"


def database_missing(yard: Yard) -> None:
    """Its variable is not set: see `matrix`."""
    assert yard.url


def database_stale(yard: Yard) -> None:
    yard.sql("DELETE FROM goose_db_version WHERE version_id = 2")


def database_wrong(yard: Yard) -> None:
    yard.sql("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, true)")


WRONG = (
    *(operation_missing, operation_stale, operation_wrong, hook_missing, hook_stale, hook_wrong),
    *(job_missing, job_stale, job_wrong, log_missing, log_stale, log_wrong),
    *(database_missing, database_stale, database_wrong),
)
ONE_OR_TWO = [(one,) for one in WRONG] + [
    both
    for both in itertools.combinations(WRONG, 2)
    if both[0].__name__.split("_")[0] != both[1].__name__.split("_")[0]
]


@pytest.mark.parametrize("changes", ONE_OR_TWO, ids=lambda some: "-".join(one.__name__ for one in some))
def test_facts_that_do_not_hold_never_make_a_verified_release(
    yard: Yard, changes: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for change in changes:
        change(yard)
    without = ("SHOP_MAIN_DEV_URL",) if database_missing in changes else ()
    with pytest.raises(NotVerified):
        yard.verify(monkeypatch, *without, format="json")
    document = json.loads(yard.said.lines[-1])
    jsonschema.validate(document, SCHEMA)
    assert document["verified"] is False
    wanted = {change.__name__.split("_")[0] for change in changes}
    assert wanted <= {one["fact"] for one in document["facts"] if one["holds"] is not True}


def test_the_matrix_is_whole() -> None:
    assert len(ONE_OR_TWO) == 15 + 90


def test_without_any_change_the_matrix_would_verify(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    assert yard.verify(monkeypatch).summary.startswith("verified: 2 versions")


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


@pytest.mark.parametrize("hours", [-1, 1, 24 * 365])
def test_the_clock_of_this_machine_changes_nothing(yard: Yard, hours: int, monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Clock:
            return cls.fromtimestamp(time.time() + hours * 3600, tz)

    for module in ("gather", "run"):
        monkeypatch.setattr(f"tasks.verify.{module}.datetime", Clock)
    assert yard.verify(monkeypatch).summary.startswith("verified")
    job_stale(yard)
    with pytest.raises(NotVerified):
        yard.verify(monkeypatch)


def vanished(yard: Yard) -> None:
    del yard.world.applications["shop-dev"]["status"]["operationState"]


def overtaken(yard: Yard) -> None:
    state = yard.world.state("shop-dev")
    state["operation"] |= {"info": [], "initiatedBy": {"username": "mallory"}}


def controller_gone(yard: Yard) -> None:
    """A request was taken, and the last state is gone with it; nobody goes on."""
    yard.world.synced("shop-dev", {"revision": yard.promoted, "infos": [{"name": "gander-run", "value": "run-2"}]})


def controller_stopped(yard: Yard) -> None:
    yard.world.state("shop-dev")["phase"] = "Running"


def hook_skipped(yard: Yard) -> None:
    """argo-cd 25475: the operation counts the Job of the one before as its own."""
    state = yard.world.state("shop-dev")
    state["startedAt"], state["finishedAt"] = "2026-11-23T04:56:50Z", "2026-11-23T04:56:52Z"


def hook_lost(yard: Yard) -> None:
    hook_missing(yard)


def evicted(yard: Yard) -> None:
    state = yard.world.state("shop-dev")
    state["phase"] = "Failed"
    for row in _rows(yard):
        row["hookPhase"] = "Failed"
    for one in yard.world.pods.values():
        one["status"] |= {"phase": "Failed", "reason": "Evicted"}


def clock_of_the_cluster(yard: Yard) -> None:
    state = yard.world.state("shop-dev")
    state["startedAt"], state["finishedAt"] = "2026-11-23T05:56:45Z", "2026-11-23T05:56:49Z"


def terminated(yard: Yard) -> None:
    state = yard.world.state("shop-dev")
    state["phase"], state["message"] = "Failed", "Operation terminated"
    hook_wrong(yard)
    job_missing(yard)


def another_namespace(yard: Yard) -> None:
    for row in _rows(yard):
        row["namespace"] = "elsewhere"


def two_pods_and_the_last_failed(yard: Yard) -> None:
    (name,) = yard.world.pods
    again = deepcopy(yard.world.pods[name])
    again["metadata"] |= {"name": "shop-migrate-2", "creationTimestamp": "2026-11-23T04:56:48Z"}
    again["status"]["phase"] = "Failed"
    again["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] = 1
    yard.world.pods["shop-migrate-2"] = again
    yard.world.logs["shop-migrate-2"] = "2026/11/23 04:56:49 goose run: failed to connect"


LIES = {
    vanished: "never-synced",
    overtaken: "foreign",
    controller_gone: "not-taken",
    controller_stopped: "inconsistent",
    hook_skipped: "stale-job",
    hook_lost: "hook-missing",
    job_stale: "stale-job",
    job_wrong: "wrong-image",
    job_missing: "job-gone",
    evicted: "evicted",
    terminated: "terminated",
    log_missing: "log-gone",
    log_wrong: "log-error",
    clock_of_the_cluster: "stale-job",
    another_namespace: "hook-missing",
    two_pods_and_the_last_failed: "log-error",
}


@pytest.mark.parametrize(("lie", "kind"), LIES.items(), ids=[one.__name__ for one in LIES])
def test_a_cluster_that_lies_gets_the_verdict_that_fits(
    yard: Yard, lie: Any, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lie(yard)
    with pytest.raises(NotVerified):
        yard.verify(monkeypatch, format="json")
    assert json.loads(yard.said.lines[-1])["verdict"] == kind


@pytest.mark.parametrize("change", WRONG, ids=lambda one: one.__name__)
def test_the_command_itself_calls_nothing_verified_that_is_not(yard: Yard, change: Any) -> None:
    change(yard)
    variables = yard.variables
    if change is database_missing:
        del variables["SHOP_MAIN_DEV_URL"]
    done = yard.mono.doit("verify:shop@dev", **variables)
    assert done.returncode == 1
    assert re.search(r"^  (not proved|failed)", done.stderr, re.MULTILINE)
    assert "verified:" not in done.stderr
    assert "0 ran, 0 up to date, 1 failed" in done.stderr
    assert TOKEN not in done.stdout + done.stderr


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


def test_the_history_tells_releases_with_what_they_hold_and_what_was_verified(yard: Yard, tmp_path: Path) -> None:
    status = yard.world.applications["shop-dev"]["status"]
    (deployed,) = status["history"]
    begun = yard.world.state("shop-dev")["startedAt"]
    older = {
        **deployed,
        "revision": yard.before,
        "deployedAt": "2026-11-22T04:56:48Z",
        "initiatedBy": {"automated": True},
    }
    lost = {**deployed, "revision": "0" * 40, "deployedAt": "2026-11-21T04:56:48Z"}
    status["history"] = [lost, older, deployed | {"revision": yard.promoted, "deployStartedAt": begun}]
    yard.mono.fine("verify:shop@dev", f"evidence={tmp_path}/kept", **yard.variables)
    (tmp_path / "kept" / "other.json").write_text("[]")
    done = yard.mono.fine("history:shop@dev", f"evidence={tmp_path}/kept", **yard.variables)
    head, first, what, proof, second, before, third, unknown = done.stdout.splitlines()
    assert head == "shop@dev"
    assert first == f"  2026-11-23 04:56:48  deployer  {yard.promoted[:12]}"
    assert what == f"    m-0123456789abcdef, of {yard.before[:12]}, main to 2"
    assert proof.startswith("    verified, 20")
    assert second == f"  2026-11-22 04:56:48  automated sync  {yard.before[:12]}"
    assert before == "    m-fedcba9876543210"
    assert third == "  2026-11-21 04:56:48  deployer  000000000000"
    assert unknown == "    origin/main has no such commit"
    assert "other.json is no evidence of an operation, and passed over" in done.stderr


def test_a_history_that_cannot_be_asked_for_is_told_for_that_service_alone(yard: Yard) -> None:
    yard.world.faults.append(Fault(status=401))
    done = yard.mono.doit("history:shop@dev", **yard.variables)
    assert done.returncode == 1
    assert "does not take the token of SHOP_TOKEN" in done.stdout


def test_no_secret_is_written_or_shown_anywhere(yard: Yard, tmp_path: Path) -> None:
    shown = []
    for words in (("verify:shop@dev",), ("verify:shop@dev", "format=json"), ("logs:shop@dev",), ("history:shop@dev",)):
        done = yard.mono.doit(
            *words, *((f"evidence={tmp_path}/kept",) if "verify" in words[0] else ()), **yard.variables
        )
        shown.append(done.stdout + done.stderr)
    yard.world.faults.append(Fault(status=500, body=f'{{"message": "echo {TOKEN}"}}'.encode()))
    done = yard.mono.doit("verify:shop@dev", **yard.variables)
    assert done.returncode == 1
    shown.append(done.stdout + done.stderr)
    files = [file for folder in (yard.mono.root, tmp_path) for file in folder.rglob("*") if file.is_file()]
    assert any(file.name == "state.db" for file in files)
    password = urlsplit(yard.url).password
    assert password
    for secret in (TOKEN, password):
        assert not [text for text in shown if secret in text]
        assert not [file for file in files if secret.encode() in file.read_bytes()]


FAULTS: dict[str, tuple[Fault, bool]] = {  # and whether a repeat gets over it
    "connection reset": (Fault(reset=True, times=1), True),
    "connection always reset": (Fault(reset=True), False),
    "401": (Fault(status=401), False),
    "403": (Fault(status=403), False),
    "409": (Fault(status=409), False),
    "429 once": (Fault(status=429, times=1), True),
    "500 once": (Fault(status=500, times=1), True),
    "503": (Fault(status=503), False),
    "truncated JSON": (Fault(cut=40), False),
    "a login page": (Fault(status=200, body=b"<html>"), False),
    "an empty object": (Fault(status=200, body=b"{}"), False),
}
PLACES = ("GET applications/shop-dev", "/resource-tree", "/resource", "/logs")


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("name", FAULTS)
def test_an_argo_cd_that_answers_badly_is_got_over_or_verifies_nothing(
    yard: Yard, name: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.argocd.door._delay", lambda *_: 0.0)
    fault, over = deepcopy(FAULTS[name])
    fault.on = where
    yard.world.faults.append(fault)
    if over:
        assert yard.verify(monkeypatch).summary.startswith("verified")
        return
    with pytest.raises(GanderError) as caught:
        yard.verify(monkeypatch)
    assert TOKEN not in str(caught.value) + "".join(yard.said.lines)


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
