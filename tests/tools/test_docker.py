"""Docker's door, before a real daemon: what runs is seen, ends in its time, and is gone afterwards."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker import APIClient
from docker.context import ContextAPI

from pipelines.ending import stop_programs
from schemas.errors import Refused, ToolError, ToolTimeout
from tools import docker, oci, shell
from tools.docker import Docker, Mount
from tools.oci.archive import archive
from tools.toolchain import programs

NAME = "registry.example.com/tests/shell:m-1"
SETTINGS = {"User": "65532:65532", "Entrypoint": ["/bin/sh", "-c"], "Cmd": ["echo hello"], "Labels": {"of": "tests"}}
MACHINE = [Mount(source=Path(name), target=name) for name in ("/bin", "/usr", "/lib", "/lib64") if Path(name).exists()]
ROOT = Path(__file__).parents[2]


@pytest.fixture(name="opened")
def fixture_opened(host: str) -> Iterator[Docker]:
    """A connection to a daemon that has an image with nothing inside: its shell is this machine's."""
    found = docker.usable()
    assert isinstance(found, Docker)
    with found:
        found.load(archive(made(found.architecture), NAME))
        yield found
    with APIClient(base_url=host or None) as client:
        client.remove_image(NAME, force=True)


def made(architecture: str) -> oci.Platform:
    layer = oci.layer({"/empty": (b"", 0o644)}, "nothing")
    return oci.image({architecture: [layer]}, SETTINGS).platforms[0]


def containers(host: str) -> list[str]:
    with APIClient(base_url=host or None) as client:
        return [str(one["Names"]) for one in client.containers(all=True, filters={"label": "gander.runs"})]


def test_an_image_that_was_loaded_is_there_as_it_was_made(opened: Docker) -> None:
    image = made(opened.architecture)
    held = opened.held(NAME)
    assert held is not None
    assert (held.id, held.layers) == (image.config.digest, tuple(one.digest for one in image.layers))
    assert (held.architecture, held.settings) == (opened.architecture, SETTINGS)
    assert opened.has(held.id)
    assert not opened.has(f"sha256:{'0' * 64}")
    assert opened.held("registry.example.com/tests/shell:m-2") is None


def test_doctor_shows_which_daemon_it_is_and_which_step_needs_it(opened: Docker) -> None:
    (row,) = (one for one in programs() if one.name == "Docker")
    assert (row.state, row.source, row.needed_by) == ("ready", "daemon", ("image (push=false)", "rehearse"))
    assert (row.version, row.path) == (opened.version, opened.where)


def test_what_is_no_image_is_refused_in_the_daemons_words(opened: Docker) -> None:
    with pytest.raises(ToolError, match=r"Docker does not take the image\n .*"):
        opened.load(iter([b"no tar at all"]))


def test_a_container_runs_as_nobody_on_a_file_system_that_it_cannot_write_and_its_lines_are_seen(
    opened: Docker, host: str
) -> None:
    shell.hide("s3cret-of-docker")
    lines: list[str] = []
    script = 'id -u; echo "$URL"; echo error >&2; echo x > /tmp || echo x > /file; printf end; exit 3'
    done = opened.run(
        NAME,
        [script],
        environment={"URL": "s3cret-of-docker"},
        mounts=MACHINE,
        deadline=60,
        on_line=lines.append,
    )
    assert done.code == 3
    assert {"65532", "*****", "error", "end"} <= set(lines)
    assert sum("/file: Read-only file system" in line for line in lines) == 1
    assert sorted(done.out.splitlines()) == sorted(lines)
    assert opened.run(NAME, environment={}, mounts=MACHINE, deadline=60).out == "hello\n"
    assert containers(host) == []


def test_a_folder_is_written_only_where_its_mount_says_so_and_the_user_is_the_one_asked_for(
    opened: Docker, tmp_path: Path
) -> None:
    for name in ("kept", "open"):
        (tmp_path / name).mkdir()
    mounts = [Mount(source=tmp_path / "kept", target="/kept")]
    mounts += [Mount(source=tmp_path / "open", target="/open", read_only=False), *MACHINE]
    done = opened.run(NAME, ["touch /open/a; touch /kept/a"], environment={}, user="0", mounts=mounts, deadline=60)
    assert (done.code, sorted(path.name for path in tmp_path.glob("*/a"))) == (1, ["a"])
    assert (tmp_path / "open" / "a").exists()


