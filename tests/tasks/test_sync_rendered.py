"""Whether two commits say the same of a service, with a real git."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from schemas.application import Source
from schemas.catalog import Environment
from schemas.target import Target
from tasks.promote.site import Site
from tasks.sync.rendered import alike
from tests.playground import SETTINGS, git
from tools.git.remote import Remote
from tools.git.repository import Repository

SOURCE = Source(whole="{}", path="services/cart/helm", values=("values-dev.yaml", "/shared/dev.yaml"))
FILES = {
    "services/cart/helm/Chart.yaml": 'name: cart\ndependencies:\n- {name: base, repository: "file://../../../charts/base"}\n',
    "services/cart/helm/values-dev.yaml": "migrations: {image: a}\n",
    "services/cart/helm/templates/job.yaml": "kind: Job\nsecurity: {readOnlyRootFilesystem: true}\n",
    "services/wish/helm/Chart.yaml": "name: wish\n",
    "charts/base/Chart.yaml": 'dependencies:\n- {repository: "file://../more"}\n- {name: far, repository: "oci:x"}\n',
    "charts/base/templates/_all.tpl": "x",
    "charts/more/Chart.yaml": "name: more\n",
    "shared/dev.yaml": "a: 1\n",
    "README.md": "read\n",
}

OTHERS = ("services/cart/helm/values-prod.yaml", "services/cart/helm/values.yaml", "prod/cart.yaml")

PROD = "services/cart/helm/values-prod.yaml"


class Repo(NamedTuple):
    root: Path
    first: str

    def write(self, path: str, text: str = "changed\n") -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def commit(self) -> str:
        git(self.root, "add", "--all")
        git(self.root, "commit", "--quiet", "--message", "x")
        return git(self.root, "rev-parse", "HEAD").strip()

    def alike(self, other: str, source: Source = SOURCE, below: str = "") -> bool:
        remote = Remote(Repository(self.root / below), "origin", "")
        file = os.path.relpath("services/cart/helm/values-dev.yaml", below or ".")
        place = Site(
            target=Target(step="sync", service="cart", environment="dev"),
            environment=Environment(name="dev", servers={}),
            remote=remote,
            branch="main",
            file=file,
            key="migrations.image",
            by_request=False,
            others=tuple(os.path.relpath(one, below or ".") for one in OTHERS),
        )
        return alike(place, source, self.first, other)


@pytest.fixture(name="repo")
def fixture_repo(tmp_path: Path) -> Repo:
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    for name, value in SETTINGS.items():
        git(tmp_path, "config", name, value)
    repo = Repo(tmp_path, "")
    for path, text in FILES.items():
        repo.write(path, text)
    return repo._replace(first=repo.commit())


@pytest.mark.parametrize("below", ["", "services"])
@pytest.mark.parametrize(
    ("path", "same"),
    [
        ("README.md", True),
        ("services/wish/helm/Chart.yaml", True),
        ("services/cart/helm/templates/job.yaml", False),
        ("services/cart/helm/templates/new.yaml", False),
        ("services/cart/helm/values-dev.yaml", False),
        ("charts/base/templates/_all.tpl", False),
        ("charts/more/values.yaml", False),
        ("shared/dev.yaml", False),
    ],
)
def test_another_services_commit_renders_the_same_and_one_of_its_own_does_not(
    repo: Repo, path: str, below: str, *, same: bool
) -> None:
    repo.write(path)
    assert repo.alike(repo.commit(), below=below) is same


@pytest.mark.parametrize("below", ["", "services"])
def test_a_promotion_to_another_environment_renders_the_same(repo: Repo, below: str) -> None:
    repo.write(PROD, "migrations: {image: b}\n")
    assert repo.alike(repo.commit(), below=below)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("services/cart/helm/values.yaml", "a: 1\n"),
        ("services/cart/helm/values-test.yaml", "a: 1\n"),
        ("services/cart/helm/templates/job.yaml", "kind: CronJob\n"),
        ("services/cart/helm/templates/values-prod.yaml", "kind: Job\n"),
    ],
    ids=["Helm's own values", "nobody's values", "a template beside it", "a template of its name"],
)
def test_beside_it_all_else_in_the_folder_counts(repo: Repo, path: str, text: str) -> None:
    repo.write(PROD)
    repo.write(path, text)
    assert not repo.alike(repo.commit())


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("services/cart/helm/templates/map.yaml", '{{ .Files.Get "values-prod.yaml" }}\n'),
        ("charts/more/templates/_all.tpl", '{{ index $ "Files" }}\n'),
        ("shared/dev.yaml", "a: '{{ .Files.Get \"values-prod.yaml\" }}'\n"),
    ],
    ids=["a template", "one of a chart beside it", "a value that is a template"],
)
def test_it_counts_where_something_may_read_it(repo: Repo, path: str, text: str) -> None:
    repo.write(path, text)
    repo = repo._replace(first=repo.commit())
    repo.write(PROD)
    assert not repo.alike(repo.commit())


def test_it_counts_where_the_application_takes_it_in(repo: Repo) -> None:
    repo.write(PROD)
    other = repo.commit()
    named = Source(whole="{}", path=SOURCE.path, values=(*SOURCE.values, "values-prod.yaml"))
    says = Source(whole='{"helm": {"values": "a: \'{{ .Files }}\'"}}', path=SOURCE.path, values=SOURCE.values)
    assert repo.alike(other)
    assert not repo.alike(other, named)
    assert not repo.alike(other, says)


def link(repo: Repo) -> None:
    (repo.root / "services/cart/helm/templates/more.yaml").symlink_to("../../../wish/helm/Chart.yaml")


def chart_that_cannot_be_read(repo: Repo) -> None:
    repo.write("services/cart/helm/Chart.yaml", "dependencies: [")


def no_chart(repo: Repo) -> None:
    git(repo.root, "rm", "--quiet", "services/cart/helm/Chart.yaml")


@pytest.mark.parametrize("change", [link, chart_that_cannot_be_read, no_chart])
def test_where_it_cannot_be_told_every_file_counts(repo: Repo, change: Callable[[Repo], None]) -> None:
    change(repo)
    repo = repo._replace(first=repo.commit())
    assert repo.alike(repo.first)
    repo.write("README.md")
    assert not repo.alike(repo.commit())


@pytest.mark.parametrize(
    "source", [Source(whole="{}", path="."), Source(whole="{}", path="services/cart/helm", values=("*.yaml",))]
)
def test_a_chart_at_the_top_and_a_pattern_of_values_may_take_in_every_file(repo: Repo, source: Source) -> None:
    repo.write("README.md")
    assert not repo.alike(repo.commit(), source)


def test_what_is_no_commit_is_not_alike(repo: Repo) -> None:
    head = repo.first
    assert not repo._replace(first="main").alike(head)
    assert not repo._replace(first="--output=x").alike(head)
    assert not repo._replace(first="f" * 40).alike(head)
