"""`doit logs`: all pods of a release's Jobs, as Argo CD gives them; a stand-in plays it."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest

from tests.argocd_standin.release import released
from tests.argocd_standin.server import TOKEN, Fault, World, serving
from tests.journeys.conftest import Monorepo, small

HEAD = """environments:
  dev:
    namespace: auth
    argocd: {application: "{service}-dev", server: "ARGO", token_env: SHOP_TOKEN}
  bare: {}"""
FILES = {"1_a.sql": "-- +goose Up\nSELECT 1;\n"}
IMAGE = f"registry.example.com/shop/shop:m-0123456789abcdef@sha256:{'a' * 64}"
LOG = """2026/11/23 04:56:47 OK   1_a.sql (1.95ms)
2026/11/23 04:56:47 goose: successfully migrated database to version: 1"""


@pytest.fixture(name="world")
def fixture_world() -> Iterator[World]:
    with serving() as world:
        released(world, "shop-dev", image=IMAGE, revision="0" * 40, logs={"shop-migrate": LOG})
        yield world


@pytest.fixture(name="mono")
def fixture_mono(world: World, tmp_path: Path) -> Monorepo:
    return small(tmp_path / "mono", {"shop": FILES, "cart": FILES}, HEAD.replace("ARGO", world.url))


def test_the_log_is_shown_whole_with_what_goose_did(mono: Monorepo) -> None:
    done = mono.fine("logs:shop@dev", SHOP_TOKEN=TOKEN)
    first, job, pod, told, *lines = done.stdout.splitlines()
    assert first == "shop@dev"
    assert job == "  shop/main: Job auth/shop-migrate, complete, made 2026-11-23 04:56:46 UTC"
    assert pod == "    pod shop-migrate-xrun-1, Succeeded on 127.0.0.1"
    assert told == "      migrate: 1 file applied to 1"
    assert [line.strip() for line in lines] == LOG.splitlines()


def test_the_password_of_a_url_that_goose_could_not_read_is_not_shown(mono: Monorepo, world: World) -> None:
    world.logs["shop-migrate-xrun-1"] = 'goose run: parse "http://u:s3c/t@h:8123/db": invalid port ":s3c" after host'
    shown = mono.fine("logs:shop@dev", SHOP_TOKEN=TOKEN).stdout
    assert 'goose run: parse "http://…@h:8123/db": invalid port ":…" after host' in shown


def test_of_several_tries_the_oldest_comes_first(mono: Monorepo, world: World) -> None:
    earlier = deepcopy(world.pods["shop-migrate-xrun-1"])
    earlier["metadata"] |= {"name": "shop-migrate-zzz", "creationTimestamp": "2026-11-23T04:56:45Z"}
    earlier["status"]["phase"] = "Failed"
    world.pods["shop-migrate-zzz"] = earlier
    world.logs["shop-migrate-zzz"] = "2026/11/23 04:56:46 goose run: ERROR 1_a.sql: failed to run SQL migration"
    shown = mono.fine("logs:shop@dev", SHOP_TOKEN=TOKEN).stdout
    assert shown.index("shop-migrate-zzz, Failed") < shown.index("failed in 1_a.sql") < shown.index("1 file applied")


def test_a_pod_that_does_not_begin_says_why(mono: Monorepo, world: World) -> None:
    status = world.pods["shop-migrate-xrun-1"]["status"]
    status["phase"] = "Pending"
    waiting = {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}
    status["containerStatuses"][0]["state"] = {"waiting": waiting}
    shown = mono.fine("logs:shop@dev", SHOP_TOKEN=TOKEN).stdout
    assert "migrate has not begun: ImagePullBackOff Back-off pulling image" in shown
    world.pods["shop-migrate-xrun-1"]["spec"]["initContainers"] = [{"name": "wait"}, {"name": "done"}]
    status["initContainerStatuses"] = [
        {"name": "wait", "state": {"waiting": waiting}},
        {"name": "done", "state": {"terminated": {"exitCode": 0, "startedAt": "2026-11-23T04:56:46Z"}}},
    ]
    shown = mono.fine("logs:shop@dev", SHOP_TOKEN=TOKEN).stdout
    assert "wait has not begun: ImagePullBackOff Back-off pulling image" in shown
    assert "done" not in shown


def test_what_is_not_there_is_said_and_the_others_are_shown(mono: Monorepo, world: World) -> None:
    done = mono.doit("logs@dev", SHOP_TOKEN=TOKEN)
    assert done.returncode == 1
    assert "cart@dev\n  127.0.0.1" in done.stdout
    assert "does not allow it, or has no" in done.stdout
    assert "1 file applied to 1" in done.stdout
    world.jobs.clear()
    gone = mono.doit("logs:shop@dev", SHOP_TOKEN=TOKEN)
    assert gone.returncode == 1
    assert "Job auth/shop-migrate: not there" in gone.stdout


def test_an_environment_without_argo_cd_and_a_broken_answer_end_with_a_way_out(mono: Monorepo, world: World) -> None:
    bare = mono.doit("logs:shop@bare")
    assert bare.returncode == 1
    assert "`bare` has no `argocd:`" in bare.stdout
    world.faults.append(Fault(status=401))
    done = mono.doit("logs:shop@dev", SHOP_TOKEN=TOKEN)
    assert done.returncode == 1
    assert "renew it: export SHOP_TOKEN=TOKEN" in done.stdout
    assert TOKEN not in done.stdout + done.stderr
