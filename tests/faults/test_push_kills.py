"""kill -9 while an image is pushed: no tag that is half made, and the next run pushes the whole of it."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from tests import registries
from tests.faults.monorepo import Monorepo, clean
from tests.faults.relay import Relay, relay
from tests.faults.steps import TABLE, quiet
from tests.playground import publish

WORD = "image:ant-service"
PARTS = (0.0, 0.3, 0.6, 0.9)  # of what a push sends


def named(root: Path, repository: str) -> None:
    """Have services.yaml name that repository."""
    document = {
        "version": 1,
        "image": {"repository": repository, "platforms": ["linux/amd64"]},
        "services": {"ant-service": {"databases": {"ant": {"engine": "postgres", "name": "ant"}}}},
    }
    (root / "services.yaml").write_text(json.dumps(document))


def killed(monorepo: Monorepo, before: Relay, at: int | bytes) -> None:
    """Push, and be killed there: after so many bytes, or before these."""
    run = monorepo.start(WORD)
    before.until(at, run.process.kill)
    assert run.end().code == -signal.SIGKILL, run.said()
    quiet(monorepo)


def test_a_push_that_is_killed_leaves_no_tag_and_the_next_one_is_whole(tmp_path: Path) -> None:
    root = tmp_path / "monorepo"
    folder = root / "services" / "ant-service" / "migrations"
    folder.mkdir(parents=True)
    (folder / "20260101000001_a.sql").write_text(TABLE.format("a"))
    (root / ".gitignore").write_text(".state/\n")
    ours = Monorepo(root=root)
    with registries.registry(tmp_path / "registry") as registry, relay(registry.host) as before:
        named(root, f"{before.host}/whole/{{service}}")
        publish(root, tmp_path / "remote")
        assert ours.doit(WORD).code == 0
        (tag,) = registry.tags("whole/ant-service")
        moments: list[int | bytes] = [int(before.passed * part) + 1 for part in PARTS]
        moments.append(f"/manifests/{tag} ".encode())
        for number, moment in enumerate(moments):
            repository = f"round{number}/ant-service"
            named(root, f"{before.host}/round{number}/{{service}}")
            killed(ours, before, b"PUT /v2/" + repository.encode() + moment if isinstance(moment, bytes) else moment)
            assert registry.tags(repository) == [], moment
            second = ours.doit(WORD)
            clean(second)
            assert second.code == 0, second.err
            assert "pushed as" in second.err
            assert registry.tags(repository) == [tag]
            assert "0 ran, 1 up to date" in ours.doit("-s", WORD).err
