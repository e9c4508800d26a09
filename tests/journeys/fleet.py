"""A monorepo of many services, each released to dev as well as can be: real remote, real database, stand-in Argo CD."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.argocd_standin.many import Many
from tests.argocd_standin.release import released
from tests.argocd_standin.server import TOKEN, World, serving
from tests.journeys.conftest import Monorepo, lend, small
from tests.journeys.wrong import LOG, Place
from tests.playground import git, publish

__all__ = ["FILES", "HEAD", "Fleet", "fleet"]

GOOD = "-- +goose Up\nCREATE TABLE {0} (id TEXT PRIMARY KEY);\n-- +goose Down\nDROP TABLE {0};\n"
FILES = {"00001_a.sql": GOOD.format("a"), "00002_b.sql": GOOD.format("b")}
HEAD = """image: {repository: "HOST/shop/{service}", platforms: [linux/amd64]}
environments:
  dev:
    namespace: auth
    argocd: {application: "{service}-dev", server: "ARGO", token_env: SHOP_TOKEN}
    gitops: {repository: ., branch: main, push: direct}
    values: {file: "services/{service}/values.yaml", key: migrations.image}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """The monorepo, the Argo CD that says of each service what its place has, and dev's database."""

    mono: Monorepo
    argocd: Many
    places: Mapping[str, Place]  # by service
    url: str

    def variables(self, *without: str) -> dict[str, str]:
        """What a release engineer has set; ``without`` are the services whose database is not known."""
        named = {name: f"{name.replace('-', '_').upper()}_MAIN_DEV_URL" for name in self.places if name not in without}
        return {"SHOP_TOKEN": TOKEN, **dict.fromkeys(named.values(), self.url)}


@contextmanager
def fleet(server: Monorepo, folder: Path, services: Iterable[str]) -> Iterator[Fleet]:
    """Release all of them. They share a database, where each has a version table of its own."""
    dev = lend(server, small(folder / "dev", {"dev": FILES}))
    dev.fine("migrate")
    url = dev.urls()["dev/main"]
    argocd = Many()
    with serving(world=argocd):
        mono = small(
            folder / "mono",
            dict.fromkeys(services, FILES),
            HEAD.replace("ARGO", argocd.url).replace("HOST", argocd.host),
        )
        places = _released(mono, folder / "remote", argocd, url)
        yield Fleet(mono=mono, argocd=argocd, places=places, url=url)
    dev.stop()


def _released(mono: Monorepo, remote: Path, argocd: Many, url: str) -> dict[str, Place]:
    root, names = mono.root, sorted(one.name for one in (mono.root / "services").iterdir())
    listed = (root / "services.yaml").read_text()
    tables = {name: f"goose_{name.replace('-', '_')}" for name in names}
    for name, table in tables.items():
        listed = listed.replace(f"name: {name}}}", f"name: {{dev: dev_main}}, table: {table}}}")
    (root / "services.yaml").write_text(listed)
    (root / ".gitignore").write_text(".state/\n")
    other = {name: f"{argocd.host}/shop/{name}:m-fedcba9876543210@sha256:{'0' * 64}" for name in names}
    image = {name: f"{argocd.host}/shop/{name}:m-0123456789abcdef@sha256:{'a' * 64}" for name in names}
    _write(root, other)
    publish(root, remote)
    before = git(root, "rev-parse", "HEAD").strip()
    _write(root, image)
    git(root, "commit", "--quiet", "-am", "\n".join(["promote\n", *image.values(), f"\nCommit: {before}"]))
    git(root, "push", "--quiet")
    promoted = git(root, "rev-parse", "HEAD").strip()
    places = {}
    for name in names:
        world = argocd.worlds[f"{name}-dev"] = World()
        places[name] = Place(
            world=world,
            service=name,
            image=image[name],
            other=other[name],
            before=before,
            promoted=promoted,
            url=url,
            table=tables[name],
        )
        released(world, f"{name}-dev", image=image[name], revision=promoted, logs={f"{name}-migrate": LOG})
    statements = ";".join(f"CREATE TABLE {one} (LIKE goose_db_version INCLUDING ALL)" for one in tables.values())
    places[names[0]].sql(statements)
    for place in places.values():
        place.migrated()
    return places


def _write(root: Path, images: Mapping[str, str]) -> None:
    for name, image in images.items():
        (root / "services" / name / "values.yaml").write_text(f"migrations:\n  image: {image}\n")
