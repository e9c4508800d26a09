"""A database's password stands in one private file, and in the URL that `start` was asked for; nowhere else."""

from __future__ import annotations

import os
import stat
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from typing import Self

    from tests.journeys.conftest import Make, Monorepo

GOOD = "-- +goose Up\nCREATE TABLE {0} (id TEXT PRIMARY KEY);\n-- +goose Down\nDROP TABLE {0};\n"
SLOW = "-- +goose Up\nSELECT pg_sleep(0.5);\n-- +goose Down\nDROP TABLE nothing;\n"
BAD = "-- +goose Up\nALTER TABLE nobody ADD COLUMN a TEXT;\n"


class Watch:
    """Samples the command line of every process of this machine while it is open."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(0.02):
            if not Path("/proc").is_dir():
                self.seen.add(
                    subprocess.run(["/bin/ps", "-axww", "-o", "args"], capture_output=True, check=True).stdout
                )
                continue
            for entry in os.scandir("/proc"):
                if entry.name.isdigit():
                    try:
                        self.seen.add(Path(entry.path, "cmdline").read_bytes())
                    except OSError:
                        continue


@pytest.fixture
def shop(make: Make) -> Monorepo:
    return make({"shop": {"00001_a.sql": GOOD.format("a"), "00002_b.sql": SLOW}, "cart": {"00001_a.sql": BAD}})


def holders(root: Path, secret: str) -> list[Path]:
    found = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    return [path for path in found if secret.encode() in path.read_bytes()]


def test_the_password_of_the_embedded_server(shop: Monorepo) -> None:
    password = (shop.state / "postgres" / "password").read_text().strip()
    assert len(password) >= 24
    shown = []
    with Watch() as watch:
        for words, code in (
            (["migrate", "--continue"], 1),
            (["status"], 1),
            (["status", "format=json"], 1),
            (["why", "migrate"], 0),
            (["why", "migrate", "format=json"], 0),
            (["doctor"], 0),
            (["rollback:shop"], 1),
            (["reset:cart"], 1),
            (["-n", "1", "migrate"], 1),
        ):
            done = shop.doit(*words)
            assert done.returncode == code, (words, done.stderr)
            shown.append(done.stdout + done.stderr)
            shop.settle()
            assert holders(shop.root, password) == [shop.state / "postgres" / "password"], words
    assert any(b"goose" in line and b"-env=none" in line for line in watch.seen), "no run of goose was sampled"
    assert any(b"postgres" in line and b"-D" in line for line in watch.seen), "no server was sampled"
    assert not [line for line in watch.seen if password.encode() in line]
    assert not [text for text in shown if password in text]
    assert stat.S_IMODE((shop.state / "postgres" / "password").stat().st_mode) == 0o600

    started = shop.fine("start")
    assert password in started.stdout
    assert password not in started.stderr
    assert holders(shop.root, password) == [shop.state / "postgres" / "password"]
