"""A project whose verbs are made for tests, and a monorepo that it points at; both new for each test."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SERVICES = """
version: 1
environments:
  local: {}
  prod:
    argocd: {application: "{service}-prod"}
services:
  auth-service:
    databases: {auth: {engine: postgres, name: first}}
  legal-service:
    databases: {legal: {engine: postgres, name: second}}
  identity-service:
    databases:
      identity: {engine: postgres, name: third}
      auth: {engine: postgres, name: fourth}
      legal: {owner: legal-service/legal}
"""
OWNED = ("auth-service/auth", "legal-service/legal", "identity-service/identity", "identity-service/auth")


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A contents page in one folder, a monorepo in another."""

    page: Path
    root: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a doit of this project needs."""
        known = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        path = os.pathsep.join(map(str, (REPOSITORY, self.page)))
        return {**known, "PYTHONPATH": path, "SERVICES": str(self.root / "services.yaml"), "TERM": "xterm"}

    def command(self, *words: str) -> list[str]:
        """The command line of doit."""
        return [sys.executable, "-W", "error", "-m", "doit", *words]

    def doit(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run doit to its end."""
        return subprocess.run(
            self.command(*words),
            cwd=self.page,
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def control(self, name: str, order: str = "") -> None:
        """Tell a verb how to behave for a database, such as ``auth-service.auth``."""
        (self.root / "control" / name).write_text(order)

    def source(self, place: str, text: str) -> None:
        """Write a database's only source file."""
        (self.root / "sources" / place / "01.sql").write_text(text)

    def log(self) -> list[str]:
        """What the verbs wrote down since the last call, without how many ran at once."""
        return [line for line in self.whole_log() if not line.endswith("at once")]

    def whole_log(self) -> list[str]:
        """What the verbs wrote down since the last call."""
        log = self.root / "control" / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines


@pytest.fixture
def project(tmp_path: Path) -> Project:
    page, root = tmp_path / "page", tmp_path / "monorepo"
    shutil.copytree(Path(__file__).parent / "project", page, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "pyproject.toml", page)
    for place in OWNED:
        service, _ = place.split("/")
        (root / "sources" / place).mkdir(parents=True)
        (root / "sources" / place / "01.sql").write_text("select 1;")
        (root / "services" / service / "migrations").mkdir(parents=True, exist_ok=True)
    for key in ("identity", "auth"):
        (root / "services" / "identity-service" / "migrations" / key).mkdir()
    (root / "services.yaml").write_text(SERVICES)
    (root / "control").mkdir()
    return Project(page=page, root=root)
