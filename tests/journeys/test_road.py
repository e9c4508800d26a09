"""The road of one service of the example, as a person walks it: from a new migration to a database that has it."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg
import yaml
from docker import APIClient

from tests.journeys.conftest import Monorepo, counts, ran
from tests.playground import git, playground
from tools import docker, shell
from tools.docker import Docker

DEVICES = """\
-- +goose Up
CREATE TABLE devices (
    id TEXT PRIMARY KEY DEFAULT gen_random_uuid()::TEXT,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    created_at TIMESTAMPTZ(6) NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMPTZ(6) NOT NULL DEFAULT NOW()
);

CREATE INDEX idx_devices_user_id ON devices (user_id);

-- +goose Down
DROP TABLE devices;
"""
VALUES = "services/auth-service/helm/values-dev.yaml"


def deployed(mono: Monorepo, image: str, host: str) -> tuple[str, list[int]]:
    """Have Docker pull an image and run it as the Job does, on an empty database: what it said, and the versions."""
    repository, _, digest = image.partition("@")
    repository = repository.rpartition(":")[0]
    url = mono.urls()["auth-service/auth"].replace("/auth_service_auth?", "/deployed?")
    with psycopg.connect(url.replace("/deployed?", "/postgres?"), autocommit=True) as local:
        local.execute("CREATE DATABASE deployed")
    shell.hide(url)
    with APIClient(base_url=host or None) as client:
        client.pull(repository, tag=digest)
        found = docker.usable()
        assert isinstance(found, Docker)
        with found as opened:
            done = opened.run(
                f"{repository}@{digest}",
                environment={"GOOSE_DRIVER": "postgres", "GOOSE_DBSTRING": url},
                user="65532",
                network="host",
                deadline=120,
            )
        client.remove_image(f"{repository}@{digest}")
    assert done.code == 0, done.out
    with psycopg.connect(url) as there:
        rows = there.execute("SELECT version_id FROM goose_db_version WHERE version_id > 0 ORDER BY id").fetchall()
    return done.out, [row[0] for row in rows]


def test_a_new_migration_goes_from_its_file_into_the_database_that_the_promoted_image_migrates(
    tmp_path: Path, host: str
) -> None:
    with playground(tmp_path / "playground") as made:
        mono = Monorepo(root=made.root)
        mono.fine("promote:auth-service@dev")
        git(made.root, "pull", "--quiet", "--rebase")

        before = set(mono.folder("auth-service").iterdir())
        mono.fine("create:auth-service", "name=add_devices")
        (new,) = set(mono.folder("auth-service").iterdir()) - before
        new.write_text(DEVICES)
        mono.fine("check:auth-service")
        recorded = ran(mono.fine("commit:auth-service"))
        assert recorded == ["lint:auth-service", "commit:auth-service"], "lint reads the schema that the pull wrote"
        assert git(made.root, "status", "--porcelain") == ""
        released = mono.fine("promote:auth-service@dev")
        assert ran(released) == ["image:auth-service", "promote:auth-service@dev"]
        assert counts(mono.fine("promote:auth-service@dev", "commit:auth-service")) == (0, 2, 0)

        image = yaml.safe_load(git(made.remote, "show", f"main:{VALUES}"))["migrations"]["image"]
        assert image.startswith(f"{made.host}/my-girok/auth-service-migrations:m-")
        said, versions = deployed(mono, image, host)
        files = [int(file.name.partition("_")[0]) for file in sorted(mono.folder("auth-service").glob("*.sql"))]
        assert versions == files
        assert new.name in said
    shutil.rmtree(tmp_path / "playground")