def test_it_is_confined_as_it_was_asked_to_be(opened: Docker) -> None:
    script = "pwd; touch /kept/a; grep -E 'CapBnd|NoNewPrivs' /proc/self/status; touch /a"
    done = opened.run(
        NAME,
        [script],
        environment={},
        folder="/usr",
        writable=["/kept"],
        drop=["ALL"],
        no_more_rights=True,
        mounts=MACHINE,
        deadline=60,
    )
    (refused,) = [line for line in done.out.splitlines() if line.startswith("touch")]  # another stream, in no order
    told = [line.split() for line in done.out.splitlines() if line != refused]
    assert told == [["/usr"], ["CapBnd:", "0" * 16], ["NoNewPrivs:", "1"]]
    assert "/a: Read-only file system" in refused.replace("'", "")


def test_one_that_does_not_end_is_stopped_at_the_deadline_and_that_is_said(opened: Docker, host: str) -> None:
    with pytest.raises(ToolTimeout, match=r"did not end within 1 s: its container was stopped and removed\n  begun"):
        opened.run(NAME, ["echo begun; sleep 60"], environment={}, mounts=MACHINE, deadline=1)
    assert containers(host) == []


def test_when_the_run_is_told_to_end_its_containers_are_stopped_and_that_is_said(opened: Docker, host: str) -> None:
    def told(_line: str) -> None:
        threading.Thread(target=stop_programs).start()

    with pytest.raises(ToolError, match="had not ended: its container was stopped, as the run was"):
        opened.run(NAME, ["echo begun; sleep 60"], environment={}, mounts=MACHINE, deadline=60, on_line=told)
    assert containers(host) == []


def test_when_the_callers_own_code_fails_the_container_is_stopped_and_that_is_said(opened: Docker, host: str) -> None:
    lines: list[str] = []

    def failing(line: str) -> None:
        lines.append(line)
        if line == "begun":
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        opened.run(NAME, ["echo begun; sleep 60"], environment={}, mounts=MACHINE, deadline=60, on_line=failing)
    assert "had not ended: it was stopped and removed" in lines[-1]
    assert containers(host) == []


def test_where_we_are_killed_the_container_runs_to_its_end_and_is_removed_then(
    opened: Docker, host: str, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir(mode=0o777)
    (tmp_path / "out").chmod(0o777)
    script = f"""
import os, pathlib
from tests.tools.test_docker import MACHINE, NAME
from tools import docker
from tools.docker import Mount
out = Mount(source=pathlib.Path({str(tmp_path / "out")!r}), target="/out", read_only=False)
docker.usable().run(NAME, ["echo begun; sleep 1; touch /out/done"], environment={{}}, mounts=[out, *MACHINE],
    deadline=60, on_line=lambda _: os.kill(os.getpid(), 9))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False)
    assert done.returncode == -9
    deadline = time.monotonic() + 60
    while containers(host):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert (tmp_path / "out" / "done").exists()
    assert opened.has(NAME)


@pytest.mark.parametrize(
    ("image", "entrypoint", "words"),
    [
        ("registry.example.com/tests/shell:m-2", [], "No such image"),
        (NAME, ["/nosuch"], "/nosuch"),
    ],
)
def test_what_cannot_be_started_is_an_error_in_the_daemons_words_and_leaves_nothing(
    opened: Docker, host: str, image: str, entrypoint: list[str], words: str
) -> None:
    with pytest.raises(ToolError, match=r"Docker does not start registry\.example\.com/tests/shell:m-") as caught:
        opened.run(image, entrypoint=entrypoint, environment={}, deadline=60)
    assert words in caught.value.why
    assert containers(host) == []


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("unix:///nosuch/docker.sock", "there is no such socket"),
        ("tcp://127.0.0.1:1", "nobody listens there"),
        ("tcp://nosuch.invalid:2375", "no host of that name is known"),
        ("carrier://pigeon", "Invalid bind address protocol"),
    ],
)
def test_a_docker_host_that_leads_nowhere_is_told_apart(
    address: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", address)
    found = docker.usable()
    assert isinstance(found, Refused)
    assert address in found.what
    assert why in found.why
    assert found.todo == "correct DOCKER_HOST, or unset it and start Docker"


def test_a_context_is_followed_as_dockers_own_command_does_and_one_that_is_not_there_is_refused(
    host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.json").write_text('{"currentContext": "elsewhere"}')
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    found = docker.usable()
    assert isinstance(found, Refused)
    assert "there is no context of the name that config.json gives" in found.why
    ContextAPI.create_context("elsewhere", host=host or None)
    there = docker.usable()
    assert isinstance(there, Docker)
    with there:
        assert there.where.endswith("(context elsewhere)")
    monkeypatch.setenv("DOCKER_CONTEXT", "nowhere")
    found = docker.usable()
    assert isinstance(found, Refused)
    assert "there is no context nowhere" in found.why
