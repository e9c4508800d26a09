"""`doit revert` as it is typed, applied on a real server."""

from __future__ import annotations

from tests.journeys.conftest import Monorepo


def test_a_reverted_migration_takes_the_schema_back_and_forth(example: Monorepo) -> None:
    made = example.fine("create:auth-service", "name=add_devices").stdout.strip()
    example.fine("start")
    example.fine("migrate:auth-service")
    there = "SELECT to_regclass('devices') IS NOT NULL"
    assert example.sql("auth-service/auth", there) == [(True,)]
    version = made.rpartition("/")[2].partition("_")[0]
    reverting = example.fine("revert:auth-service", f"version={version}").stdout.strip()
    assert reverting.endswith("_revert_add_devices.sql")
    assert reverting > made
    example.fine("migrate:auth-service")
    assert example.sql("auth-service/auth", there) == [(False,)]
    example.fine("rollback:auth-service", "yes=auth-service")
    assert example.sql("auth-service/auth", there) == [(True,)]


def test_an_unknown_version_is_told_with_the_nearest(migrated: Monorepo) -> None:
    refused = migrated.doit("revert:auth-service", "version=20260109021438")
    assert refused.returncode == 1
    assert "has no version 20260109021438 — did you mean `20260109021437`?" in refused.stderr
    assert "say which version is to be taken back" in migrated.doit("revert:auth-service").stderr
