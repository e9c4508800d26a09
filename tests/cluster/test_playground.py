"""The playground with a cluster: a person releases to dev and prod there, and nothing is left of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster import playing
from tests.cluster.test_nothing_is_left import inhabitants, network, of, wait
from tests.journeys.conftest import ROOT
from tools.toolchain.cluster import cluster_lacks

COMMAND = (sys.executable, "-m", "tests.playground", "--cluster")
PROD = "./run doit deploy:auth-service@prod yes=prod ref=CHG-123"
END = "all was typed\n"
TYPED = f"""\
./run doit deploy:auth-service@dev deploy:analytics-service@dev
{PROD}
git pull --quiet origin "$(git ls-remote origin 'promote/*' | cut -f2)"
git push --quiet
{PROD}
./run doit sync:auth-service@dev
kubectl --context=dev get job --output=name
kubectl --context=prod get job --output=name
echo {END.strip()}
sleep 3600
"""


@pytest.fixture(name="surroundings")
def fixture_surroundings(tmp_path: Path) -> dict[str, str]:
    """What a person's shell has, with a folder for temporary files that only this test uses."""
    (tmp_path / "temporary").mkdir()
    tmp_path.chmod(0o711)
    kept = {name: value for name, value in os.environ.items() if name not in {"SERVICES", "CI"}}
    return {**kept, "TMPDIR": str(tmp_path / "temporary")}


def children(process: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def test_a_release_goes_to_dev_and_prod_and_a_lost_terminal_takes_everything_down(
    tmp_path: Path, surroundings: dict[str, str]
) -> None:
    if lacks := cluster_lacks():
        reason = f"a real cluster: needs {' and '.join(lacks)}"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    typed, heard = tmp_path / "typed", tmp_path / "heard"
    typed.write_text(TYPED)
    with (
        typed.open() as commands,
        heard.open("w") as errors,
        subprocess.Popen(
            COMMAND, cwd=ROOT, env=surroundings, stdin=commands, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        try:
            shown = []
            for line in process.stdout or ():
                shown.append(line.strip())
                if line == END:
                    break
            assert shown[-1:] == [END.strip()], heard.read_text()
            server, shell = children(process.pid)
            wait(lambda: bool(children(shell)), lambda: "the command that sleeps")
            (asleep,) = children(shell)
            namespace = network(server)
            assert inhabitants(namespace)
            assert of(server)
        finally:
            process.send_signal(signal.SIGHUP)
            process.wait(timeout=120)
    said = heard.read_text()
    for place in ("auth-service@dev", "analytics-service@dev", "auth-service@prod"):
        assert re.search(rf"^✓ verify:{place} +verified: 9 versions of ", said, re.MULTILINE), said
    assert "promote:auth-service@prod waits for a merge: promote/prod/auth-service-m-" in said
    assert "→ merge it, then run: doit deploy:auth-service@prod" in said
    assert "· sync:auth-service@dev  up to date: " in said, "a promotion to prod makes nothing run in dev"
    jobs = ["job.batch/analytics-service-migrate", "job.batch/auth-service-migrate"]
    assert [line for line in shown if line.startswith("job.batch/")] == [*jobs, "job.batch/auth-service-migrate"]

    assert process.returncode == 128 + signal.SIGHUP
    wait(lambda: not inhabitants(namespace), lambda: inhabitants(namespace))
    assert not of(server)
    assert not any(Path(f"/proc/{one}").exists() for one in (shell, asleep))
    assert list((tmp_path / "temporary").iterdir()) == []


def test_where_there_can_be_no_cluster_it_is_said_what_to_type(
    tmp_path: Path, surroundings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docker-registry").touch(mode=0o755)
    done = subprocess.run(
        COMMAND, cwd=ROOT, env=surroundings | {"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert re.search(r"no cluster can be brought up: it needs .*Debian's etcd-server, ", done.stderr)
    assert "apt-get install etcd-server " in done.stderr
    monkeypatch.setattr(playing, "cluster_lacks", lambda: ("root",))
    assert playing.refusal() == "it needs root: sudo -E ./run python -m tests.playground --cluster"
    monkeypatch.setattr(playing, "cluster_lacks", lambda: ())
    monkeypatch.setenv("GANDER_TOOLS", str(tmp_path))
    assert "./run python -m tests.cluster builds them" in playing.refusal()
