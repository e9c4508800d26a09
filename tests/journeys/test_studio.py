"""`doit studio` as it is typed: the real Prisma Studio on the real database, gone at Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.journeys.conftest import ROOT, Make, Monorepo

UP = "-- +goose Up\nCREATE TABLE goods (name TEXT);\nINSERT INTO goods VALUES ('tea'), ('salt');\n"
SHOWN = re.compile(r"shop/main is shown on (http://localhost:\d+) until Ctrl-C")
PATIENCE = 300.0  # seconds, on a busy machine that has to install it first


@contextmanager
def studio(monorepo: Monorepo, said: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """`doit studio:shop` and the address of its page, once that is there."""
    with said.open("wb") as to:
        process = subprocess.Popen(
            monorepo.command("studio:shop"), cwd=ROOT, env=monorepo.environment, stdin=subprocess.DEVNULL, stderr=to
        )
    deadline = time.monotonic() + PATIENCE
    try:
        while not (found := SHOWN.search(said.read_text())):
            assert process.poll() is None, said.read_text()
            assert time.monotonic() < deadline, said.read_text()
            time.sleep(0.05)
        yield process, found[1]
    finally:
        process.kill()
        process.wait()


def ask(address: str, statement: str, origin: str) -> tuple[int, object]:
    """The answer to what the page asks when it shows a table: its status, and what it holds."""
    body = json.dumps({"procedure": "query", "query": {"sql": statement, "parameters": []}})
    with closing(HTTPConnection(urlsplit(address).netloc, timeout=30)) as page:
        page.request("POST", "/bff", body, {"Content-Type": "application/json", "Origin": origin})
        answer = page.getresponse()
        return answer.status, json.loads(answer.read()) if answer.status == 200 else None


def arguments_of_everything() -> str:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            found.append((folder / "cmdline").read_bytes().decode(errors="replace"))
        except OSError:  # it has ended
            continue
    return "\n".join(found)


def is_up(address: str) -> bool:
    with closing(HTTPConnection(urlsplit(address).netloc, timeout=10)) as page:
        try:
            page.request("GET", "/")
            return page.getresponse().status == 200
        except OSError:  # nobody listens, or not any more
            return False


def test_rows_are_shown_until_ctrl_c_and_then_nothing_is_left(make: Make, tmp_path: Path) -> None:
    monorepo = make({"shop": {"00001_a.sql": UP}})
    monorepo.fine("migrate")
    with studio(monorepo, tmp_path / "said") as (process, address):
        assert is_up(address)
        rows = [{"name": "salt"}, {"name": "tea"}]
        assert ask(address, "SELECT name FROM goods ORDER BY name", address) == (200, [None, rows])
        assert ask(address, "SELECT 1", "http://elsewhere.example") == (403, None)
        password = urlsplit(monorepo.urls()["shop/main"]).password
        monorepo.stop()  # takes `start` back: the server goes on for whoever looks
        assert password
        assert ask(address, "SELECT 1 AS one", address) == (200, [None, [{"one": 1}]])
        if Path("/proc/self/cmdline").exists():
            assert password not in arguments_of_everything()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 128 + signal.SIGINT
    assert not is_up(address)
    assert password not in (tmp_path / "said").read_text()
    monorepo.settle()


def test_killed_without_a_word_it_leaves_no_page_and_no_server(make: Make, tmp_path: Path) -> None:
    monorepo = make({"shop": {"00001_a.sql": UP}})
    monorepo.fine("migrate")
    with studio(monorepo, tmp_path / "said") as (process, address):
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        deadline = time.monotonic() + 30
        while is_up(address):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    monorepo.settle()


@pytest.mark.parametrize(
    ("words", "says", "way"),
    [
        ("studio:audit-service", "audit-service/audit is on ClickHouse, and Prisma Studio shows", "doit start:audit-"),
        ("studio:identity-service", "studio is about one database at a time", "doit studio:identity-service/identity"),
        ("studio:identity-service/legal", "another service owns that database", "doit studio:legal-service/legal"),
        ("studio", "studio is about one database at a time", "doit studio:auth-service/auth"),
        ("studio:auth-service@dev", "studio works on local databases only", "doit status:auth-service@dev"),
    ],
)
def test_what_cannot_be_shown_is_one_clear_error(words: str, says: str, way: str, whole: Monorepo) -> None:
    refused = whole.doit(words)
    assert refused.returncode in {1, 3}
    assert says in refused.stderr
    assert f"→ {way}" in refused.stderr


def test_a_database_that_was_never_migrated_is_no_empty_page(make: Make) -> None:
    refused = make({"shop": {"00001_a.sql": UP}}).doit("studio:shop")
    assert refused.returncode == 1
    assert "shop/main has no local database yet" in refused.stderr
    assert "→ doit migrate:shop/main" in refused.stderr
