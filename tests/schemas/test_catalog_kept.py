"""A services.yaml that was checked is kept for the next run: the same catalog, sooner, and no secret."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.catalog_file import load
from schemas.errors import CatalogError
from tests.schemas.catalogs import PROJECT, WHOLE, made


def test_a_kept_document_gives_the_same_catalog(tmp_path: Path) -> None:
    file, cache = made(tmp_path, WHOLE.read_text()), tmp_path / "catalog"
    first = load(file, cache)
    kept = cache.read_bytes()
    assert load(file, cache) == first == load(file)
    assert cache.read_bytes() == kept
    assert sorted(path.name for path in tmp_path.iterdir()) == ["catalog", "services", "services.yaml"]


@pytest.mark.parametrize("damage", [b"", b"\x00\xff", b"half", b"other\n{}"])
def test_a_damaged_cache_is_written_anew(tmp_path: Path, damage: bytes) -> None:
    file, cache = made(tmp_path, WHOLE.read_text()), tmp_path / "catalog"
    first = load(file, cache)
    kept = cache.read_bytes()
    cache.write_bytes(kept[:-20] if damage == b"half" else damage)
    assert load(file, cache) == first
    assert cache.read_bytes() == kept


def test_a_changed_file_is_checked_again(tmp_path: Path) -> None:
    file, cache = made(tmp_path, WHOLE.read_text()), tmp_path / "catalog"
    load(file, cache)
    file.write_text(file.read_text().replace("engine: clickhouse", "engine: clickhose", 1))
    with pytest.raises(CatalogError, match="did you mean `clickhouse`"):
        load(file, cache)


def test_folders_are_looked_at_whatever_is_kept(tmp_path: Path) -> None:
    file, cache = made(tmp_path, WHOLE.read_text()), tmp_path / "catalog"
    load(file, cache)
    (tmp_path / "services" / "audit-service").rmdir()
    with pytest.raises(CatalogError) as caught:
        load(file, cache)
    lines = file.read_text().splitlines()
    assert [lines[mistake.line - 1].strip() for mistake in caught.value.mistakes] == ["audit-service:"]


def test_a_password_is_kept_nowhere(tmp_path: Path) -> None:
    text = WHOLE.read_text().replace("local: {}", 'local: {postgres: "postgres://me:hunter2@localhost/x"}')
    cache = tmp_path / "catalog"
    catalog = load(made(tmp_path, text), cache)
    assert catalog.environments["local"].servers["postgres"].endswith("@localhost/x")
    assert not cache.exists()


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    file = made(tmp_path, WHOLE.read_text())
    assert load(file, tmp_path / "none" / "catalog") == load(file)
    assert not (tmp_path / "none").exists()


def test_a_warm_load_imports_neither_yaml_nor_jsonschema(tmp_path: Path) -> None:
    file, cache = made(tmp_path, WHOLE.read_text()), tmp_path / "catalog"
    load(file, cache)
    code = (
        "import sys; from pathlib import Path; from schemas.catalog_file import load; "
        f"load(Path({str(file)!r}), Path({str(cache)!r})); "
        "print(sorted({'yaml', 'jsonschema', 'difflib', 'schemas.catalog_checks'} & sys.modules.keys()))"
    )
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == "[]\n"
