"""Whose each file of a monorepo is, and what becomes of files that nobody means well with."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.catalog import Service as Entry
from tasks.lint.around import check
from tasks.lint.monorepo import Monorepo, Places
from tasks.lint.rule import rules
from tasks.lint.service import Service
from tasks.lint.source import LARGEST, Kind, Source, kind
from tests.journeys.conftest import Monorepo as Committed

RULES = rules(None, "service")
RUN = "npx prisma migrate deploy\n"
KINDS: tuple[Kind, ...] = ("json", "docker", "make", "yaml", "shell", "prisma")


@pytest.fixture(name="root")
def fixture_root(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    for path in (
        "Makefile",
        "package.json",
        ".github/workflows/ci.yml",
        ".cache/x.yml",
        "packages/shared/package.json",
        "services/a/Dockerfile",
        "services/a/build/run.sh",
        "services/a/notes.md",
        "services/a/inner/x.sh",
        "services/ab/x.sh",
        "schemas/a.prisma",
        "node_modules/x/package.json",
    ):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(RUN)
    (root / "deploy").write_text("#!/usr/bin/env bash\n" + RUN)
    (root / "LICENSE").write_text(RUN)
    return root


def monorepo(root: Path) -> Monorepo:
    return Monorepo(
        root,
        (
            Places("a", "services/a", ("schemas/a.prisma",)),
            Places("inner", "services/a/inner", ()),
            Places("again", "services/a", ()),
        ),
    )


def paths(looked: Monorepo, service: str) -> list[str]:
    return [source.path for source in looked.held(service).sources]


def test_each_file_is_looked_at_once(root: Path) -> None:
    Committed(root=root).commit()
    looked = monorepo(root)
    assert paths(looked, "a") == ["schemas/a.prisma", "services/a/Dockerfile", "services/a/build/run.sh"]
    assert paths(looked, "inner") == ["services/a/inner/x.sh"]
    assert paths(looked, "again") == []
    around = [".github/workflows/ci.yml", "Makefile", "deploy", "package.json", "packages/shared/package.json"]
    assert paths(looked, "") == [*around, "services/ab/x.sh"]


def test_without_git_what_compilers_fill_is_left_out(root: Path) -> None:
    assert paths(monorepo(root), "a") == ["schemas/a.prisma", "services/a/Dockerfile"]


def test_a_key_is_made_of_what_is_read_alone(root: Path) -> None:
    before = monorepo(root)
    keys = {name: before.held(name).digest for name in ("a", "inner", "")}
    (root / "services/a/notes.md").write_text("another")
    (root / "LICENSE").write_text("another")
    os.utime(root / "Makefile")
    assert {name: monorepo(root).held(name).digest for name in keys} == keys
    (root / "services/a/Dockerfile").write_text("FROM x")
    after = {name: monorepo(root).held(name).digest for name in keys}
    assert {name for name in keys if keys[name] != after[name]} == {"a"}
    (root / "new.yml").write_text("")
    assert monorepo(root).held("").digest != keys[""]
    assert before.held("a").digest == keys["a"]  # a run judges one state


def test_links_pipes_and_large_files_are_told(root: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.sh").write_text(RUN)
    os.mkfifo(tmp_path / "pipe")
    (root / "out.sh").symlink_to(tmp_path / "outside.sh")
    (root / "pipe.sh").symlink_to(tmp_path / "pipe")
    (root / "nowhere.sh").symlink_to("gone")
    (root / "again.sh").symlink_to("services/ab/x.sh")
    (root / "other.sh").symlink_to("LICENSE")
    (root / "large.sh").write_text("x" * (LARGEST + 1))
    os.mkfifo(root / "here.sh")
    found = {source.path: source.unread for source in monorepo(root).held("").sources if source.path.endswith(".sh")}
    outward = "it is a link that leads out of the monorepo, or nowhere"
    assert found == {
        "large.sh": "it is larger than 1,024 kB",
        "nowhere.sh": outward,
        "other.sh": "",
        "out.sh": outward,
        "pipe.sh": outward,
        "services/ab/x.sh": "",
    }
    told = check(Service(None, monorepo(root).held("").sources), RULES)
    assert {one.path for one in told if one.severity == "warning"} >= {"large.sh", "out.sh", "pipe.sh"}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("x.sh", "prisma " + "echo (((((" * 8_000),
        ("x.sh", "prisma " + "$(" * 50_000),
        ("x.sh", "prisma 'never closed"),
        ("x.sh", "prisma <<EOF"),
        ("x.sh", "x" * 900_000 + " prisma migrate deploy"),
        ("package.json", '{"scripts": {"a": ' + "[" * 100_000 + ' "prisma"'),
        ("package.json", '{"scripts": {"a": ' + "[" * 900 + '"prisma"' + "]" * 900 + "}}"),
        ("package.json", '{"scripts": {"a": 1' + "1" * 5_000 + ', "b": "prisma"}}'),
        ("package.json", "3 prisma"),
        ("x.yml", "a: &a [prisma, prisma]\n" + "".join(f"b{i}: &b{i} [*a, *a]\n" for i in range(9)) + "run: *b8\n"),
        ("x.yml", "run: " + "[" * 5_000 + "prisma"),
        ("x.yml", "run: " + "- " * 5_000 + "prisma"),
        ("x.yml", "run: !!python/object/apply:os.system [prisma migrate deploy]"),
        ("Dockerfile", "RUN <<EOF\nprisma migrate deploy"),
        ("Dockerfile", 'RUN ["prisma", "migrate'),
        ("Dockerfile", 'CMD ["", "prisma", "\\u0070risma", "migrate", "deploy"]'),
        ("Makefile", "\tprisma migrate \\"),
        ("schema.prisma", "model x {\n" * 50_000),
        ("schema.prisma", 'model x {\n a String @default("' + "\\" * 50_000),
        ("schema.prisma", "model x {\n  @@id([" + "a," * 50_000),
    ],
)
def test_a_file_that_nobody_means_well_with_ends_in_seconds(path: str, text: str) -> None:
    form = kind(path)
    assert form
    begun = time.monotonic()
    for one in check(Service(None, (Source(path, form, text.encode()),)), RULES):
        assert one.message.endswith(".")
    assert time.monotonic() - begun < 20


TEXTS = st.lists(
    st.sampled_from(
        ["prisma ", "migrate ", "deploy", "\n", "'", '"', "\\", "$(", ")", "{{", "}}", ": ", "- ", "|", "<<EOF"]
    )
    | st.sampled_from(
        ["RUN ", "[", "]", "{", "}", ",", "\t", "#", "=", "run", "model x {\n", "é", "\0", "\ud800", "&a "]
    )
    | st.text(max_size=3),
    max_size=40,
).map("".join)


@settings(max_examples=300, deadline=None)
@given(form=st.sampled_from(KINDS), text=TEXTS)
def test_whatever_a_file_holds_is_judged(form: Kind, text: str) -> None:
    entry = Entry(name="a", folder="", migration_job="", image="", databases=())
    source = Source("package.json" if form == "json" else "x", form, text.encode(errors="surrogatepass"))
    for one in check(Service(entry, (source,)), RULES):
        assert one.line >= 1
        assert one.column >= 1
