"""goose for images has the bytes that the lock file names, whoever builds it, where, when and with which settings."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tools.toolchain import golang, shipped, store

NOBODY = 65534
ELSEWHERE = {
    "TZ": "Asia/Kathmandu",
    "LC_ALL": "C",
    "GOAMD64": "v3",
    "GOFLAGS": "-tags=another -trimpath=false",
    "CGO_ENABLED": "1",
    "GOEXPERIMENT": "synctest",
    "SOURCE_DATE_EPOCH": "1000000000",
}


@pytest.fixture(name="elsewhere")
def fixture_elsewhere() -> Iterator[Path]:
    """A folder that anybody can reach, unlike those of pytest."""
    folder = Path(os.path.realpath(tempfile.mkdtemp(prefix="another machine ")))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(os.environ.get("CI") != "true", reason="compiles goose from nothing, which takes minutes: CI does")
def test_somebody_else_builds_the_same_goose_from_nothing(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = golang.installed_go(print)
    network = {name: value for name, value in shipped._network(ours).items() if name in shipped.NETWORK}
    theirs = elsewhere / "programs" / "go"
    shutil.copytree(ours.parents[1], theirs, symlinks=True)
    shutil.copytree(golang.MODULE, elsewhere / "module")
    home = elsewhere / "home"
    home.mkdir()
    somebody: dict[str, Any] = {"umask": 0o077}
    if os.geteuid() == 0:
        os.chown(home, NOBODY, NOBODY)
        somebody |= {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    caches = {"HOME": str(home), "GOCACHE": str(home / "built"), "GOMODCACHE": str(home / "modules")}
    for name, value in {**network, **ELSEWHERE, **caches}.items():
        monkeypatch.setenv(name, value)

    def step(command: Sequence[str | Path], *, changes: Mapping[str, str], cwd: Path, **_: str) -> None:
        environment = store.environment() | dict(changes)
        subprocess.run(command, env=environment, cwd=cwd, check=True, **somebody)

    monkeypatch.setattr(shipped, "step", step)
    monkeypatch.setattr(shipped, "installed_go", lambda _: theirs / "bin" / "go")
    monkeypatch.setattr(shipped, "MODULE", elsewhere / "module")
    assert not (home / "built").exists(), "nothing is taken from a cache"
    shipped._compile(home / "goose", "amd64", print)
    assert sha256((home / "goose").read_bytes()).hexdigest() == shipped._known("amd64")
