"""A place to try everything in: the example as a monorepo of its own, with a remote and a registry, gone at the end.

    ./run python -m tests.playground            in a temporary folder, which is removed at the end
    ./run python -m tests.playground FOLDER     in a new folder, which is kept
    ./run python -m tests.playground --cluster  with Kubernetes and Argo CD, to which its services are released
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
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, MappingProxyType

from tests import registries

__all__ = ["SETTINGS", "Playground", "copy_example", "git", "inhabited", "playground", "publish"]

ROOT = Path(__file__).parents[1]
SETTINGS = {"user.name": "Somebody", "user.email": "somebody@example.com", "commit.gpgsign": "false"}
PATIENCE = 10.0  # seconds for commands to end
ENDS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
NOTHING: Mapping[str, str] = MappingProxyType({})
SAID = """\
The example is a git repository of its own now, with {what} that only it uses:

    {root}

Some of what can be typed there:

    ./run doit                                             bring the local databases to head, with all checks
    ./run doit create:auth-service name=add_devices        a new migration
    ./run doit commit:auth-service                         what has changed
    ./run doit image:auth-service                          push its migrations to {host}
{more}

When the shell ends, {end}.
"""
WITHOUT = """\
    ./run doit promote:auth-service@dev                    have dev take them
    ./run doit plan:auth-service@prod                      what a release would change
    ./run doit rehearse:auth-service@dev                   its migration Job, run by the Docker of this machine
    git log --patch origin/main                            what promote wrote"""
WITH = """\
    ./run doit plan:auth-service@dev                       what a release would change
    ./run doit deploy:auth-service@dev                     have dev run them, and prove it
    ./run doit deploy:auth-service@prod                    the same for prod, which says what to merge:
    git pull origin BRANCH && git push                     merge it, and deploy once more
    ./run doit status@all                                  what is where
    kubectl --context=dev get applications -n argocd       the cluster itself
    psql "$AUTH_SERVICE_AUTH_DEV_URL"                      dev's database

The applications are one small program that answers when it is asked for its health. audit-service and analytics-service
can be released to dev alone: there is one ClickHouse, and their files name its databases. It has no replicas, so the
clauses of the cluster are left out of these files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Playground:
    """The monorepo, the remote that it pushes to, and the registry that services.yaml names."""

    root: Path
    remote: Path | str  # a folder, or a URL
    host: str  # of the registry
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What a shell in it sees: the caller's variables, and which services.yaml is meant."""
        return {**os.environ, **self.variables, "SERVICES": str(self.root / "services.yaml"), "PWD": str(self.root)}


@contextmanager
def playground(folder: Path) -> Iterator[Playground]:
    """Make a playground in an empty folder; what was started in it is stopped at the end."""
    with registries.registry(folder / "registry") as registry:
        root, remote = folder / "monorepo", folder / "remote.git"
        copy_example(root, {"registry.example.com": registry.host})
        publish(root, remote)
        with inhabited(Playground(root=root, remote=remote, host=registry.host)) as made:
            yield made


@contextmanager
def inhabited(made: Playground) -> Iterator[Playground]:
    """Put `./run` into a playground, and stop the local servers that were started in it at the end."""
    (made.root / "run").symlink_to(ROOT / "run")
    (made.root / ".git" / "info" / "exclude").write_text("/run\n")
    try:
        yield made
    finally:
        if (made.root / ".state").is_dir():
            subprocess.run([made.root / "run", "doit", "stop"], env=made.environment, capture_output=True, check=False)


def copy_example(root: Path, names: Mapping[str, str] = NOTHING) -> None:
    """Copy the example to a new folder, with other names of servers in services.yaml."""
    root.mkdir(parents=True)
    for name in ("charts", "services"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("node_modules"))
    for name in ("services.yaml", ".gitignore"):
        shutil.copy(ROOT / name, root / name)
    listed = root / "services.yaml"
    for example, name in names.items():
        listed.write_text(listed.read_text().replace(example, name))


def publish(root: Path, remote: Path | str) -> None:
    """Make a git repository of what a folder holds, with one commit on main, and push it to a remote.

    That is a new folder, or the URL of a repository that the push makes.
    """
    git(root, "init", "--quiet", "--initial-branch=main")
    for name, value in SETTINGS.items():
        git(root, "config", name, value)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "as it is")
    if isinstance(remote, Path):
        git(root, "init", "--quiet", "--bare", "--initial-branch=main", str(remote))
    git(root, "remote", "add", "origin", str(remote))
    git(root, "push", "--quiet", "--set-upstream", "origin", "main")


def git(folder: Path | str, *words: str) -> str:
    """What git prints in a folder; CalledProcessError where it fails."""
    command = [shutil.which("git") or "git", *words]
    return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout


def main(words: list[str]) -> int:
    """Make a playground, run a shell in it, and take down what was started."""
    head, _, more = (__doc__ or "").partition("\n\n")
    parser = ArgumentParser("./run python -m tests.playground", description=head)
    parser.formatter_class, parser.epilog = RawDescriptionHelpFormatter, more
    parser.add_argument("folder", type=Path, nargs="?", metavar="FOLDER", help="a folder that is not there yet")
    parser.add_argument("--cluster", action="store_true", help="Kubernetes and Argo CD too; tests/cluster/README.md")
    asked = parser.parse_args(words)
    given: Path | None = asked.folder
    if given and given.exists() and (not given.is_dir() or any(given.iterdir())):
        parser.error(f"{given} is there already: name a new folder, or none")
    if not shutil.which(registries.PROGRAM):
        parser.error(f"it needs a registry: apt-get install {registries.PROGRAM}")
    if asked.cluster:
        from tests.cluster import playing  # noqa: PLC0415 - it imports this module

        if refusal := playing.refusal():
            parser.error(f"no cluster can be brought up: {refusal}")
    for number in ENDS:
        signal.signal(number, _end)
    with _folder(given) as folder, playing.playground(folder, _say) if asked.cluster else playground(folder) as made:
        what, more = (
            ("a remote, a registry and a cluster", WITH) if asked.cluster else ("a remote and a registry", WITHOUT)
        )
        end = f"what runs here is stopped, and {folder} is {'kept' if given else 'removed'}"
        _say(SAID.format(what=what, root=made.root, host=made.host, more=more, end=end))
        code = _shell(made)
    return code if code >= 0 else 128 - code


def _shell(made: Playground) -> int:
    """Run a shell to its end; where this process is told to end, so are the commands that run in it."""
    terminal = sys.stdin.isatty()
    program = os.environ.get("SHELL", "/bin/sh") if terminal else "/bin/sh"
    group = None if terminal else 0  # at a terminal the shell makes groups of its own
    with subprocess.Popen([program], cwd=made.root, env=made.environment, process_group=group) as process:
        try:
            return process.wait()
        except SystemExit:
            process.send_signal(signal.SIGHUP)
            if not terminal:
                _hang_up(process)
            raise


def _hang_up(process: subprocess.Popen[bytes]) -> None:
    """End the group that a process leads: at once where it can be, by force after a while."""
    deadline, number = time.monotonic() + PATIENCE, int(signal.SIGHUP)
    with suppress(ProcessLookupError):
        while True:
            os.killpg(process.pid, number)
            process.poll()
            time.sleep(0.05)
            number = signal.SIGKILL if time.monotonic() > deadline else 0


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


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
    for one in ENDS:
        signal.signal(one, signal.SIG_IGN)  # what is begun is taken down, whoever is in a hurry
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
