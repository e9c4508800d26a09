"""Input as people break it: one clear error with the place and the remedy, the right exit code, nothing started."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.journeys.conftest import lend, small

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.journeys.conftest import Make, Monorepo

SERVICES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "cases" / "bad_services.yaml").read_text())
STREAMS: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "cases" / "bad_streams.yaml").read_text())
PLACES = {name: f"case-{number}" for number, name in enumerate(STREAMS, 1)}
GOOD = {"00001_a.sql": "-- +goose Up\nSELECT 1;\n"}


@pytest.mark.parametrize("name", SERVICES)
def test_services_yaml(name: str, tmp_path: Path) -> None:
    monorepo = small(tmp_path, {"shop": GOOD, "cart": GOOD})
    file = tmp_path / "services.yaml"
    file.unlink()
    if SERVICES[name]["text"] is not None:
        file.write_text(SERVICES[name]["text"])
    done = monorepo.doit("migrate")
    assert done.returncode == 3
    assert done.stdout == ""
    for part in SERVICES[name]["says"]:
        assert part in done.stderr, done.stderr
    assert re.search(r"^  → ", done.stderr, re.MULTILINE), done.stderr
    assert "topsecret" not in done.stderr
    assert not (tmp_path / ".state" / "postgres").exists()


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What one run says of each broken stream, by its place; a good one is not among them."""
    root = tmp_path_factory.mktemp("streams") / "monorepo"
    monorepo = small(root, {place: {} for place in PLACES.values()}).bound_by_modes
    for name, case in STREAMS.items():
        folder = monorepo.folder(PLACES[name])
        if case["files"] is None:
            folder.rmdir()
        for file, content in (case["files"] or {}).items():
            put(folder / file, content)
    done = monorepo.doit("migrate", "--continue")
    assert done.returncode == 1
    assert f"0 ran, 0 up to date, {len(STREAMS)} failed" in done.stderr
    assert not (root / ".state" / "postgres").exists(), "a server was started for nothing"
    found = dict(re.findall(r"^✗ migrate:(\S+)/main +failed.*\n((?:  .*\n)*)", done.stderr, re.MULTILINE))
    status = monorepo.doit("status")
    assert (status.returncode, "Traceback" in status.stderr) == (1, False)
    yield {**found, "status": status.stdout}
    monorepo.doit("stop")
    shutil.rmtree(root)


def put(path: Path, content: str | dict[str, Any]) -> None:
    if isinstance(content, str):
        path.write_text(content)
    elif "link" in content:
        path.symlink_to(content["link"])
    elif "folder" in content:
        path.mkdir()
    elif "hex" in content:
        path.write_bytes(bytes.fromhex(content["hex"]))
    else:
        path.write_text(GOOD["00001_a.sql"])
        path.chmod(int(content["mode"], 8) if isinstance(content["mode"], str) else content["mode"])


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_with(name: str, said: dict[str, str]) -> None:
    text = said[PLACES[name]]
    assert f"{PLACES[name]}/main: " in text
    assert "cannot be run" in text
    for part in STREAMS[name]["says"]:
        assert part in text, text
    assert re.search(r"^ +→ ", text, re.MULTILINE), text
    assert STREAMS[name]["says"][0] in said["status"]


def test_one_broken_stream_keeps_no_other_from_head(make: Make) -> None:
    monorepo = make({"good": GOOD, "broken": {"00001_a.sql": "SELECT 1;\n"}})
    done = monorepo.doit("migrate", "--continue")
    assert done.returncode == 1
    assert "✓ migrate:good/main    1 file applied" in done.stderr
    assert "1 ran, 0 up to date, 1 failed" in done.stderr
    assert "failed: migrate:broken/main" in done.stderr


def test_a_monorepo_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    monorepo = small(tmp_path / "monorepo", {"shop": GOOD}).bound_by_modes
    monorepo.root.chmod(0o555)
    try:
        done = monorepo.doit("migrate")
        assert done.returncode == 1
        assert str(monorepo.state) in done.stderr
        assert "Permission denied" in done.stderr
        assert re.search(r"^ *→ ", done.stderr, re.MULTILINE), done.stderr
        for words in (["list"], ["list", "migrate"], ["why", "migrate"], ["doctor"]):
            assert monorepo.doit(*words).returncode == 0
    finally:
        monorepo.root.chmod(0o755)


@pytest.mark.parametrize("place", ["nowhere/services.yaml", "services", "nowhere"])
def test_services_that_point_to_nothing(tmp_path: Path, place: str) -> None:
    monorepo = small(tmp_path, {"shop": GOOD})
    done = monorepo.doit("migrate", SERVICES=str(tmp_path / place))
    assert done.returncode == 3
    assert str(tmp_path / place) in done.stderr
    assert not (tmp_path / "nowhere").exists()


def test_a_monorepo_whose_path_has_spaces_and_signs(empty_server: Monorepo, tmp_path: Path) -> None:
    monorepo = lend(empty_server, small(tmp_path / "a b'c\"d %s {x} ü, $HOME; #1", {"shop": GOOD}))
    assert "✓ migrate:shop/main  1 file applied" in monorepo.fine("migrate").stderr
    assert "at head" in monorepo.fine("status").stdout
    monorepo.settle()


def test_services_may_be_a_relative_path_and_a_link(tmp_path: Path) -> None:
    monorepo = small(tmp_path / "monorepo", {"shop": GOOD})
    (tmp_path / "link").symlink_to(monorepo.root)
    relative = os.path.relpath(tmp_path / "link" / "services.yaml", Path(__file__).parents[2])
    assert monorepo.fine("list", "migrate", SERVICES=relative).stdout == "migrate:shop/main\n"
