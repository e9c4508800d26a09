"""A place to try everything in: the example as a monorepo of its own, with a remote and a registry, gone at the end.

    ./run python -m tests.playground            in a temporary folder, which is removed at the end
    ./run python -m tests.playground FOLDER     in a new folder, which is kept
    echo './run doit image' | ./run python -m tests.playground      without a terminal: the commands of standard input

The exit code is that of the shell.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from tests import registries
from tests.registries import Registry

__all__ = ["SETTINGS", "Playground", "copy_example", "git", "playground", "publish"]

ROOT = Path(__file__).parents[1]
SETTINGS = {"user.name": "Somebody", "user.email": "somebody@example.com", "commit.gpgsign": "false"}
SAID = """\
The example is a git repository of its own now, with a remote and a registry that only it uses:

    {root}

Some of what can be typed there:

    ./run doit                                             bring the local databases to head, with all checks
    ./run doit create:auth-service name=add_devices        a new migration
    ./run doit commit:auth-service                         what has changed
    ./run doit image:auth-service                          push its migrations to {host}
    ./run doit promote:auth-service@dev                    have dev take them
    ./run doit plan:auth-service@prod                      what a release would change
    ./run doit rehearse:auth-service@dev                   its migration Job, run by the Docker of this machine
    git log --patch origin/main                            what promote wrote

When the shell ends, {end}.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Playground:
    """The monorepo, the remote that it pushes to, and the registry that services.yaml names."""

    root: Path
    remote: Path
    registry: Registry

    @property
    def environment(self) -> dict[str, str]:
        """What a shell in it sees: the caller's variables, and which services.yaml is meant."""
        return {**os.environ, "SERVICES": str(self.root / "services.yaml"), "PWD": str(self.root)}


@contextmanager
def playground(folder: Path) -> Iterator[Playground]:
    """Make a playground in an empty folder; what was started in it is stopped at the end."""
    root, remote = folder / "monorepo", folder / "remote.git"
    with registries.registry(folder / "registry") as registry:
        copy_example(root)
        listed = root / "services.yaml"
        listed.write_text(listed.read_text().replace("registry.example.com", registry.host))
        publish(root, remote)
        (root / "run").symlink_to(ROOT / "run")
        (root / ".git" / "info" / "exclude").write_text("/run\n")
        made = Playground(root=root, remote=remote, registry=registry)
        try:
            yield made
        finally:
            if (root / ".state").is_dir():
                subprocess.run([root / "run", "doit", "stop"], env=made.environment, capture_output=True, check=False)


def copy_example(root: Path) -> None:
    """Copy the example to a new folder."""
    root.mkdir(parents=True)
    for name in ("charts", "services"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("node_modules"))
    for name in ("services.yaml", ".gitignore"):
        shutil.copy(ROOT / name, root / name)


def publish(root: Path, remote: Path) -> None:
    """Make a git repository of what a folder holds, with one commit on main, and a bare remote that has it."""
    git(root, "init", "--quiet", "--initial-branch=main")
    for name, value in SETTINGS.items():
        git(root, "config", name, value)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "as it is")
    git(root, "clone", "--quiet", "--bare", ".", str(remote))
    git(root, "remote", "add", "origin", str(remote))
    git(root, "fetch", "--quiet", "origin")
    git(root, "branch", "--quiet", "--set-upstream-to=origin/main")


def git(folder: Path, *words: str) -> str:
    """What git prints in a folder; CalledProcessError where it fails."""
    command = [shutil.which("git") or "git", *words]
    return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout


def main(words: list[str]) -> int:
    """Make a playground, run a shell in it, and take down what was started."""
    head, _, more = (__doc__ or "").partition("\n\n")
    parser = ArgumentParser("./run python -m tests.playground", description=head)
    parser.formatter_class, parser.epilog = RawDescriptionHelpFormatter, more
    parser.add_argument("folder", type=Path, nargs="?", metavar="FOLDER", help="a folder that is not there yet")
    given: Path | None = parser.parse_args(words).folder
    if given and given.exists() and (not given.is_dir() or any(given.iterdir())):
        parser.error(f"{given} is there already: name a new folder, or none")
    if not shutil.which(registries.PROGRAM):
        parser.error(f"it needs a registry: apt-get install {registries.PROGRAM}")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    with _folder(given) as folder, playground(folder) as made:
        end = f"what runs here is stopped, and {folder} is {'kept' if given else 'removed'}"
        sys.stderr.write(SAID.format(root=made.root, host=made.registry.host, end=end))
        sys.stderr.flush()
        shell = os.environ.get("SHELL", "/bin/sh") if sys.stdin.isatty() else "/bin/sh"
        done = subprocess.run([shell], cwd=made.root, env=made.environment, check=False)
    return done.returncode if done.returncode >= 0 else 128 - done.returncode


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    """The folder that was named; else a temporary one."""
    if given:
        given.mkdir(parents=True, exist_ok=True)
        yield Path(os.path.realpath(given))
        return
    made = Path(os.path.realpath(tempfile.mkdtemp(prefix="gander-playground-")))
    made.chmod(0o711)  # as root, PostgreSQL runs under another account, which must pass
    try:
        yield made
    finally:
        shutil.rmtree(made)


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the form of a signal handler
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
