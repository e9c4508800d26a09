"""Mistakes planted into a copy of the example: lint finds each on its line, and nothing that is not there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.journeys.conftest import ROOT, Monorepo

PLANTED: dict[str, dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "cases" / "planted.yaml").read_text(encoding="utf-8")
)
Place = tuple[str, str, int]  # code, file, line


def expected(plant: dict[str, Any]) -> list[Place]:
    """What a planted mistake must make lint say."""
    found = []
    for one in plant["finds"]:
        code, _, place = one.partition(" ")
        path, _, line = place.rpartition(":")
        found.append((code, f"services/{path or plant['file']}", int(line)))
    return found


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Monorepo:
    """A copy of the example, merged, and clean."""
    root = tmp_path_factory.mktemp("planted") / "monorepo"
    for name in ("services", "charts"):
        shutil.copytree(ROOT / name, root / name)
    shutil.copy(ROOT / "services.yaml", root)
    (root / ".gitignore").write_text(".state/\n")
    monorepo = Monorepo(root=root)
    monorepo.commit()
    return monorepo


def test_each_planted_mistake_is_found_on_its_line_and_nothing_else_is(example: Monorepo) -> None:
    clean = json.loads(example.fine("lint", "format=json").stdout)
    assert (clean["findings"], clean["not_checked"]) == ([], [])
    for name, plant in PLANTED.items():
        path = example.root / "services" / plant["file"]
        if "gone" in plant:
            path.unlink()
            continue
        text = plant.get("sql") or path.read_text(encoding="utf-8")
        for old, new in plant.get("edits", {}).items():
            assert old in text, name
            text = text.replace(old, new)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    done = example.doit("lint", "format=json")
    assert done.returncode == 1
    found = [(one["code"], one["file"], one["line"]) for one in json.loads(done.stdout)["findings"]]
    wanted = [place for plant in PLANTED.values() for place in expected(plant)]
    assert len(PLANTED) >= 50
    assert sorted(found) == sorted(wanted)
