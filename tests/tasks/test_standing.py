"""How a database elsewhere stands, decided from what its servers hold."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.migrate.versions import File
from tasks.status.standing import judge
from tools.engine import Row
from tools.remote import Replica, Sight

CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "cases" / "standing.yaml").read_text())
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize("name", CASES)
def test_elsewhere(name: str) -> None:
    case = CASES[name]
    replicas = [
        Replica(
            name=server,
            tables={table: tuple(Row(version=one, at=AT) for one in held) for table, held in tables.items()},
        )
        for server, tables in case["servers"].items()
    ]
    judged = judge(
        [File(version=one, name=f"{one}_a.sql", path=f"m/{one}_a.sql", sha256=str(one)) for one in case["files"]],
        Sight(
            replicas=tuple(replicas),
            silent=tuple(case.get("silent", ())),
            remarks=tuple(case.get("remarks", ())),
        ),
        "goose_db_version",
        case.get("streams", ("goose_db_version",)),
    )
    assert {version.version: version.state for version in judged.versions} == case["states"]
    assert list(judged.notes) == case.get("notes", [])
    assert judged.doubtful is case.get("doubtful", False)
    held = [version for version in judged.versions if version.state in {"applied", "missing"}]
    assert {version.at for version in held} <= {"2026-01-02T03:04:05+00:00"}
