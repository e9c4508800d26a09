from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from schemas.catalog import Catalog
from schemas.catalog_file import load
from schemas.errors import Refused
from tasks.changes import touched

SERVICES = """
version: 1
services:
  auth-service:
    databases: {auth: {engine: postgres, name: first}}
  legal-service:
    databases: {legal: {engine: postgres, name: second}}
  identity-service:
    databases: {identity: {engine: postgres, name: third}, legal: {owner: legal-service/legal}}
"""


def typed(root: Path, *words: str) -> None:
    name = ("-c", "user.name=Someone", "-c", "user.email=someone@example.com", "-c", "commit.gpgsign=false")
    subprocess.run([shutil.which("git") or "git", *name, *words], cwd=root, check=True, capture_output=True)


@pytest.fixture(name="catalog")
def fixture_catalog(tmp_path: Path) -> Catalog:
    for service in ("auth-service", "legal-service", "identity-service"):
        (tmp_path / "services" / service / "migrations").mkdir(parents=True)
        (tmp_path / "services" / service / "migrations" / "1_a.sql").write_text("-- +goose Up\n")
    (tmp_path / "services.yaml").write_text(SERVICES)
    typed(tmp_path, "init", "--quiet", "--initial-branch", "main")
    typed(tmp_path, "add", "--all")
    typed(tmp_path, "commit", "--quiet", "--message", "first")
    typed(tmp_path, "checkout", "--quiet", "-b", "ours")
    return load(tmp_path / "services.yaml")


def test_nothing_changed_touches_nothing(catalog: Catalog) -> None:
    (catalog.root / "README.md").write_text("new")
    assert touched(catalog, "main") == frozenset()


def test_a_new_file_touches_its_service(catalog: Catalog) -> None:
    (catalog.root / "services" / "auth-service" / "migrations" / "2_b.sql").write_text("-- +goose Up\n")
    assert touched(catalog, "main") == {"auth-service"}


def test_a_service_that_refers_to_a_touched_one_is_touched(catalog: Catalog) -> None:
    (catalog.root / "services" / "legal-service" / "migrations" / "1_a.sql").write_text("-- +goose Up\n\n")
    assert touched(catalog, "main") == {"legal-service", "identity-service"}


def test_another_entry_in_services_yaml_touches_that_service_alone(catalog: Catalog) -> None:
    catalog.file.write_text(SERVICES.replace("name: first", "name: first, table: versions"))
    assert touched(load(catalog.file), "main") == {"auth-service"}


def test_a_services_yaml_that_git_does_not_know_touches_all(catalog: Catalog) -> None:
    typed(catalog.root, "rm", "--quiet", "--cached", "services.yaml")
    typed(catalog.root, "commit", "--quiet", "--message", "gone")
    typed(catalog.root, "branch", "--force", "main")
    assert touched(catalog, "main") == set(catalog.services)


def test_an_unknown_base_is_refused_with_the_command_that_fetches_it(catalog: Catalog) -> None:
    with pytest.raises(Refused, match="git fetch origin develop"):
        touched(catalog, "origin/develop")


def test_outside_git_nothing_can_be_compared(catalog: Catalog) -> None:
    shutil.rmtree(catalog.root / ".git")
    with pytest.raises(Refused, match="in no git repository"):
        touched(catalog, "main")
