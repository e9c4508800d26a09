"""What `init` makes of a monorepo: cases of whole trees, trees at random, and trees that mean no good."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import catalog_file, helm_template, yaml_lenient
from tasks.init.draft import draft
from tasks.init.findings import findings
from tasks.init.survey import Survey, survey
from tasks.init.text import written
from tools import tree

CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "cases" / "init.yaml").read_text())


def planted(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


@pytest.mark.parametrize("name", CASES)
def test_init_when(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    root = planted(tmp_path / "shop", case["files"])
    for link, to in case.get("links", {}).items():
        (root / link).symlink_to(to)
    seen = survey(tree.look(root))
    made = draft(seen, case.get("branch"))
    text = written(made.document)
    document = yaml_lenient.documents(text)[0]
    (root / "services.yaml").write_text(text)
    catalog_file.load(root / "services.yaml")
    assert document.pop("version") == 1
    assert document.pop("services") == case["services"]
    assert document == case.get("head", {"environments": {"local": {}}})
    comments = [line.partition(" # ")[2] for line in text.splitlines()]
    assert [comment for comment in case.get("comments", ()) if comment not in comments] == []
    told = [str(finding).splitlines()[0] for finding in findings(seen, made)]
    said = [line for line in told if not line.startswith("Prisma: ")]
    assert bool(made.unpulled) == (said != told)
    assert list(made.unpulled) == case.get("unpulled", list(made.unpulled))
    expected = case.get("findings", [])
    assert len(said) == len(expected), said
    assert [one for one, start in zip(said, expected, strict=True) if not one.startswith(start)] == []
    assert sorted({name for entry in made.entries if entry.stream for name in entry.stream.clusters}) == case.get(
        "clusters", []
    )
    assert "hunter2" not in text


PARTS = st.sampled_from(
    (
        "services",
        "apps",
        "db",
        "migrations",
        "Auth.Service",
        "auth-service",
        "auth",
        "a_b",
        "a-b",
        "1",
        "é",
        "all",
        "prisma",
    )
)
SQL = CASES["a flat monorepo needs a line for what differs only"]["files"]["auth/migrations/00001_init.sql"]
CLICKHOUSE = (
    "-- +goose Up\nALTER TABLE `a-b`.t ON CLUSTER c DROP COLUMN x;\nCREATE TABLE x.t (a UInt8) ENGINE = MergeTree;\n"
)
CHART = "database: {name: shared}\nimage: &a [*a]\nnamespace: Not_One\nmigrations: {image: 'a b:1'}\n"
PRISMA = 'datasource db {\n  provider = "postgresql"\n  url = env("AUTH_DATABASE_URL")\n}\n'
FILES = st.one_of(
    st.tuples(
        st.sampled_from(("1_a.sql", "20250101000000_b.sql", "99999999999999999999_c.sql")),
        st.sampled_from((SQL, CLICKHOUSE)),
    ),
    st.tuples(
        st.sampled_from(("values-dev.yaml", "values-all.yaml", "prod-values.yaml", "values.yaml")), st.just(CHART)
    ),
    st.tuples(st.just("schema.prisma"), st.just(PRISMA)),
    st.tuples(st.just("package.json"), st.just("{}")),
    st.tuples(
        st.just("job.yaml"), st.just("kind: Job\nmetadata:\n  name: migrate\nspec:\n  args: [-table, my.versions]\n")
    ),
)
TREES = st.lists(st.tuples(st.lists(PARTS, max_size=5), FILES), max_size=14)


@given(listed=TREES, branch=st.sampled_from((None, "feature/trunk")))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_drafted_of_any_tree_loads(
    listed: list[tuple[list[str], tuple[str, str]]], branch: str | None, tmp_path: Path
) -> None:
    texts = {"/".join((*folders, file)): text for folders, (file, text) in listed}
    seen = Survey(name="Shop 2", paths=tuple(sorted(texts)), texts=texts, links={})
    made = draft(seen, branch)
    findings(seen, made)
    if made.document:
        for entry in made.entries:
            (tmp_path / entry.folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / "services.yaml").write_text(written(made.document))
        catalog_file.load(tmp_path / "services.yaml")


@given(text=st.one_of(st.text(), st.text("ab:{}[]&*!-|>'\"#\n {%").map(lambda text: f"kind: Job\nmetadata:\n{text}")))
@settings(max_examples=300, deadline=None)
def test_anything_can_be_read_as_a_manifest_without_harm(text: str) -> None:
    for document in yaml_lenient.documents(text):
        yaml_lenient.flat(document)
    for resource in helm_template.resources(text):
        helm_template.filled(resource.name, {}, release="r", chart="c")


def test_a_bomb_of_aliases_does_not_go_off() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 40))
    (document,) = yaml_lenient.documents(bomb)
    assert len(yaml_lenient.flat(document)) <= 4000
    assert yaml_lenient.documents("[" * 3000 + "]" * 3000) == []
    assert yaml_lenient.documents("a: 1\n" * 60_000) == []
