"""kill -9 at each moment of `promote`: nothing of the user's is changed, nothing is left, and the next run finishes."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import registries
from tests.faults.monorepo import Monorepo, clean
from tests.faults.steps import TABLE, nothing_left, quiet
from tests.playground import git, publish

WORD = "promote:ant-service@dev"
VALUES = 'migrations:\n  image: ""   # promoted\n'
FILE = "services/ant-service/values.yaml"
MOMENTS = (
    r"^opened \.state/promote/content",
    r"^started git hash-object ",
    r"^started git .* read-tree ",
    r"^started git .* update-index ",
    r"^started git .* commit-tree ",
    r"^start git push ",
    r"^started git push ",
)


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monorepo]:
    """A monorepo whose image is in a registry, and whose remote is a folder."""
    folder = tmp_path_factory.mktemp("promote")
    root, remote = folder / "monorepo", folder / "remote"
    (root / "services" / "ant-service" / "migrations").mkdir(parents=True)
    (root / "services" / "ant-service" / "migrations" / "20260101000001_a.sql").write_text(TABLE.format("a"))
    (root / FILE).write_text(VALUES)
    (root / ".gitignore").write_text(".state/\n")
    with registries.registry(folder / "registry") as registry:
        entry = {"databases": {"ant": {"engine": "postgres", "name": "ant"}}}
        dev = {
            "gitops": {"repository": ".", "branch": "main", "push": "direct"},
            "values": {"file": "services/{service}/values.yaml", "key": "migrations.image"},
        }
        document = {
            "version": 1,
            "image": {"repository": f"{registry.host}/{{service}}", "platforms": ["linux/amd64"]},
            "environments": {"dev": dev},
            "services": {"ant-service": entry},
        }
        (root / "services.yaml").write_text(json.dumps(document))
        publish(root, remote)
        (root / FILE).write_text("mine: true\n")
        one = Monorepo(root=root)
        assert one.doit("image:ant-service").code == 0
        yield one


def mine(root: Path) -> tuple[str, ...]:
    """What is the user's own."""
    asked = (("status", "--porcelain"), ("diff", "HEAD"), ("for-each-ref", "refs/heads"), ("worktree", "list"))
    return ((root / ".git" / "HEAD").read_text(), *(git(root, *words) for words in asked))


def test_a_release_is_written_down_whole_or_not_at_all(ours: Monorepo) -> None:
    remote = ours.root.parent / "remote"
    first, before = git(remote, "rev-parse", "main").strip(), mine(ours.root)
    for moment in MOMENTS:
        git(remote, "update-ref", "refs/heads/main", first)
        run = ours.doomed(moment, 1, WORD)
        assert run.code == -signal.SIGKILL, f"{moment}\n{run.err}"
        quiet(ours)
        assert git(remote, "show", f"main:{FILE}") == VALUES or moment == MOMENTS[-1]
        second = ours.doit(WORD)
        clean(second)
        assert second.code == 0, f"{moment}\nfirst:\n{run.err}\nsecond:\n{second.err}"
        assert int(git(remote, "rev-list", "--count", "main")) == 2
        assert git(remote, "diff", "--name-only", first, "main").split() == [FILE]
        assert mine(ours.root) == before
        assert list((ours.root / ".state" / "promote").glob("*")) == []
        nothing_left(ours)
