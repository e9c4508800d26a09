"""A monorepo with a remote on disk, somebody else's clone of it, and `promote` called as a run calls it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from schemas import catalog_file
from schemas.answer import Answer
from schemas.errors import GanderError
from schemas.target import Target
from tasks.promote.image import Image, Streams
from tasks.promote.release import promote
from tasks.promote.standing import standing
from tasks.work import Outcome, Session, Work

FILE = "services/cart/values-dev.yaml"
SERVICES = """version: 1
image: {repository: "registry.example.com/shop/{service}-migrations"}
environments:
  dev:
    gitops: {repository: ., branch: main, push: direct}
    values: {file: "services/{service}/values-dev.yaml", key: migrations.image}
  qa:
    gitops: {repository: ., branch: main, push: pull-request}
    values: {file: "services/{service}/values-qa.yaml", key: migrations.image}
  bare: {}
  prod:
    protected: true
    gitops: {repository: ., branch: main, push: direct}
    values: {file: "services/{service}/values-dev.yaml", key: migrations.image}
services:
  cart:
    databases: {cart: {engine: postgres, name: cart}}
  wish:
    databases: {wish: {engine: postgres, name: wish}}
"""
VALUES = '# of the team\nmigrations:\n  image: ""   # promoted\nreplicas: 3\n'
WHO = ("-c", "user.name=Someone", "-c", "user.email=someone@example.com", "-c", "commit.gpgsign=false")
DIGEST = f"sha256:{'a' * 64}"


@dataclass
class Said:
    """What a step says while it runs."""

    lines: list[str] = field(default_factory=list)

    def now(self, text: str) -> None:
        self.lines.append(text)

    def file(self, *what: object) -> None:
        raise AssertionError(what)

    def line(self, text: str) -> None:
        self.lines.append(text)

    def ask(self, question: str) -> str | None:
        raise AssertionError(question)


@dataclass(kw_only=True)
class Place:
    """The monorepo, its remote, and a colleague's clone."""

    root: Path
    remote: Path
    other: Path
    digest: str | None = DIGEST
    said: Said = field(default_factory=Said)
    closing: ExitStack = field(default_factory=ExitStack)

    def git(self, *words: str, at: Path | None = None) -> str:
        """Type a git command, in the monorepo unless another place is named."""
        command = [shutil.which("git") or "git", *WHO, *words]
        done = subprocess.run(command, cwd=at or self.root, check=True, capture_output=True)
        return done.stdout.decode().strip()

    def work(self, word: str, **variables: str) -> Work:
        """What a run would give the step for a target such as ``cart@dev``."""
        service, _, environment = word.partition("@")
        catalog = catalog_file.load(self.root / "services.yaml", None)
        session = Session(catalog, self.said.line)
        self.closing.callback(session.close)
        return Work(
            catalog=catalog,
            targets=(Target(step="promote", service=service, environment=environment),),
            variables=variables,
            session=session,
            progress=self.said,
            out=self.said.line,
        )

    def promote(self, word: str, **variables: str) -> Outcome:
        """Promote."""
        return promote(self.work(word, **variables), Named(self, variables.get("commit", "HEAD")))

    def answers(self, *words: str) -> dict[str, Answer]:
        """Whether targets are up to date."""
        return standing([self.work(word) for word in words], Named(self, "HEAD"))

    def there(self, file: str = "services/cart/values-dev.yaml", branch: str = "main") -> str:
        """A file on the remote's branch."""
        command = [shutil.which("git") or "git", "show", f"{branch}:{file}"]
        return subprocess.run(command, cwd=self.remote, check=True, capture_output=True).stdout.decode()

    def image(self, service: str = "cart", commit: str = "HEAD") -> str:
        """What a values file is to say."""
        return f"registry.example.com/shop/{service}-migrations:m-{self.git('rev-parse', commit)[:16]}@{DIGEST}"

    def elsewhere(self, text: str, file: str = "services/cart/values-dev.yaml") -> None:
        """A colleague writes a file and pushes it."""
        self.git("pull", "--quiet", at=self.other)
        (self.other / file).write_bytes(text.encode())
        self.git("add", "--all", at=self.other)
        self.git("commit", "--quiet", "--message", "by a colleague", at=self.other)
        self.git("push", "--quiet", at=self.other)

    def mine(self) -> tuple[str, ...]:
        """All that is the user's own: branch, index, work tree, local branches, stash, worktrees."""
        return (
            self.git("rev-parse", "HEAD"),
            (self.root / ".git" / "HEAD").read_text(),
            self.git("status", "--porcelain", "--untracked-files=all", "--ignored=no"),
            self.git("diff", "HEAD"),
            self.git("diff", "--cached"),
            self.git("for-each-ref", "refs/heads", "refs/tags", "refs/stash"),
            self.git("worktree", "list"),
        )


@dataclass(kw_only=False)
class Named:
    """Images that are named after their commit, as their registry would have them."""

    place: Place
    commit: str

    def of(self, services: Sequence[str]) -> Mapping[str, Image | GanderError | None]:
        commit, digest = self.place.git("rev-parse", self.commit), self.place.digest
        names = {one: f"registry.example.com/shop/{one}-migrations:m-{commit[:16]}" for one in services}
        return {one: Image(names[one], digest, commit, self.streams(one, commit)) for one in services}

    def streams(self, service: str, commit: str) -> Streams:
        listed = self.place.git("ls-tree", f"{commit}:services/{service}/migrations").splitlines()
        return {service: {line.partition("\t")[2]: line.split()[2] for line in listed}}

    def held(self, wanted: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Streams]:
        return {(service, commit): self.streams(service, commit) for service, commit in wanted}


def of(folder: Path) -> Place:
    return Place(root=folder / "mine", remote=folder / "remote", other=folder / "theirs")


@pytest.fixture
def place(model: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "Someone")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "someone@example.com")
    copy = of(tmp_path / "place")
    shutil.copytree(model.remote.parent, copy.remote.parent)
    for clone in (copy.root, copy.other):
        settings = clone / ".git" / "config"
        settings.write_text(settings.read_text().replace(str(model.remote), str(copy.remote)))
    with copy.closing:
        yield copy


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The place of every test, to be copied."""
    made = of(tmp_path_factory.mktemp("promote"))
    folder = made.remote.parent
    made.git("init", "--quiet", "--bare", "--initial-branch", "main", str(made.remote), at=folder)
    made.git("clone", "--quiet", str(made.remote), str(made.root), at=folder)
    made.git("switch", "--quiet", "--orphan", "main")
    (made.root / "services.yaml").write_text(SERVICES)
    (made.root / ".gitignore").write_text(".state/\n")
    for service in ("cart", "wish"):
        folder = made.root / "services" / service
        (folder / "migrations").mkdir(parents=True)
        (folder / "migrations" / "20260101000000_a.sql").write_text("-- +goose Up\nSELECT 1;\n")
        for environment in ("dev", "qa"):
            (folder / f"values-{environment}.yaml").write_text(VALUES)
    made.git("add", "--all")
    made.git("commit", "--quiet", "--message", "first")
    made.git("push", "--quiet", "--set-upstream", "origin", "main")
    made.git("clone", "--quiet", str(made.remote), str(made.other), at=folder)
    return made
