"""The playground: a real registry and remote for as long as somebody is in it, and nothing afterwards."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests import registries
from tests.playground import ROOT, git

COMMAND = (sys.executable, "-m", "tests.playground")
RELEASE = """\
./run doit promote:legal-service@dev
git fetch --quiet origin
git show --stat --format=%s origin/main
./run doit promote:legal-service@dev
./run doit start:legal-service
false
"""


@pytest.fixture(name="surroundings")
def fixture_surroundings(tmp_path: Path) -> dict[str, str]:
    """What a person's shell has, with a folder for temporary files that only this test uses."""
    registries.program()
    (tmp_path / "temporary").mkdir()
    tmp_path.chmod(0o711)
    kept = {name: value for name, value in os.environ.items() if name not in {"SERVICES", "CI"}}
    return {**kept, "TMPDIR": str(tmp_path / "temporary"), "SHELL": "/bin/sh", "PS1": "playground $ "}


def answers(host: str) -> bool:
    name, _, port = host.partition(":")
    try:
        socket.create_connection((name, int(port)), timeout=5).close()
    except OSError:
        return False
    return True


def host_in(text: str) -> str:
    found = re.search(r"push its migrations to (\S+)", text)
    assert found, text
    return found[1]


def test_commands_are_read_without_a_terminal_and_a_folder_that_was_named_is_kept(
    tmp_path: Path, surroundings: dict[str, str]
) -> None:
    folder = tmp_path / "kept"
    done = subprocess.run(
        [*COMMAND, folder],
        cwd=ROOT,
        env=surroundings,
        input=RELEASE,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 1, "the exit code is that of the last command"
    host = host_in(done.stderr)
    assert re.search(r"^✓ promote:legal-service@dev  origin/main says m-", done.stderr, re.MULTILINE), done.stderr
    assert "0 ran, 1 up to date, 0 failed" in done.stderr
    assert "chore(legal-service): promote m-" in done.stdout
    assert "postgres://" in done.stdout
    assert f"image: {host}/my-girok/legal-service-migrations:m-" in git(
        folder / "remote.git", "show", "main:services/legal-service/helm/values-dev.yaml"
    ).replace('"', "")
    assert git(folder / "monorepo", "status", "--porcelain") == ""
    assert not answers(host)
    assert not (folder / "monorepo" / ".state" / "postgres" / "server.json").exists()
    shutil.rmtree(folder)


def test_a_terminal_gets_a_shell_and_a_temporary_folder_goes_with_it(
    tmp_path: Path, surroundings: dict[str, str]
) -> None:
    ours, its = os.openpty()
    with subprocess.Popen(
        COMMAND, cwd=ROOT, env=surroundings, stdin=its, stdout=its, stderr=its, start_new_session=True
    ) as process:
        os.close(its)
        shown, typed = b"", False
        while True:
            try:
                shown += os.read(ours, 65536)
            except OSError:  # Linux: the other side has been closed
                break
            if b"playground $ " in shown and not typed:
                host = host_in(shown.decode())
                assert answers(host)
                os.write(ours, b"pwd; exit 3\n")
                typed = True
        os.close(ours)
    assert process.returncode == 3, shown.decode()
    assert b"gander-playground-" in shown.rpartition(b"exit 3")[2]
    assert not answers(host)
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_playground_that_is_told_to_end_takes_everything_down(tmp_path: Path, surroundings: dict[str, str]) -> None:
    process = subprocess.Popen(
        COMMAND, cwd=ROOT, env=surroundings, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        assert process.stderr is not None
        shown = ""
        while "When the shell ends" not in shown:
            line = process.stderr.readline()
            assert line, shown
            shown += line
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert not answers(host_in(shown))
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path, surroundings: dict[str, str]) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    done = subprocess.run(
        [*COMMAND, tmp_path / "mine"], cwd=ROOT, env=surroundings, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "is there already: name a new folder, or none" in done.stderr
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["file"]
