"""`doit deploy@dev` of several services: side by side, one that fails stops no other, and one table at the end.

The registry, the remote and the database are real; Argo CD and the cluster are a stand-in.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.argocd_standin.controller import fails, picks_up, prints, well
from tests.argocd_standin.server import TOKEN, World
from tests.journeys.conftest import ROOT, Monorepo, ran
from tests.journeys.fleet import Fleet, fleet
from tests.journeys.wrong import LOG
from tests.playground import git
from tests.registries import Registry

LISTED = ("slow", "shop", "fast")  # as services.yaml has them
FAILS = "shop"
PATIENCE = 600  # seconds: on a fresh machine the first image waits for goose to be built


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """One deploy after another, and how many operations ran at once in the first."""

    failed: subprocess.CompletedProcess[str]
    at_once: int
    mended: subprocess.CompletedProcess[str]
    again: subprocess.CompletedProcess[str]
    without: subprocess.CompletedProcess[str]  # in an environment that leaves the Job out, which one has no more
    commits: list[str]  # that the first brought to the remote
    interrupted: str
    code: int
    deleted: list[str]  # requests of the interrupted one that would have ended an operation


@pytest.fixture(scope="module", name="walk")
def fixture_walk(
    empty_server: Monorepo, registry: Registry, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Walk]:
    with fleet(empty_server, tmp_path_factory.mktemp("many"), LISTED) as site:
        _given(site, f"{registry.host}/many")
        start = git(site.mono.root, "rev-parse", "HEAD").strip()
        most = _side_by_side(site)
        failed = _deploy(site)
        git(site.mono.root, "fetch", "--quiet")
        commits = git(site.mono.root, "log", "--format=%s", f"{start}..origin/main").splitlines()
        _ends_well(site, FAILS)
        mended = _deploy(site)
        for place in site.places.values():
            place.world.look = None
        again = _deploy(site)
        without = _without(site)
        code, interrupted = _interrupted(site)
        yield Walk(
            failed=failed,
            at_once=max(most),
            mended=mended,
            again=again,
            without=without,
            commits=commits,
            interrupted=interrupted,
            code=code,
            deleted=[line for line in site.argocd.asked if line.startswith("DELETE")],
        )


def _given(site: Fleet, images: str) -> None:
    """Images go to a real registry, so each service has a new one to release; the chart of all is in the repository."""
    file = site.mono.root / "services.yaml"
    file.write_text(file.read_text().replace(f"{site.argocd.host}/shop/", f"{images}/"))
    chart = site.mono.root / "charts" / "auth-service" / "Chart.yaml"  # what the recorded Applications render
    chart.parent.mkdir(parents=True)
    chart.write_text("apiVersion: v2\nname: auth-service\nversion: 1.0.0\n")
    git(site.mono.root, "add", "--all")
    git(site.mono.root, "commit", "--quiet", "-m", "another registry")
    git(site.mono.root, "push", "--quiet", "origin", "HEAD:main")


def _under_way(world: World, name: str) -> bool:
    return "operation" in world.applications[f"{name}-dev"]


def _side_by_side(site: Fleet) -> list[int]:
    """One fails once another runs beside it, and that one ends only after it has failed: in turn, nothing would end."""
    worlds, most = {name: place.world for name, place in site.places.items()}, [0]

    def count() -> None:
        most.append(sum(_under_way(world, name) for name, world in worlds.items()))

    def failing(world: World, name: str) -> None:
        if "operation" in world.applications[name]:
            count()
            act = fails("hook_failed", "goose run: ERROR 00002_b.sql: no") if worlds["slow"].sent else picks_up
            act(world, name)

    def slow(world: World, name: str) -> None:
        if "operation" in world.applications[name]:
            count()
            over = all(worlds[one].sent and not _under_way(worlds[one], one) for one in (FAILS, "fast"))
            (well({"slow-migrate": LOG}) if over else prints(LOG.splitlines()[0], "slow-migrate"))(world, name)

    worlds[FAILS].look, worlds["slow"].look = failing, slow
    _ends_well(site, "fast")
    return most


def _ends_well(site: Fleet, service: str) -> None:
    """Its operation goes well at once."""

    def act(world: World, name: str) -> None:
        if "operation" in world.applications[name]:
            well({f"{service}-migrate": LOG})(world, name)

    site.places[service].world.look = act


def _command(site: Fleet) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "tests.hurried", "0", "run", "deploy@dev"],
        cwd=ROOT,
        env={**site.mono.environment, **site.variables()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _deploy(site: Fleet) -> subprocess.CompletedProcess[str]:
    process = _command(site)
    try:
        out, said = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert "Traceback" not in said, said
    assert TOKEN not in out + said
    return subprocess.CompletedProcess(process.args, process.returncode, out, said)


def _without(site: Fleet) -> subprocess.CompletedProcess[str]:
    """The Job of one is gone, where neither Job nor log is required."""
    file, world = site.mono.root / "services.yaml", site.places["fast"].world
    strict, jobs = file.read_text(), dict(world.jobs)
    file.write_text(strict.replace("namespace: auth", "namespace: auth\n    require: [operation, hook, database]"))
    world.jobs.clear()
    try:
        return _deploy(site)
    finally:
        file.write_text(strict)
        world.jobs.update(jobs)


def _interrupted(site: Fleet) -> tuple[int, str]:
    """Ctrl-C while two operations run that were asked for anew, as nobody knows of the last ones any more."""
    for name in ("slow", "fast"):
        site.places[name].world.applications[f"{name}-dev"]["status"].pop("operationState")
    site.argocd.asked.clear()
    seen = dict.fromkeys(("slow", "fast"), 0)

    def watched(world: World, name: str) -> None:
        if "operation" in world.applications[name]:
            service = name.removesuffix("-dev")
            seen[service] += 1
            prints(LOG, f"{service}-migrate")(world, name)

    for name in seen:
        site.places[name].world.look = watched
    process = _command(site)
    deadline = time.monotonic() + 60
    while min(seen.values()) < 2 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    try:
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    return process.returncode, said


def rows(done: subprocess.CompletedProcess[str]) -> dict[str, list[str]]:
    """The table's rows by release, in its order."""
    _, heads, below = done.stderr.partition("\nrelease ")
    assert heads, done.stderr
    lines = [line for line in below.splitlines()[1:] if not line.startswith(" ")]
    return {cells[0]: cells[1:] for line in lines if len(cells := re.split(r"  +", line)) == 5}


