"""``./run`` on a machine that has Python and little else: a copy of the project in an empty folder, an empty home."""

from __future__ import annotations

import ast
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ("env", "sh", "bash", "git", "uname")
SMALL = {"base": "mdurl", "test": "iniconfig"}  # one small package a group, at its version in the real lock file


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The user's settings for the network, an empty home, and a PATH with Python and a few programs."""
    programs = tmp_path_factory.mktemp("bin")
    for name in TOOLS:
        (programs / name).symlink_to(shutil.which(name) or f"/usr/bin/{name}")
    (programs / "python3").symlink_to(Path(sys.executable).resolve())
    away = ("VIRTUAL_ENV", "SERVICES", "GANDER_TOOLS")
    kept = {name: value for name, value in os.environ.items() if name not in away and not name.startswith("PYTHON")}
    return kept | {"PATH": str(programs), "HOME": str(tmp_path_factory.mktemp("home"))}


def small(project: Path) -> Path:
    for group, package in SMALL.items():
        lock = project / "tools" / "locks" / f"{group}.txt"
        found = re.search(rf"^{package}==.*(\n    .*)+\n", lock.read_text(), re.MULTILINE)
        assert found
        lock.write_text(found[0])
    return project


def copied(to: Path) -> Path:
    shutil.copytree(ROOT / "tools", to / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "schemas", to / "schemas", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "run", to / "run")
    return to


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project whose lock files hold one small package each."""
    return small(copied(tmp_path / "a project"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Iterator[Path]:
    """Such a copy after its first run."""
    copy = small(copied(tmp_path_factory.mktemp("installed") / "project"))
    first = run(copy, environment, "python", "-c", "import mdurl, iniconfig, tools; print('it works')")
    assert (first.returncode, first.stdout) == (0, "it works\n"), first.stderr
    assert [line.partition(" with")[0] for line in first.stderr.splitlines()] == [
        "run: making .venv",
        "run: installing the packages of tools/locks/base.txt",
        "run: installing the packages of tools/locks/test.txt",
    ]
    yield copy
    shutil.rmtree(copy)


def run(
    project: Path, environment: dict[str, str], *words: str, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [project / "run", *words],
        env=environment,
        cwd=cwd or project,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def start(project: Path, environment: dict[str, str], *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [project / "run", *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_the_second_run_says_nothing_and_installs_nothing(installed: Path, environment: dict[str, str]) -> None:
    def changed() -> dict[Path, int]:
        return {path: path.lstat().st_mtime_ns for path in (installed / ".venv").rglob("*") if path.is_file()}

    before = changed()
    done = run(installed, environment, "python", "-c", "")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert changed() == before


def test_the_command_runs_in_the_project_and_services_stays_what_the_caller_meant(
    installed: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    script = "import os; print(os.getcwd(), os.environ['SERVICES'], sep='|')"
    done = run(installed, environment | {"SERVICES": "../other/services.yaml"}, "python", "-c", script, cwd=tmp_path)
    assert done.stdout == f"{installed}|{tmp_path.parent / 'other' / 'services.yaml'}\n"


def test_the_exit_code_is_the_commands(installed: Path, environment: dict[str, str]) -> None:
    assert run(installed, environment, "python", "-c", "raise SystemExit(3)").returncode == 3


@pytest.mark.parametrize("word", ["nosuchcommand", "../bin/python", ""])
def test_an_unknown_command_gets_one_line(installed: Path, environment: dict[str, str], word: str) -> None:
    done = run(installed, environment, word)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"run: there is no command {word!r} in .venv; ./run --help shows some\n"


def test_help_goes_to_stdout_and_installs_nothing(project: Path, environment: dict[str, str]) -> None:
    done = run(project, environment, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "./run doit migrate" in done.stdout
    assert run(project, environment).returncode == 1
    assert not (project / ".venv").exists()


def test_two_at_once_both_succeed_and_one_of_them_installs(project: Path, environment: dict[str, str]) -> None:
    both = [start(project, environment, "python", "-c", "import mdurl, iniconfig; print('done')") for _ in range(2)]
    results = [process.communicate(timeout=600) for process in both]
    assert [process.returncode for process in both] == [0, 0], results
    assert [out for out, _ in results] == ["done\n", "done\n"]
    assert sum(err.count("making .venv") for _, err in results) == 1
    assert sum(err.count("base.txt") for _, err in results) == 1


def test_doit_gets_base_only_and_a_changed_lock_file_is_installed_again(
    project: Path, environment: dict[str, str]
) -> None:
    base, test = (project / ".venv" / f"{group}.stamp" for group in SMALL)
    run(project, environment, "doit", "list")
    assert (base.exists(), test.exists()) == (True, False)
    assert run(project, environment, "python", "-c", "import iniconfig").returncode == 0

    lock = project / "tools" / "locks" / "test.txt"
    lock.write_text(lock.read_text() + "# changed\n")
    assert run(project, environment, "doit", "list").stderr.startswith("run: there is no command 'doit'")
    assert "making .venv" in run(project, environment, "python", "-c", "import iniconfig").stderr
    assert run(project, environment, "python", "-c", "import iniconfig").stderr == ""


def test_a_copied_project_gets_an_environment_of_its_own(
    installed: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(installed, tmp_path / "copy", symlinks=True))
    done = run(copy, environment, "python", "-c", "import tools; print(tools.__file__)")
    assert (done.stdout, "making .venv" in done.stderr) == (f"{copy}/tools/__init__.py\n", True)


def test_killed_at_any_moment_the_next_run_finishes(project: Path, environment: dict[str, str]) -> None:
    chance = random.Random(20260103)  # noqa: S311 - repeatable moments, no secret
    hits = []
    for moment in ("making", "base.txt", "test.txt"):
        process = start(project, environment, "python", "-c", "")
        assert process.stderr is not None
        reached = any(moment in line for line in process.stderr)
        time.sleep(chance.uniform(0, 0.8))
        if reached and process.poll() is None:
            process.send_signal(signal.SIGKILL)
            hits.append(moment)
        process.communicate()
        if moment == "test.txt":  # a base command is not held up by what the tests need
            assert "test.txt" not in run(project, environment, "doit").stderr
    assert len(hits) >= 2, hits
    done = run(project, environment, "python", "-c", "import mdurl, iniconfig; print('whole')")
    assert done.stdout == "whole\n", done.stderr
    checked = run(project, environment, "python", "-m", "pip", "check")
    assert (checked.returncode, checked.stderr) == (0, ""), checked.stdout


def test_an_interrupted_run_says_so_and_ends_with_the_signals_code(project: Path, environment: dict[str, str]) -> None:
    process = start(project, environment, "python", "-c", "")
    assert process.stderr is not None
    assert process.stderr.readline().startswith("run: making .venv")
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[1] == "run: interrupted; the same command goes on from here\n"
    assert process.returncode == 130


def test_without_network_the_message_says_what_to_check(project: Path, environment: dict[str, str]) -> None:
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_RETRIES": "0", "PIP_FIND_LINKS": ""}
    done = run(project, environment | nowhere, "python", "-c", "")
    assert (done.returncode, done.stdout) == (1, "")
    assert "run: pip install -r tools/locks/base.txt failed\n" in done.stderr
    assert done.stderr.endswith("then run the command again\n")
    assert "Traceback" not in done.stderr


def test_a_folder_that_cannot_be_written_is_named(project: Path, environment: dict[str, str]) -> None:
    (project / ".tools").write_text("in the way")
    done = run(project, environment, "python", "-c", "")
    assert done.returncode == 1
    assert done.stderr.startswith(f"run: {project / '.tools'} cannot be written: File exists\n  → ")


def test_a_python_without_ensurepip_is_named_with_the_package_to_install(
    project: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['ensurepip'] = None\n")
    done = run(project, environment | {"PYTHONPATH": str(tmp_path)}, "python", "-c", "")
    assert done.returncode == 1
    assert "has no ensurepip" in done.stderr
    assert "python3-venv" in done.stderr


OLD = "import runpy, sys; sys.version_info = (3, 8, 0); sys.argv = ['run', '--help']; runpy.run_path(r'{}')"


def test_an_old_python_says_what_is_needed(environment: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-c", OLD.format(ROOT / "run")]
    done = subprocess.run(
        command, env=environment | {"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("run: Python >= 3.11 is needed and this is 3.8;")


def test_an_old_python_hands_over_to_a_newer_one_that_works(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "python3.14").write_text("#!/bin/sh\nexit 127\n")
    (tmp_path / "python3.14").chmod(0o755)
    (tmp_path / "python3.11").symlink_to(Path(sys.executable).resolve())
    script = OLD.format(ROOT / "run").replace("'run'", repr(str(ROOT / "run")))
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment | {"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: ./run")


def test_the_script_is_short_and_old_pythons_can_read_it() -> None:
    text = (ROOT / "run").read_text()
    assert len(text.splitlines()) < 60
    ast.parse(text, feature_version=(3, 4))
    assert not re.search(r"\bf[\"']", text)


def test_lock_files_hold_versions_and_hashes_and_no_addresses() -> None:
    for lock in (ROOT / "tools" / "locks").rglob("*"):
        if lock.name in {"base.txt", "test.txt", "go.txt", "node.txt"}:
            packages = re.split(r"\n(?=\S)", lock.read_text().strip())
            assert all("==" in package and "--hash=sha256:" in package for package in packages), lock
        if lock.is_file() and lock.name != "refresh":
            assert "://" not in lock.read_text().replace(" h1://", " h1:"), lock  # which a hash may begin with
            assert '"resolved"' not in lock.read_text(), lock


def test_the_real_lock_files_install_on_a_fresh_machine(tmp_path: Path, environment: dict[str, str]) -> None:
    project = copied(tmp_path / "project")
    done = run(project, environment, "pytest", "--version")
    assert (done.returncode, done.stdout[:6]) == (0, "pytest"), done.stderr
    for command in ("ruff", "mypy", "lint-imports"):
        assert run(project, environment, command, "--help").returncode == 0
    script = "import doit, jsonschema, psycopg, rich, yaml; print(psycopg.pq.__impl__)"
    assert run(project, environment, "python", "-c", script).stdout == "binary\n"
    shutil.rmtree(project)  # it is large
