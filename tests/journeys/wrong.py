"""Each of the five facts of a release missing, stale or wrong, as Argo CD, the cluster or the database has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import psycopg

from tests.argocd_standin.server import Fault, World

__all__ = [
    "FACTS",
    "LOG",
    "WRONG",
    "Place",
    "database_missing",
    "database_stale",
    "database_wrong",
    "hook_missing",
    "hook_stale",
    "hook_wrong",
    "job_missing",
    "job_stale",
    "job_wrong",
    "log_missing",
    "log_stale",
    "log_wrong",
    "operation_missing",
    "operation_stale",
    "operation_wrong",
    "rows",
]

FACTS = ("operation", "hook", "job", "log", "database")
LOG = """2026/11/23 04:56:47 OK   00001_a.sql (1.95ms)
2026/11/23 04:56:47 OK   00002_b.sql (1.95ms)
2026/11/23 04:56:47 goose: successfully migrated database to version: 2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One release that went well, and everything of it that may be otherwise."""

    world: World
    service: str
    image: str  # what was released
    other: str  # what was released before
    before: str  # the GitOps commit before the release
    promoted: str  # the one that brought it
    url: str  # of the database
    table: str = "goose_db_version"

    @property
    def application(self) -> str:
        return f"{self.service}-dev"

    @property
    def job(self) -> str:
        return f"{self.service}-migrate"

    @property
    def state(self) -> dict[str, Any]:
        return self.world.state(self.application)

    def sql(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.replace("{table}", self.table).encode())

    def migrated(self) -> None:
        """Have the database hold the versions of the release."""
        self.sql("DELETE FROM {table}")
        self.sql("INSERT INTO {table} (version_id, is_applied) VALUES (0, true), (1, true), (2, true)")


Change = Callable[[Place], None]


def rows(place: Place) -> list[dict[str, Any]]:
    """What the operation says of each resource."""
    found: list[dict[str, Any]] = place.state["syncResult"]["resources"]
    return found


def operation_missing(place: Place) -> None:
    place.world.faults.append(Fault(status=404, on=f"GET applications/{place.application}", times=1))


def operation_stale(place: Place) -> None:
    state = place.state
    state["operation"]["sync"]["revision"] = state["syncResult"]["revision"] = place.before


def operation_wrong(place: Place) -> None:
    place.state["operation"]["info"] = []


def hook_missing(place: Place) -> None:
    rows(place)[:] = [row for row in rows(place) if row["kind"] != "Job"]


def hook_stale(place: Place) -> None:
    for row in rows(place):
        row["images"] = [place.other]


def hook_wrong(place: Place) -> None:
    for row in rows(place):
        row["message"] = "Deleted"


def job_missing(place: Place) -> None:
    place.world.jobs.clear()


def job_stale(place: Place) -> None:
    for one in place.world.jobs.values():
        one["metadata"]["creationTimestamp"] = "2026-11-23T04:00:00Z"


def job_wrong(place: Place) -> None:
    for one in place.world.pods.values():
        name = place.image.partition(":m-")[0]
        one["status"]["containerStatuses"][0]["imageID"] = f"{name}@sha256:{'c' * 64}"


def log_missing(place: Place) -> None:
    place.world.logs.clear()


def log_stale(place: Place) -> None:
    for pod in place.world.logs:
        place.world.logs[pod] = "2026/11/23 04:00:00 goose: no migrations to run. current version: 1"


def log_wrong(place: Place) -> None:
    for pod in place.world.logs:
        place.world.logs[pod] = "2026/11/23 04:56:47 goose run: ERROR 00002_b.sql: failed to run SQL migration"


def database_missing(place: Place) -> None:
    """Its variable is not set: who types the command leaves it out."""
    assert place.url


def database_stale(place: Place) -> None:
    place.sql("DELETE FROM {table} WHERE version_id = 2")


def database_wrong(place: Place) -> None:
    place.sql("INSERT INTO {table} (version_id, is_applied) VALUES (99, true)")


WRONG: Mapping[str, Change] = MappingProxyType(
    {
        one.__name__.replace("_", "-"): one
        for one in (
            *(operation_missing, operation_stale, operation_wrong, hook_missing, hook_stale, hook_wrong),
            *(job_missing, job_stale, job_wrong, log_missing, log_stale, log_wrong),
            *(database_missing, database_stale, database_wrong),
        )
    }
)