def test_operations_of_several_services_run_at_once_and_a_slow_one_holds_no_fast_one(walk: Walk) -> None:
    assert walk.at_once >= 2
    said = walk.failed.stderr
    assert said.index("✓ sync:fast@dev") < said.index("✓ sync:slow@dev")


def test_one_that_fails_stops_no_other(walk: Walk) -> None:
    assert walk.failed.returncode == 1
    assert {"verify:fast@dev", "verify:slow@dev"} <= set(ran(walk.failed))
    assert "verify:shop@dev" not in ran(walk.failed)


def test_each_line_of_what_is_followed_names_its_service(walk: Walk) -> None:
    progress = [line for line in walk.failed.stderr.splitlines() if "00001_a.sql" in line and "OK" in line]
    assert progress
    assert all(re.search(r"\b(fast|slow|shop)\b", line) for line in progress), progress


def test_each_promotion_is_a_commit_on_top_of_the_other(walk: Walk) -> None:
    assert len(walk.commits) == 3
    assert all(any(name in subject for subject in walk.commits) for name in LISTED)


def test_the_table_says_how_each_came_out_why_one_failed_and_what_to_type(walk: Walk) -> None:
    table = rows(walk.failed)
    assert list(table) == ["slow@dev", "shop@dev", "fast@dev"], "in the order of services.yaml"
    assert [cells[1:] for cells in table.values()] == [
        ["done", "done", "done"],
        ["done", "failed", "not run"],
        ["done", "done", "done"],
    ]
    assert all(re.fullmatch(r"m-[0-9a-f]{16}", cells[0]) for cells in table.values())
    below = walk.failed.stderr.partition("\nshop@dev ")[2].partition("\nfast@dev ")[0]
    assert "    sync:shop@dev: " in below
    assert re.search(r"^    → .*doit ", below, re.MULTILINE)


def test_run_again_only_what_failed_is_released(walk: Walk) -> None:
    assert walk.mended.returncode == 0, walk.mended.stderr
    assert {name: cells[1:] for name, cells in rows(walk.mended).items()} == {
        "slow@dev": ["as before", "as before", "done"],
        "shop@dev": ["as before", "done", "done"],
        "fast@dev": ["as before", "as before", "done"],
    }


def test_where_all_is_true_already_the_table_says_so(walk: Walk) -> None:
    assert walk.again.returncode == 0
    assert {tuple(cells[1:]) for cells in rows(walk.again).values()} == {("as before", "as before", "done")}
    assert all(cells[0].startswith("m-") for cells in rows(walk.again).values())


def test_the_table_says_what_one_was_verified_without(walk: Walk) -> None:
    assert walk.without.returncode == 0, walk.without.stderr
    assert {name: cells[1:] for name, cells in rows(walk.without).items()} == {
        "slow@dev": ["as before", "as before", "done"],
        "shop@dev": ["as before", "as before", "done"],
        "fast@dev": ["as before", "as before", "without job, log"],
    }


def test_the_table_fits_into_a_hundred_columns(walk: Walk) -> None:
    for done in (walk.failed, walk.mended, walk.again, walk.without):
        table = done.stderr.partition("\nrelease ")[2].rpartition(" ran, ")[0].splitlines()
        assert max(map(len, table)) <= 100, table


def test_ctrl_c_detaches_from_all_of_them_and_says_how_each_goes_on(walk: Walk) -> None:
    assert walk.code == 128 + signal.SIGINT, walk.interrupted
    assert walk.interrupted.count("detached from run") == 2
    for name in ("slow", "fast"):
        assert f"→ doit sync:{name}@dev" in walk.interrupted
    assert walk.deleted == []
