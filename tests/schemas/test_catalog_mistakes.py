from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.catalog_file import load
from schemas.errors import CatalogError

CASES = [
    pytest.param(case, id=f"{file.stem.removeprefix('catalog_')}: {case['name']}")
    for file in sorted((Path(__file__).parent / "cases").glob("catalog_*.yaml"))
    for case in yaml.safe_load(file.read_text())
]


@pytest.mark.parametrize("case", CASES)
def test_mistake(case: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for service in ("cart", "order", "stock"):
        (tmp_path / "services" / service).mkdir(parents=True)
    (tmp_path / "services.yaml").write_text(case["text"])
    monkeypatch.chdir(tmp_path)

    with pytest.raises(CatalogError) as caught:
        load(Path("services.yaml"))

    said = [str(mistake).removeprefix("services.yaml:") for mistake in caught.value.mistakes]
    assert [line.replace(str(tmp_path), "ROOT") for line in said] == case["says"]
    assert caught.value.exit_code == 3
