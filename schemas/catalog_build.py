"""What a plain services.yaml means: every default filled in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from posixpath import normpath
from typing import Any, cast

from schemas.catalog import (
    FACTS,
    PLATFORMS,
    Allowed,
    ArgoCD,
    Catalog,
    Database,
    EngineName,
    Environment,
    GitOps,
    Level,
    Lint,
    Reference,
    Retention,
    Service,
    Values,
)
from schemas.target import LOCAL

__all__ = ["ENGINES", "build", "days", "engine_of", "environments_of", "physical_names"]

DAYS = {"d": 1, "w": 7, "y": 365}
ENGINES: tuple[EngineName, ...] = ("postgres", "clickhouse")


def build(document: Mapping[str, Any], file: Path) -> Catalog:
    """Make the catalog of a document whose form is right; an entry that says too little is left out."""
    environments = environments_of(document)
    deployed = [name for name in environments if name != LOCAL]
    return Catalog(
        file=file,
        root=Path(os.path.realpath(file.parent / (document.get("root") or "."))),
        environments={name: _environment(name, entry) for name, entry in environments.items()},
        services={
            name: _service(name, entry or {}, document, deployed)
            for name, entry in (document.get("services") or {}).items()
        },
        base=document.get("base"),
        lint=_lint(document.get("lint") or {}),
    )


def environments_of(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Every environment in the order of the file; local comes first where the file does not have it."""
    listed = {name: entry or {} for name, entry in (document.get("environments") or {}).items()}
    return listed if LOCAL in listed else {LOCAL: {}, **listed}


def engine_of(document: Mapping[str, Any], entry: Mapping[str, Any]) -> str | None:
    """Return the engine of an entry, a reference's through its owner; None where that cannot be told."""
    if "owner" not in entry:
        return entry.get("engine")
    service, _, key = (entry["owner"] or "").partition("/")
    owner = ((document.get("services", {}).get(service) or {}).get("databases") or {}).get(key) or {}
    return None if "owner" in owner else owner.get("engine")


def physical_names(service: str, key: str, entry: Mapping[str, Any], deployed: list[str]) -> dict[str, str] | None:
    """Return the physical database's name per environment, as far as it is given; None when none is.

    A ClickHouse file qualifies its tables with the database, so the local one bears the deployed name;
    where the environments differ in it, the local name has to be given.
    """
    name = entry.get("name")
    given = dict.fromkeys(deployed, name) if isinstance(name, str) else dict(name or {})
    names = {environment: given[environment] for environment in (LOCAL, *deployed) if given.get(environment)}
    if LOCAL not in names and entry.get("engine") == "postgres":
        names = {LOCAL: f"{service}_{key}".replace("-", "_"), **names}
    elif LOCAL not in names:
        usual = {name} if isinstance(name, str) else set(names.values())
        if len(usual) == 1:
            names = {LOCAL: usual.pop(), **names}
    return names or None


def _environment(name: str, entry: Mapping[str, Any]) -> Environment:
    argocd, gitops, values = entry.get("argocd"), entry.get("gitops"), entry.get("values")
    return Environment(
        name=name,
        protected=bool(entry.get("protected")),
        after=entry.get("after"),
        require=tuple(one for one in FACTS if one in (entry.get("require") or FACTS)),
        namespace=entry.get("namespace"),
        kube_context=entry.get("kube_context"),
        argocd=ArgoCD(
            application=argocd.get("application", ""), server=argocd.get("server"), token_env=argocd.get("token_env")
        )
        if argocd
        else None,
        gitops=GitOps(**{field: gitops.get(field, "") for field in ("repository", "branch", "push")})
        if gitops
        else None,
        values=Values(file=values.get("file", ""), key=values.get("key", "")) if values else None,
        servers={engine: entry[engine] for engine in ENGINES if entry.get(engine)},
    )


def _lint(entry: Mapping[str, Any]) -> Lint:
    severity: dict[str, Mapping[str, Level]] = {}
    for rule, said in (entry.get("severity") or {}).items():
        by_path: Mapping[str, Level] = {"": cast("Level", said)} if isinstance(said, str) else said or {}
        severity[rule] = {path and normpath(path): level for path, level in by_path.items()}
    listed = [{**one, "path": normpath(one.get("path") or ".")} for one in entry.get("allow") or () if one]
    return Lint(
        severity=severity,
        allow=tuple(Allowed(**{field: one.get(field, "") for field in Allowed._fields}) for one in listed),
    )


def _service(name: str, entry: Mapping[str, Any], document: Mapping[str, Any], deployed: list[str]) -> Service:
    folder = normpath(entry.get("folder") or f"services/{name}")
    image = (entry.get("image") or document.get("image") or {}).get("repository") or ""
    entries = {key: database or {} for key, database in (entry.get("databases") or {}).items()}
    several = sum("owner" not in database for database in entries.values()) > 1
    engines = {key: engine_of(document, database) for key, database in entries.items()}
    schemas = list(engines.values()).count("postgres")
    databases: list[Database | Reference] = []
    for key, database in entries.items():
        prisma = None
        if engines[key] == "postgres":
            default = f"{folder}/prisma/{key}/schema.prisma" if schemas > 1 else f"{folder}/prisma/schema.prisma"
            prisma = normpath(database.get("prisma") or default)
        if "owner" in database:
            if database["owner"]:
                databases.append(Reference(service=name, key=key, owner=database["owner"], prisma=prisma))
            continue
        names = physical_names(name, key, database, deployed)
        if engines[key] not in ENGINES or names is None:
            continue
        urls = database.get("url_env") or {}
        retention = database.get("retention") or {}
        databases.append(
            Database(
                service=name,
                key=key,
                engine=database["engine"],
                names=names,
                url_env={at: urls.get(at) or _variable(name, key, at) for at in deployed},
                migrations=normpath(
                    database.get("migrations") or (f"{folder}/migrations/{key}" if several else f"{folder}/migrations")
                ),
                table=database.get("table") or "goose_db_version",
                job=database.get("job")
                or (f"{name}-migrate-{key}".replace("_", "-") if several else f"{name}-migrate"),
                baseline=normpath(database["baseline"]) if database.get("baseline") else None,
                prisma=prisma,
                purpose=database.get("purpose") or "",
                retention=Retention(min_days=days(retention.get("min")), max_days=days(retention.get("max"))),
            )
        )
    return Service(
        name=name,
        folder=folder,
        migration_job=normpath(entry.get("migration_job") or f"{folder}/helm/templates/migration-job.yaml"),
        image=image.replace("{service}", name),
        databases=tuple(databases),
        platforms=tuple(sorted((document.get("image") or {}).get("platforms") or PLATFORMS)),
        base=(document.get("image") or {}).get("base") or "",
    )


def _variable(service: str, key: str, environment: str) -> str:
    return f"{service}_{key}_{environment}_URL".upper().replace("-", "_")


def days(text: str | None) -> int | None:
    """Return the days that ``90d``, ``12w`` or ``5y`` mean; a year has 365."""
    return int(text[:-1]) * DAYS[text[-1]] if text else None
