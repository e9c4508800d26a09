"""`doctor` shows every program, installs nothing, and ends with 1 when one is missing."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest
from jsonschema import Draft202012Validator

from schemas.catalog_file import load
from tasks import doctor
from tasks.work import Outcome, Progress, Session, Work

ROOT = Path(__file__).parents[2]
NAMES = ["Python", "git", "doit", "psycopg", "PyYAML", "jsonschema", "rich", "Docker SDK"]
NAMES += [
    "pytest",
    "ruff",
    "mypy",
    "import-linter",
    "Go",
    "goose",
    "Node.js",
    "PostgreSQL",
    "ClickHouse",
    "Helm for Python",
    "Prisma",
]
NAMES += ["Prisma Studio", "pg_dump", "Docker", "Kubernetes, Argo CD"]


def run(folder: Path, environments: str = "", **variables: str) -> tuple[Outcome, list[str]]:
    """The step's outcome and lines, in a monorepo of one service."""
    (folder / "services" / "a").mkdir(parents=True)
    (folder / "services.yaml").write_text(
        f"version: 1\n{environments}services: {{a: {{databases: {{a: {{engine: postgres, name: a}}}}}}}}\n"
    )
    catalog, lines = load(folder / "services.yaml"), list[str]()
    session = Session(catalog, lines.append)
    work = Work(
        catalog=catalog,
        targets=(),
        variables=variables,
        session=session,
        progress=Mock(spec=Progress),
        out=lines.append,
    )
    return doctor.run(work), lines


@pytest.fixture(autouse=True)
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which nothing was installed yet."""
    monkeypatch.setenv("GANDER_TOOLS", str(tmp_path / "tools"))
    return tmp_path / "tools"


def test_every_program_has_a_line(tmp_path: Path) -> None:
    outcome, lines = run(tmp_path)
    assert [line.partition("  ")[0] for line in lines[1 : len(NAMES) + 1]] == NAMES
    assert any("not proved: replication" in line for line in lines[len(NAMES) + 1 :])
    assert (outcome.exit_code, outcome.summary) == (0, "23 programs, none missing")


def test_the_document_is_what_its_schema_says(tmp_path: Path) -> None:
    outcome, lines = run(tmp_path, format="json")
    schema = json.loads((ROOT / "schemas" / "doctor.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    document = json.loads("\n".join(lines))
    Draft202012Validator(schema).validate(document)
    assert [program["name"] for program in document["programs"]] == NAMES
    assert outcome.exit_code == 0


def test_looking_installs_nothing(tmp_path: Path, tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    _, lines = run(tmp_path, format="json")
    states = {program["name"]: program["state"] for program in json.loads("\n".join(lines))["programs"]}
    assert {states[name] for name in ("Go", "goose", "Node.js", "PostgreSQL")} == {"on demand"}
    assert not list(tools.glob("*-*"))


def test_what_is_missing_and_cannot_be_brought_ends_with_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    outcome, lines = run(tmp_path)
    assert (outcome.exit_code, outcome.summary) == (1, "missing: git")
    assert any("git" in line and "missing" in line and "package manager" in line for line in lines)


def test_a_machine_without_docker_is_in_order_and_told_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nosuch/docker.sock")
    outcome, lines = run(tmp_path, format="json")
    (row,) = (one for one in json.loads("\n".join(lines))["programs"] if one["name"] == "Docker")
    assert (outcome.exit_code, row["state"], row["version"], row["path"]) == (0, "absent", "", "")
    assert row["needed_by"] == ["image (push=false)", "rehearse"]
    assert "no Docker daemon at unix:///nosuch/docker.sock: correct DOCKER_HOST" in row["obtain"]


def test_what_only_the_projects_own_tests_need_is_absent_and_says_what_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").symlink_to(shutil.which("git") or "")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    outcome, lines = run(tmp_path)
    assert outcome.exit_code == 0
    (line,) = [line for line in lines if line.startswith("Kubernetes, Argo CD ")]
    assert " absent " in line
    if sys.platform == "linux":
        assert "Debian's etcd-server, redis-server, containerd, " in line


def test_a_server_of_the_users_own_needs_no_postgresql_of_ours(tmp_path: Path) -> None:
    own = "environments:\n  local:\n    postgres: postgres://127.0.0.1:5432/postgres\n"
    _, lines = run(tmp_path, own)
    assert [name for name in NAMES if not any(line.startswith(f"{name} ") for line in lines)] == [
        "Node.js",
        "PostgreSQL",
    ]


def test_a_clickhouse_of_the_users_own_needs_none_of_ours(tmp_path: Path) -> None:
    _, lines = run(tmp_path, "environments:\n  local:\n    clickhouse: http://127.0.0.1:8123/\n")
    assert not any("ClickHouse" in line for line in lines)
