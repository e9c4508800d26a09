"""Where a services.yaml may be and what it leads to: files, folders, links, and what cannot be read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from schemas.catalog_file import LARGEST, load
from schemas.errors import CatalogError
from tests.schemas.catalogs import WHOLE, made


def test_the_root_may_lie_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "services" / "cart").mkdir(parents=True)
    file = tmp_path / "config" / "services.yaml"
    file.parent.mkdir()
    file.write_text("version: 1\nroot: ..\nservices: {cart: {databases: {m: {engine: postgres, name: x}}}}\n")
    assert load(file).root == tmp_path


@pytest.mark.parametrize("root", ["loop", "x" * 5000, "services.yaml"])
def test_a_root_that_is_no_folder_is_one_mistake(tmp_path: Path, root: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    file = tmp_path / "services.yaml"
    file.write_text(
        f"version: 1\nroot: {root}\nservices: {{cart: {{databases: {{m: {{engine: postgres, name: x}}}}}}}}\n"
    )
    with pytest.raises(CatalogError, match="is not a folder") as caught:
        load(file)
    assert [(mistake.line, mistake.column) for mistake in caught.value.mistakes] == [(2, 7)]


def test_a_file_outside_the_current_folder_is_named_as_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "services.yaml").write_text("")
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(CatalogError, match=r"^\.\./services\.yaml: one mistake"):
        load(Path("../services.yaml"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CatalogError, match=r"^services\.yaml: one mistake"):
        load(tmp_path / "services.yaml")


def test_a_message_reads_as_one_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CatalogError) as caught:
        load(Path("services.yaml"))
    assert str(caught.value).splitlines() == [
        "services.yaml: one mistake",
        "  services.yaml:1:1: there is no such file (SERVICES=PATH in the environment names another)",
        "  → correct the file, then run the command again",
    ]


@contextmanager
def plain_user() -> Iterator[None]:
    """Permissions do not bind root."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_file_that_cannot_be_read_is_one_mistake(tmp_path: Path) -> None:
    file = made(tmp_path, WHOLE.read_text())
    file.chmod(0)
    with plain_user(), pytest.raises(CatalogError, match="one mistake") as caught:
        load(file)
    assert caught.value.mistakes[0].message == "the file cannot be read: Permission denied"


def test_what_is_no_file_is_one_mistake(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    big = tmp_path / "big"
    with big.open("wb") as file:
        file.truncate(LARGEST + 1)
    (tmp_path / "latin").write_bytes(b"\xef\xbb\xbfversion: 1\nroot: caf\xe9\n")
    said = {}
    for name in (".", "pipe", "loop", "big", "latin", "none/services.yaml", "latin/services.yaml"):
        with pytest.raises(CatalogError) as caught:
            load(tmp_path / name)
        (mistake,) = caught.value.mistakes
        said[name] = mistake.line, mistake.column, mistake.message
    assert said == {
        ".": (1, 1, "it is a folder"),
        "pipe": (1, 1, "it is not a file"),
        "loop": (1, 1, "the file cannot be read: Too many levels of symbolic links"),
        "big": (1, 1, "the file is larger than 5 MB"),
        "latin": (2, 10, "not UTF-8 text"),
        "none/services.yaml": (1, 1, "there is no such file"),
        "latin/services.yaml": (1, 1, "the file cannot be read: Not a directory"),
    }


def test_a_service_is_no_link(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    (root / "inside").mkdir(parents=True)
    (tmp_path / "outside" / "order").mkdir(parents=True)
    for name, target in (("cart", "../inside"), ("stock", "../../outside"), ("gone", "../nowhere")):
        (root / "services").mkdir(exist_ok=True)
        (root / "services" / name).symlink_to(target)
    (root / "apps").symlink_to("../outside")
    (root / "services" / "file").write_text("")
    file = root / "services.yaml"
    entries = {"cart": "", "stock": "", "order": "folder: apps/order, ", "gone": "", "file": ""}
    services = [
        f"  {name}: {{{at}databases: {{{name}: {{engine: postgres, name: {name}}}}}}}" for name, at in entries.items()
    ]
    file.write_text("\n".join(["version: 1", "services:", *services]))
    with pytest.raises(CatalogError) as caught:
        load(file)
    assert [(mistake.line, mistake.message) for mistake in caught.value.mistakes] == [
        (3, "`services/cart` leads to `inside` by a symbolic link, and git sees no file behind one"),
        (4, "`services/stock` leads out of the root by a symbolic link"),
        (5, "`apps/order` leads out of the root by a symbolic link"),
        (6, "there is no folder `services/gone`"),
        (7, "`services/file` is not a folder"),
    ]
    assert caught.value.mistakes[0].hint == "give `folder: inside`"


@pytest.mark.parametrize("folder", ["services/cart", "./services//cart", "services/cart/"])
def test_a_folder_may_be_written_in_any_way_and_the_root_may_be_reached_by_a_link(tmp_path: Path, folder: str) -> None:
    (tmp_path / "repo" / "services" / "cart").mkdir(parents=True)
    (tmp_path / "link").symlink_to("repo")
    file = tmp_path / "link" / "services.yaml"
    entry = f"{{folder: {folder}, databases: {{m: {{engine: postgres, name: x}}}}}}"
    file.write_text(f"version: 1\nservices: {{cart: {entry}}}\n")
    assert load(file).services["cart"].folder
