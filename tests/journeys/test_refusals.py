"""An applied file that was changed, removed or renamed: refused whatever is typed, and each printed way out works."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from typing import TYPE_CHECKING

import jsonschema

if TYPE_CHECKING:
    from tests.journeys.conftest import Make, Monorepo

from tests.journeys.conftest import ROOT, counts, ran

CHANGED = "20260109021437_create_user_preferences.sql"
GONE = "20260203074526_add_slug_to_resumes.sql"
RENAMED = "20260216084119_index_legal_document_versions.sql"


def disturb(monorepo: Monorepo) -> None:
    changed = monorepo.folder("auth-service") / CHANGED
    changed.write_text(changed.read_text() + "\n-- an afterthought\n")
    (monorepo.folder("personal-service") / GONE).unlink()
    renamed = monorepo.folder("legal-service") / RENAMED
    renamed.rename(renamed.with_name(RENAMED.replace("20260216084119", "20260216084120")))


def test_changed_removed_and_renamed_files_are_refused_and_git_brings_them_back(example: Monorepo) -> None:
    example.commit()
    disturb(example)
    done = example.doit("migrate", "--continue")
    assert done.returncode == 1
    assert ran(done) == []
    # the reference needs legal-service/legal, which failed
    assert re.search(r"^0 ran, 2 up to date, 3 failed, 1 not run in ", done.stderr, re.MULTILINE), done.stderr
    assert f"services/auth-service/migrations/{CHANGED} was changed after it had been applied" in done.stderr
    assert f"services/personal-service/migrations/{GONE} was applied and its file is gone" in done.stderr
    assert f"services/legal-service/migrations/{RENAMED} was applied and its file is gone" in done.stderr
    assert "20260216084120_index_legal_document_versions.sql is older than" in done.stderr
    assert "or, if its rows may go, rebuild the local database: doit reset:auth-service/auth" in done.stderr

    for words in (
        ["-s", "migrate:auth-service"],
        ["-a", "migrate:auth-service"],
        ["migrate:auth-service"],
        ["migrate:auth-service/auth", "-s", "-a"],
    ):
        refused = example.doit(*words)
        assert refused.returncode == 1
        assert counts(refused) == (0, 0, 1)
        assert f"{CHANGED} was changed" in refused.stderr
    example.fine("forget", "migrate:auth-service")
    assert counts(example.doit("migrate:auth-service")) == (0, 0, 1)

    told = example.doit("status", "format=json")
    assert told.returncode == 1
    document = json.loads(told.stdout)
    jsonschema.validate(document, json.loads((ROOT / "schemas" / "status.schema.json").read_text()))
    states = {
        (one["database"], version["name"]): version["state"]
        for one in document["databases"]
        for version in one["versions"]
        if version["state"] != "applied"
    }
    assert states["auth", CHANGED] == "changed"
    assert states["personal", GONE] == "missing"
    assert states["legal", RENAMED] == "missing"
    assert states["legal", "20260216084120_index_legal_document_versions.sql"] == "out of order"
    assert example.doit("status:auth-service").stdout.count("changed") == 2  # counted in the head line, and named

    ways = dict.fromkeys(re.findall(r"git restore --source=\S+ \S+", done.stderr))
    assert len(ways) == 3
    for way in ways:
        subprocess.run(shlex.split(way), cwd=example.root, check=True)
    (example.folder("legal-service") / "20260216084120_index_legal_document_versions.sql").unlink()
    before = example.control()
    assert counts(example.fine("migrate")) == (0, 6, 0)
    assert example.control() == before


def test_a_changed_file_runs_after_a_reset(make: Make) -> None:
    text = "-- +goose Up\nCREATE TABLE items (id TEXT PRIMARY KEY{});\n"
    monorepo = make({"shop": {"00001_init.sql": text.format("")}})
    monorepo.fine("migrate")
    (monorepo.folder("shop") / "00001_init.sql").write_text(text.format(", name TEXT"))
    refused = monorepo.doit("migrate")
    assert (refused.returncode, counts(refused)) == (1, (0, 0, 1))
    (way,) = re.findall(r"rebuild the local database: doit (\S+)", refused.stderr)
    assert "rebuilt, 1 file applied" in monorepo.fine(way).stderr
    columns = "SELECT attname FROM pg_attribute WHERE attrelid = 'items'::regclass AND attnum > 0"
    assert monorepo.sql("shop/main", columns) == [("id",), ("name",)]


def test_an_older_file_that_comes_late_is_refused_until_it_has_a_later_version(make: Make) -> None:
    text = "-- +goose Up\nCREATE TABLE {} (id TEXT PRIMARY KEY);\n"
    monorepo = make({"shop": {"00001_a.sql": text.format("a"), "00003_c.sql": text.format("c")}})
    monorepo.fine("migrate")
    monorepo.commit()
    late = monorepo.folder("shop") / "00002_b.sql"
    late.write_text(text.format("b"))
    refused = monorepo.doit("migrate")
    assert refused.returncode == 1
    assert "services/shop/migrations/00002_b.sql is older than 00003_c.sql, which is applied" in refused.stderr
    (way,) = re.findall(r"give it a later version: doit (\S+)", refused.stderr)
    assert "1 file renamed; local: 1 file applied" in monorepo.fine(way).stderr
    assert not late.exists()
    assert late.with_name("00004_b.sql").read_text() == text.format("b")
    assert counts(monorepo.fine("migrate")) == (0, 1, 0)


def test_a_renamed_version_table_is_refused_and_named_again(make: Make) -> None:
    monorepo = make({"shop": {"00001_init.sql": "-- +goose Up\nCREATE TABLE items (id TEXT PRIMARY KEY);\n"}})
    monorepo.fine("migrate")
    services = monorepo.root / "services.yaml"
    text = services.read_text()
    services.write_text(text.replace("engine: postgres", "engine: postgres, table: versions"))
    refused = monorepo.doit("migrate")
    assert refused.returncode == 1
    assert "names versions as the version table of shop/main, which is empty" in refused.stderr
    assert "goose_db_version (1 versions)" in refused.stderr
    assert monorepo.doit("status").returncode == 1
    services.write_text(text.replace("engine: postgres", "engine: postgres, table: goose_db_version"))
    assert counts(monorepo.fine("migrate")) == (0, 1, 0)
