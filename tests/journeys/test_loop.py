"""A developer's loop as it is typed, and exactly which tasks each kind of change makes run."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from tests.journeys.conftest import Monorepo, ran
from tests.journeys.test_commit import WHO, begun
from tests.journeys.test_editing import git, save

AUTH = ["lint:auth-service/auth", "migrate:auth-service/auth", "prisma:auth-service/auth", "test:auth-service/auth"]
SEEN = "lint:auth-service"  # a schema that the check before has pulled is looked at by the next one
LEGAL = [
    "lint:legal-service/legal",
    *("migrate:legal-service/legal", "prisma:identity-service/legal"),
    *("prisma:legal-service/legal", "test:legal-service/legal"),
]


def test_each_kind_of_change_runs_exactly_what_it_must(example: Monorepo) -> None:
    monorepo = begun(example)
    git(monorepo, "checkout", "--quiet", "-b", "ours")
    monorepo.fine("start")
    first = sorted(ran(monorepo.fine("check")))
    assert len(first) == 5 + 5 + 5 + 6
    schema = monorepo.root / "services" / "auth-service" / "prisma" / "schema.prisma"
    services = monorepo.root / "services.yaml"
    made: dict[str, Path] = {}

    def create(service: str, name: str, *more: str) -> None:
        made[name] = monorepo.root / monorepo.fine(f"create:{service}", f"name={name}", *more).stdout.strip()

    def touch() -> None:
        for file in (monorepo.root / "services").rglob("*.*"):
            os.utime(file)

    def edit(path: Path, old: str, new: str) -> None:
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    def drop() -> None:
        monorepo.sql("personal-service/personal", "SELECT 1")
        monorepo.fine("reset:personal-service", "yes=personal-service")

    changes: dict[str, tuple[Callable[[], object], list[str]]] = {
        "nothing": (lambda: None, []),
        "every file touched": (touch, []),
        "a page elsewhere": (lambda: (monorepo.root / "NOTES.md").write_text("x"), []),
        "a new migration": (lambda: create("auth-service", "add_devices"), AUTH),
        "that migration edited": (lambda: edit(made["add_devices"], "NOW(),", "NOW(), label TEXT,"), [SEEN, *AUTH]),
        "a comment in it": (lambda: edit(made["add_devices"], "-- +goose Up", "-- +goose Up\n-- why"), [SEEN, *AUTH]),
        "a second one above it": (
            lambda: create("auth-service", "add_kind_to_devices", "like=column"),
            AUTH,
        ),
        "the lower one edited": (lambda: edit(made["add_devices"], "-- why", "-- because"), [SEEN, *AUTH]),
        "the upper one deleted": (lambda: made["add_kind_to_devices"].unlink(missing_ok=False), AUTH),
        "a migration of a database that another service refers to": (
            lambda: create("legal-service", "add_notes"),
            [SEEN, *LEGAL],
        ),
        "a note in the schema": (
            lambda: edit(schema, "model users {", "/// who signs in\nmodel users {"),
            [SEEN, "lint:identity-service", "lint:legal-service", "prisma:auth-service/auth"],
        ),
        "a field removed from the schema by hand": (
            lambda: edit(schema, "  label ", "  /// x\n  label "),
            [SEEN, "prisma:auth-service/auth"],
        ),
        "a local database rebuilt": (drop, ["prisma:personal-service/personal"]),
        "another entry in services.yaml": (
            lambda: edit(services, "girok_personal_dev", "girok_personal_development"),
            ["lint", "lint:personal-service", "lint:personal-service/personal", "test:personal-service/personal"],
        ),
        "what is kept of a target forgotten": (
            lambda: monorepo.fine("forget", "test:auth-service"),
            ["test:auth-service/auth"],
        ),
    }
    seen = {}
    for name, (change, _) in changes.items():
        change()
        seen[name] = sorted(ran(monorepo.fine("check", "yes=auth-service")))
    assert seen == {name: expected for name, (_, expected) in changes.items()}

    committed = sorted(ran(monorepo.fine("commit", **WHO)))
    assert committed == ["commit:auth-service", "commit:identity-service", "commit:legal-service"]
    assert ran(monorepo.fine("check", "commit", "changed=main")) == []
    _rebase(monorepo, made["add_devices"])


def _rebase(monorepo: Monorepo, ours: Path) -> None:
    """A colleague's newer file is merged; ours is renumbered and everything is at head and committed again."""
    git(monorepo, "add", "--all")
    save_if_any(monorepo)
    git(monorepo, "checkout", "--quiet", "main")
    theirs = monorepo.folder("auth-service") / "20991231000000_theirs.sql"
    theirs.write_text("-- +goose Up\nCREATE TABLE theirs (id TEXT PRIMARY KEY);\n-- +goose Down\nDROP TABLE theirs;\n")
    save(monorepo, "theirs")
    git(monorepo, "checkout", "--quiet", "ours")
    git(monorepo, "rebase", "--quiet", "main")
    monorepo.fine("migrate:auth-service")
    assert "1 file renamed" in monorepo.fine("renumber:auth-service").stderr
    assert not ours.exists()
    monorepo.fine("check:auth-service")
    done = monorepo.fine("commit:auth-service", **WHO)
    assert "chore(auth-service): renumber add devices" in done.stderr
    assert monorepo.doit("status:auth-service").returncode == 0
    monorepo.fine("stop")


def save_if_any(monorepo: Monorepo) -> None:
    """Commit what the loop has left beside the services' own files."""
    if git(monorepo, "status", "--porcelain"):
        save(monorepo, "the rest")
