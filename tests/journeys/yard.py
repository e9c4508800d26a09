"""One release to dev that went well, with a real remote and a real database; Argo CD is a stand-in that can lie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from schemas import catalog_file
from schemas.target import Target
from tasks.verify.run import run
from tasks.work import Outcome, Session, Work
from tests.argocd_standin.release import released
from tests.argocd_standin.server import TOKEN, World, serving
from tests.journeys.conftest import Monorepo, lend, small
from tests.journeys.fleet import FILES, HEAD
from tests.journeys.wrong import LOG, Place
from tests.playground import git, publish
from tests.tasks.promote.conftest import Said

__all__ = ["BUILT", "DECIDED", "Yard", "fixture_well", "fixture_yard"]

BUILT = {"by": "builder@example.com", "at": "2026-11-23T04:50:00+00:00"}
DECIDED = {
    "ref": "CHG-7",
    "override": "the pager rings",
    "plan": ["main: 2 migrations to version 2, 1 of them new\n  00002_b.sql"],
}
DIGEST = f"sha256:{'a' * 64}"


@dataclass(kw_only=True)
class Yard:
    """A monorepo whose release to dev went well, the Argo CD that says so, and dev's database."""

    mono: Monorepo
    world: World
    url: str  # of the database
    before: str = ""  # the GitOps commit before the release
    promoted: str = ""  # the one that brought it
    said: Said = field(default_factory=Said)

    @property
    def image(self) -> str:
        """What was released; its registry is the stand-in, too, and gives nothing away."""
        return f"{self.world.host}/shop/shop:m-0123456789abcdef@{DIGEST}"

    @property
    def other(self) -> str:
        """What was released before."""
        return f"{self.world.host}/shop/shop:m-fedcba9876543210@sha256:{'0' * 64}"

    @property
    def place(self) -> Place:
        """The release, and everything of it that may be otherwise."""
        return Place(
            world=self.world,
            service="shop",
            image=self.image,
            other=self.other,
            before=self.before,
            promoted=self.promoted,
            url=self.url,
        )

    @property
    def variables(self) -> dict[str, str]:
        """What a release engineer has set."""
        return {"SHOP_TOKEN": TOKEN, "SHOP_MAIN_DEV_URL": self.url}

    def well(self) -> None:
        """Have everything be as after a release that went well."""
        world = self.world
        world.faults, world.asked, world.compared, world.look = [], [], True, None
        for held in (world.applications, world.jobs, world.pods, world.logs):
            held.clear()
        released(world, "shop-dev", image=self.image, revision=self.promoted, logs={"shop-migrate": LOG})
        self.place.migrated()

    def sql(self, statement: str) -> None:
        self.place.sql(statement)

    def verify(self, monkeypatch: pytest.MonkeyPatch, *without: str, **variables: str) -> Outcome:
        """Verify, as a run would."""
        for name, value in self.variables.items():
            monkeypatch.setenv(name, value)
        for name in without:
            monkeypatch.delenv(name)
        catalog = catalog_file.load(self.mono.root / "services.yaml", None)
        session = Session(catalog, self.said.line)
        self.said.lines.clear()
        work = Work(
            catalog=catalog,
            targets=(Target(step="verify", service="shop", environment="dev"),),
            variables=variables,
            session=session,
            progress=self.said,
            out=self.said.line,
        )
        try:
            return run(work)
        finally:
            session.close()


@pytest.fixture(scope="module", name="yard")
def fixture_yard(empty_server: Monorepo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    folder = tmp_path_factory.mktemp("verify")
    dev = lend(empty_server, small(folder / "dev", {"shop": FILES}))
    dev.fine("migrate")
    url = dev.urls()["shop/main"]
    with serving() as world:
        head = HEAD.replace("ARGO", world.url).replace("HOST", world.host)
        yard = Yard(mono=small(folder / "mono", {"shop": FILES, "idle": {}}, head), world=world, url=url)
        root = yard.mono.root
        listed = (root / "services.yaml").read_text()
        listed = listed.replace("main: {engine: postgres, name: idle}", "x: {owner: shop/main}")
        (root / "services.yaml").write_text(listed.replace("name: shop}", "name: {dev: shop_main}}"))
        values = root / "services" / "shop" / "values.yaml"
        values.write_text(f"migrations:\n  image: {yard.other}\n")
        (root / ".gitignore").write_text(".state/\n")
        publish(root, folder / "remote")
        yard.before = git(root, "rev-parse", "HEAD").strip()
        values.write_text(f"migrations:\n  image: {yard.image}\n")
        trailers = f"Image: {yard.image}\nCommit: {yard.before}\nBuilt: {BUILT['at']} by {BUILT['by']}"
        trailers += f"\nRef: {DECIDED['ref']}\nOverride: {DECIDED['override']}"
        git(root, "commit", "--quiet", "-am", f"chore(shop): promote\n\n{DECIDED['plan'][0]}\n\n{trailers}")
        git(root, "push", "--quiet")
        yard.promoted = git(root, "rev-parse", "HEAD").strip()
        yield yard
    dev.stop()


@pytest.fixture(autouse=True)
def fixture_well(yard: Yard) -> None:
    """Each test begins with a release that went well."""
    yard.well()
