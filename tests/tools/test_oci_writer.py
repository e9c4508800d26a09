"""The bytes of an image follow from its content alone."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tools import oci

ROOT = Path(__file__).parents[2]
MADE = """
import os, sys
from pathlib import Path
from tools import oci
os.umask(int(sys.argv[1], 8))
if int(sys.argv[2]):
    os.setgid(int(sys.argv[2]))
    os.setuid(int(sys.argv[2]))
Path("here").mkdir()
for name in sys.argv[3:]:
    Path("here", name).write_bytes(name.encode() * 1000)
files = {f"/migrations/{path.name}": (path.read_bytes(), 0o644) for path in Path("here").iterdir()}
layers = [oci.layer({"/goose": (b"goose", 0o755)}, "goose"), oci.layer(files, "migrations")]
settings = {"User": "65532:65532", "Labels": {"b": "1", "a": "2"}}
print(oci.image({"amd64": layers, "arm64": layers}, settings).index.digest)
"""
NAMES = ("00001_a.sql", "00002_b.sql", "00010_c.sql", "00003_é.sql", f"00004_{'long_' * 40}.sql")


def made(folder: Path, umask: str, user: int, names: tuple[str, ...], **variables: str) -> str:
    folder.mkdir()
    folder.chmod(0o777)
    kept = {name: value for name, value in os.environ.items() if name not in {"TZ", "PYTHONPATH"}}
    return subprocess.run(
        [sys.executable, "-c", MADE, umask, str(user), *names],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), **variables},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


def test_an_image_is_the_same_in_another_folder_time_zone_umask_and_language(tmp_path: Path) -> None:
    first = made(tmp_path / "a", "022", 0, NAMES, TZ="UTC", PYTHONHASHSEED="1")
    other = made(tmp_path / "b", "077", 0, NAMES[::-1], TZ="Asia/Tokyo", PYTHONHASHSEED="2", LC_ALL="C")
    assert first == other
    assert first == "sha256:93781873fbd44caf6bb3771e3134e97f20102cfdaf56ecd56d4436142b308a83", (
        "who changes the format raises FORMAT, so that tags differ"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")
def test_an_image_is_the_same_for_another_user(tmp_path: Path) -> None:
    assert made(tmp_path / "a", "077", 65534, NAMES) == made(tmp_path / "b", "022", 0, NAMES)


def test_a_layer_holds_folders_and_files_of_root_without_times(tmp_path: Path) -> None:
    del tmp_path
    long = f"/migrations/a/{'x' * 150}.sql"
    layer = oci.layer({"/goose": (b"program", 0o755), long: (b"text", 0o644)}, "test")
    with tarfile.open(fileobj=io.BytesIO(layer.data)) as tar:
        found = [(one.name, one.mode, one.uid, one.gid, one.mtime, one.isdir()) for one in tar]
        held = tar.extractfile(long[1:])
        assert held is not None
        assert held.read() == b"text"
    assert found == [
        ("goose", 0o755, 0, 0, 0, False),
        ("migrations", 0o755, 0, 0, 0, True),
        ("migrations/a", 0o755, 0, 0, 0, True),
        (long[1:], 0o644, 0, 0, 0, False),
    ]


def test_a_config_says_what_runs_and_names_its_layers_unpacked() -> None:
    layers = [oci.layer({"/a": (b"a", 0o644)}, "first"), oci.layer({"/b": (b"b", 0o644)}, "second")]
    image = oci.image({"arm64": layers}, {"User": "65532:65532"})
    (one,) = image.platforms
    config = json.loads(one.config.data)
    assert (config["architecture"], config["os"], config["created"]) == ("arm64", "linux", "1970-01-01T00:00:00Z")
    assert config["rootfs"]["diff_ids"] == [layer.digest for layer in layers]
    assert [line["created_by"] for line in config["history"]] == ["first", "second"]
    assert [blob.digest for blob in image.blobs] == [*(layer.digest for layer in layers), one.config.digest]
