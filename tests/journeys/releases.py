"""A monorepo that releases: its images go to a real registry, and its values files lie on a real remote."""

from __future__ import annotations

from pathlib import Path

from tests.journeys.conftest import Monorepo, small
from tests.playground import git, publish

__all__ = ["HEAD", "USERS", "VALUES", "releasing", "there"]

USERS = "-- +goose Up\nCREATE TABLE users (id TEXT);\n\n-- +goose Down\nDROP TABLE users;\n"
VALUES = 'migrations:\n  image: ""   # promoted\n'
HEAD = """image: {repository: "HOST/{service}", platforms: [linux/amd64]}
environments:
  dev:
    gitops: {repository: ., branch: main, push: direct}
    values: {file: "services/{service}/values.yaml", key: migrations.image}
  prod:
    protected: true
    after: dev
    gitops: {repository: ., branch: main, push: pull-request}
    values: {file: "services/{service}/values.yaml", key: migrations.image}"""


def releasing(images: str, tmp_path: Path) -> Monorepo:
    """Two services with one migration each, whose dev nothing was promoted to; the remote lies beside it."""
    files = {"00001_users.sql": USERS}
    monorepo = small(tmp_path / "monorepo", {"shop": files, "cart": files}, HEAD.replace("HOST", images))
    for service in ("shop", "cart"):
        (monorepo.root / "services" / service / "values.yaml").write_text(VALUES)
    (monorepo.root / ".gitignore").write_text(".state/\n")
    publish(monorepo.root, tmp_path / "remote")
    return monorepo


def there(mono: Monorepo, service: str = "shop") -> str:
    """The values file on the remote."""
    return git(mono.root.parent / "remote", "show", f"main:services/{service}/values.yaml")
