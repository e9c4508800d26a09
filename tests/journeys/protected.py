"""A service of which dev has a verified release and prod has none: a real registry, remote and database.

Argo CD and the cluster are a stand-in, which says what a real one says of a release that went well.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.argocd_standin.release import released
from tests.argocd_standin.server import TOKEN, World, serving
from tests.journeys.conftest import Monorepo, lend, small
from tests.playground import git, publish
from tests.registries import Registry

GOOD = "-- +goose Up\nCREATE TABLE {0} (id TEXT PRIMARY KEY);\n-- +goose Down\nDROP TABLE {0};\n"
FIRST, SECOND = {"00001_a.sql": GOOD.format("a")}, {"00002_b.sql": GOOD.format("b")}
VALUES = 'migrations:\n  image: ""\n'
HEAD = """image: {repository: "HOST/{service}", platforms: [linux/amd64]}
environments:
  dev:
    namespace: auth
    argocd: {application: "{service}-dev", server: "ARGO", token_env: SHOP_TOKEN}
    gitops: {repository: ., branch: main, push: direct}
    values: {file: "services/{service}/values-dev.yaml", key: migrations.image}
  prod:
    protected: true
    after: dev
    gitops: {repository: ., branch: main, push: direct}
    values: {file: "services/{service}/values-prod.yaml", key: migrations.image}"""
LOG = """2026/11/23 04:56:47 OK   00001_a.sql (1.95ms)
2026/11/23 04:56:47 OK   00002_b.sql (1.95ms)
2026/11/23 04:56:47 goose: successfully migrated database to version: 2
"""
YES = ("yes=prod", "ref=CHG-7")


@dataclass(kw_only=True)
class Yard:
    """A monorepo of which dev has the second release, the Argo CD that follows it, and dev's database."""

    mono: Monorepo
    world: World
    url: str  # of the database
    first: str = ""  # REPOSITORY:TAG@DIGEST of the release before
    image: str = ""  # and of this one
    of: str = ""  # the commit that this one is of

    @property
    def variables(self) -> dict[str, str]:
        """What a release engineer has set."""
        return {"SHOP_TOKEN": TOKEN, "SHOP_MAIN_DEV_URL": self.url}

    @property
    def remote(self) -> Path:
        """The remote, beside the monorepo."""
        return self.mono.root.parent / "remote"

    def sql(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def taken_back(self, answer: str = "") -> str:
        """Somebody takes dev's second version back by hand; while a question waits that is answered then."""
        self.sql("DELETE FROM goose_db_version WHERE version_id = 2")
        return answer

    def well(self, log: str = LOG) -> None:
        """Have dev's release be as one that went well."""
        tip = git(self.remote, "rev-parse", "main").strip()
        held = self.world
        for some in (held.applications, held.jobs, held.pods, held.logs, held.faults, held.asked):
            some.clear()
        held.look = None
        released(held, "shop-dev", image=self.there("dev"), revision=tip, logs={"shop-migrate": log})
        self.sql("DELETE FROM goose_db_version")
        self.sql("INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true), (1, true), (2, true)")

    def there(self, environment: str = "prod") -> str:
        """The image in an environment's values file on the remote."""
        text = git(self.remote, "show", f"main:services/shop/values-{environment}.yaml")
        return text.partition('image: "')[2].partition('"')[0]

    def trailer(self, name: str) -> str:
        """A trailer of the remote's newest commit."""
        return git(self.remote, "log", "-1", f"--format=%(trailers:key={name},valueonly)", "main").strip()

    def refused(self, *words: str) -> str:
        """What a promotion says that must not succeed, with nothing written."""
        before = git(self.remote, "for-each-ref")
        done = self.mono.doit(*(words or ("promote:shop@prod", *YES)), **self.variables)
        assert done.returncode == 1, done.stderr
        assert git(self.remote, "for-each-ref") == before
        return done.stderr

    def elsewhere(self, file: str = "notes.txt", text: str = "of a colleague\n", message: str = "by hand") -> None:
        """A colleague pushes a commit to main."""
        clone = self.mono.root.parent / "theirs"
        if not clone.exists():
            git(clone.parent, "clone", "--quiet", str(self.remote), str(clone))
        git(clone, "pull", "--quiet")
        (clone / file).write_text(text)
        git(clone, "add", "--all")
        who = ("-c", "user.name=Colleague", "-c", "user.email=colleague@example.com", "-c", "commit.gpgsign=false")
        git(clone, *who, "commit", "--quiet", "--allow-empty", "--message", message)
        git(clone, "push", "--quiet")


@pytest.fixture(scope="module", name="model")
def fixture_model(
    empty_server: Monorepo, registry: Registry, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Yard]:
    """The monorepo of every test, to be copied."""
    folder = tmp_path_factory.mktemp("protected")
    dev = lend(empty_server, small(folder / "dev", {"shop": FIRST | SECOND}))
    dev.fine("migrate")
    with serving() as world:
        head = HEAD.replace("ARGO", world.url).replace("HOST", f"{registry.host}/protected")
        mono = small(folder / "model" / "mono", {"shop": FIRST}, head)
        root = mono.root
        listed = (root / "services.yaml").read_text()
        (root / "services.yaml").write_text(listed.replace("name: shop}", "name: {dev: shop_main, prod: shop}}"))
        for environment in ("dev", "prod"):
            (root / "services" / "shop" / f"values-{environment}.yaml").write_text(VALUES)
        (root / ".gitignore").write_text(".state/\n")
        publish(root, folder / "model" / "remote")
        yard = Yard(mono=mono, world=world, url=dev.urls()["shop/main"])
        mono.fine("promote:shop@dev")
        yard.first = yard.there("dev")
        git(root, "pull", "--quiet", "origin", "main")
        for name, text in SECOND.items():
            (mono.folder("shop") / name).write_text(text)
        mono.commit()
        git(root, "push", "--quiet", "origin", "main")
        yard.of = git(root, "rev-parse", "HEAD").strip()
        mono.fine("promote:shop@dev")
        yard.image = yard.there("dev")
        git(root, "pull", "--quiet", "origin", "main")
        yield yard
    dev.stop()


@pytest.fixture(name="yard")
def fixture_yard(model: Yard, tmp_path: Path) -> Yard:
    folder = tmp_path / "yard"
    shutil.copytree(model.mono.root.parent, folder, symlinks=True)
    config = folder / "mono" / ".git" / "config"
    config.write_text(config.read_text().replace(str(model.remote), str(folder / "remote")))
    yard = Yard(mono=Monorepo(root=folder / "mono"), world=model.world, url=model.url)
    yard.first, yard.image, yard.of = model.first, model.image, model.of
    yard.well()
    return yard


def tag_of(image: str) -> str:
    return image.partition("@")[0].rpartition(":")[2]
