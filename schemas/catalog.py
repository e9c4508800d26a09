"""What exists: the frozen values that services.yaml loads into.

They are named tuples, because every command makes these classes: Python takes seven times as long over a dataclass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple

__all__ = [
    "ALWAYS",
    "FACTS",
    "PLATFORMS",
    "Allowed",
    "ArgoCD",
    "Catalog",
    "Database",
    "EngineName",
    "Environment",
    "GitOps",
    "Level",
    "Lint",
    "Reference",
    "Retention",
    "Service",
    "Values",
]

EngineName = Literal["postgres", "clickhouse"]
Level = Literal["error", "warning", "advice", "off"]
PLATFORMS = ("linux/amd64", "linux/arm64")
FACTS = ("operation", "hook", "job", "log", "database")  # that a release is verified by
ALWAYS = ("operation", "hook")  # those that no environment leaves out


class Retention(NamedTuple):
    """How long rows are kept, in days; None where services.yaml sets no bound."""

    min_days: int | None = None
    max_days: int | None = None


class Database(NamedTuple):
    """One goose migration stream and the database that it builds."""

    service: str
    key: str
    engine: EngineName
    names: Mapping[str, str]  # environment -> name of the physical database
    url_env: Mapping[str, str]  # environment -> variable that holds its URL; local is absent
    migrations: str  # folder, relative to the root
    table: str  # goose's version table, the same in every environment
    job: str
    baseline: str | None = None  # what the local database begins with: a file, relative to the root
    prisma: str | None = None  # schema.prisma, relative to the root; None on ClickHouse
    purpose: str = ""
    retention: Retention = Retention()

    @property
    def label(self) -> str:
        """``identity-service/auth``, as on the command line."""
        return f"{self.service}/{self.key}"


class Reference(NamedTuple):
    """A database that another service owns; it has no stream, Job or image of its own."""

    service: str
    key: str
    owner: str  # label of the owning database: legal-service/legal
    prisma: str | None = None

    @property
    def label(self) -> str:
        """``identity-service/legal``, as on the command line."""
        return f"{self.service}/{self.key}"


class Service(NamedTuple):
    """A folder of the monorepo with its databases, in the order of services.yaml."""

    name: str
    folder: str  # relative to the root
    migration_job: str  # the chart's template, relative to the root
    image: str  # repository of the migrations image; empty when services.yaml names none
    databases: tuple[Database | Reference, ...]
    platforms: tuple[str, ...] = PLATFORMS  # that the image is for
    base: str = ""  # the image that it begins with, HOST/REPOSITORY@sha256:…; empty: none


class ArgoCD(NamedTuple):
    """Where an environment's Applications live; ``{service}`` is still to be filled in."""

    application: str
    server: str | None = None
    token_env: str | None = None


class GitOps(NamedTuple):
    """The repository and branch whose values files say what is deployed."""

    repository: str
    branch: str
    push: Literal["direct", "pull-request"]


class Values(NamedTuple):
    """The values file and key that hold the migrations image; ``{service}`` is still to be filled in."""

    file: str
    key: str


class Environment(NamedTuple):
    """Where databases live, and by what way they are changed there."""

    name: str
    servers: Mapping[EngineName, str]  # local only: URL of the user's own server per engine; absent = embedded
    protected: bool = False
    after: str | None = None
    require: tuple[str, ...] = FACTS  # the facts that `verify` insists on, in this order
    namespace: str | None = None
    kube_context: str | None = None
    argocd: ArgoCD | None = None
    gitops: GitOps | None = None
    values: Values | None = None


class Allowed(NamedTuple):
    """Findings of a rule in a file that are allowed until a day, that day included."""

    rule: str
    path: str  # relative to the root
    reason: str
    until: str  # 2027-03-01


class Lint(NamedTuple):
    """How lint judges this monorepo."""

    severity: Mapping[str, Mapping[str, Level]] = MappingProxyType({})  # rule -> path, or "" for every file -> level
    allow: tuple[Allowed, ...] = ()

    def level(self, rule: str, path: str) -> Level | None:
        """What the longest path says that the file is, or is below; None where nothing is said."""
        said = self.severity.get(rule, {})
        fitting = [one for one in said if not one or path == one or path.startswith(f"{one}/")]
        return said[max(fitting, key=len)] if fitting else None


class Catalog(NamedTuple):
    """All of services.yaml, checked, with every default filled in."""

    file: Path  # services.yaml itself, absolute
    root: Path  # the monorepo's root, absolute; state lies in its .state/
    environments: Mapping[str, Environment]
    services: Mapping[str, Service]
    base: str | None = None  # the branch that merged migrations are on; None: the remote's default branch
    lint: Lint = Lint()

    def databases(self) -> Iterator[Database]:
        """Every owned database, in the order of services.yaml."""
        for service in self.services.values():
            for database in service.databases:
                if isinstance(database, Database):
                    yield database

    def entry(self, service: str, key: str) -> Database | Reference:
        """The database or reference under that service and key; KeyError when there is none."""
        for database in self.services[service].databases:
            if database.key == key:
                return database
        raise KeyError(f"{service}/{key}")

    def owner(self, reference: Reference) -> Database:
        """The database that a reference refers to."""
        service, key = reference.owner.split("/")
        found = self.entry(service, key)
        if not isinstance(found, Database):
            raise TypeError(f"{reference.owner} is a reference itself")
        return found

    def read_first(self, service: str) -> tuple[Database, ...]:
        """The databases that a service only reads and whose owners go before it.

        Where two services read each other, also by way of others, neither can wait for the other.
        """
        read = self._read(service)
        return tuple(one for one in read if service not in self._read_by_way(one.service))

    def _read(self, service: str) -> list[Database]:
        return [self.owner(one) for one in self.services[service].databases if isinstance(one, Reference)]

    def _read_by_way(self, service: str) -> set[str]:
        """The services whose databases a service reads, also by way of others."""
        found: set[str] = set()
        waiting = [service]
        while waiting:
            more = {one.service for one in self._read(waiting.pop())} - found
            found |= more
            waiting += more
        return found
