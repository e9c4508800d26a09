"""`doit test` as it is typed: what only a server shows is found, and nothing in what is right."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.journeys.conftest import Monorepo, copied, counts, ran

CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "cases" / "defects.yaml").read_text())
SERVICES = {name: f"s{number}" for number, name in enumerate(CASES)}
FILE = "20260102000000_second.sql"
FIRST = """-- +goose Up
CREATE TABLE first (id TEXT PRIMARY KEY, name TEXT, at TIMESTAMPTZ(6));
-- +goose Down
DROP TABLE first;
"""
FIRST_CLICKHOUSE = """-- +goose Up
CREATE TABLE IF NOT EXISTS {db}.first (id UInt64) ENGINE = MergeTree ORDER BY id;
-- +goose Down
DROP TABLE IF EXISTS {db}.first SYNC;
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What one `doit test` of all defects says, by service."""
    root = tmp_path_factory.mktemp("defects") / "monorepo"
    entries = {}
    for name, case in CASES.items():
        service, engine = SERVICES[name], case.get("engine", "postgres")
        entries[service] = {"databases": {"main": {"engine": engine, "name": service}}}
        folder = root / "services" / service / "migrations"
        folder.mkdir(parents=True)
        first = FIRST if engine == "postgres" else FIRST_CLICKHOUSE.format(db=service)
        (folder / "20260101000000_first.sql").write_text(first)
        down = f"\n-- +goose Down\n{case['down'].rstrip()}\n" if "down" in case else ""
        text = f"-- +goose Up\n{case['up'].rstrip()}\n{down}"
        (folder / FILE).write_text(text.replace("{db}", service))
    (root / "services.yaml").write_text(json.dumps({"version": 1, "services": entries}))
    monorepo = Monorepo(root=root)
    done = monorepo.doit("-s", "test", "--continue")
    assert done.returncode == 1
    assert counts(done) == (1, 0, len(CASES) - 1)
    assert not (root / ".state" / "postgres").exists()
    assert not (root / ".state" / "clickhouse").exists()
    parts = re.split(r"^[✓✗] test:(s\d+)/main ", done.stderr, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True)) | {"": done.stderr}


@pytest.mark.parametrize("name", CASES)
def test_is_found(name: str, said: dict[str, str]) -> None:
    case, service = CASES[name], SERVICES[name]
    text = said[service]
    if "says" not in case:
        assert text.lstrip().startswith("2 files up, down and up, 1 irreversible")
        assert (
            f"services/{service}/migrations/{FILE}: not taken down, as it is irreversible: names must not be kept"
            in said[""]
        )
        return
    assert f"{service}/main: one finding" in text
    line = f":{case['line']}" if "line" in case else ""
    assert f"services/{service}/migrations/{FILE}{line}" in text
    for words in case["says"]:
        assert words.replace("{db}", service) in text, text
    assert f"→ correct the files, then doit test:{service}/main" in text


def test_the_example_is_clean_and_up_to_date_then_and_its_local_databases_are_not_touched(
    whole: Monorepo, tmp_path: Path
) -> None:
    monorepo = copied(whole, tmp_path / "monorepo")
    done = monorepo.fine("-s", "test")
    assert counts(done) == (7, 0, 0)
    assert not (monorepo.state / "postgres").exists()
    assert counts(monorepo.fine("-s", "test")) == (0, 7, 0)
    monorepo.write("auth-service", "20270101000000_more.sql", "CREATE TABLE more (id TEXT);", "DROP TABLE more;")
    assert ran(monorepo.fine("-s", "test")) == ["test:auth-service/auth"]
    refused = monorepo.doit("test:identity-service/legal")
    assert "→ doit test:legal-service/legal" in refused.stderr
