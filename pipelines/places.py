"""Which places a request of the command line names: databases or services, each in one environment."""

from __future__ import annotations

from pipelines.contents import Contents, Operation, Step
from pipelines.words import Request, fits
from schemas.catalog import Catalog, Database, Environment, Reference
from schemas.errors import Refused, SelectionError
from schemas.nearest import nearest
from schemas.target import LOCAL, Target

__all__ = ["places"]

FEW = 12  # that many valid names are listed in an error; more would bury it
EVERY = "all"  # as an environment: each one; services.yaml cannot name one so


def places(request: Request, catalog: Catalog, contents: Contents) -> tuple[Target, ...]:
    """Each place that a request names, as a target of its own, in the order of services.yaml.

    A place is a database or reference, or a service for a verb over services or releases, in one environment; for a
    step over everything it is any of these, and what lies around the services where no service was named.
    Raises SelectionError for a name or pattern that matches nothing, Refused for an environment that the verb
    may not change, or a reference where only the owner may be named.
    """
    target, verb = request.target, request.verb
    services = _named(request, "service", target.service, list(catalog.services))
    found = [entry for service in services for entry in catalog.services[service].databases]
    if target.database:
        keys = list(dict.fromkeys(entry.key for entry in found))
        wanted = _named(request, "database", target.database, keys)
        found = [entry for entry in found if entry.key in wanted]
    environments = _environments(request, catalog, services, contents)
    if verb.over in {"service", "release", "releases"}:
        return _services(request, services, environments)
    around = [] if target.database or verb.over != "everything" else _around(request, services)
    if isinstance(verb, Step):
        found = _for_step(request, verb, found, catalog, alone=not around)
    elif verb.over in {"each", "one"}:
        found = _owned(request, found)
    if verb.over == "one":
        _only_one(request, found)
    return (
        *around,
        *(
            Target(step=verb.name, service=entry.service, database=entry.key, environment=environment)
            for environment in environments
            for entry in found
        ),
    )


def _environments(request: Request, catalog: Catalog, services: list[str], contents: Contents) -> list[str]:
    """Where the verb is to work, by what was typed; Refused or SelectionError where it cannot work there."""
    typed, verb = request.target.environment, request.verb
    named = f"@{typed}" in request.word
    others = [name for name in catalog.environments if name != LOCAL]
    if verb.environments == "none":
        if named and request.typed not in contents.groups:
            message = f"`{request.word}`: {verb.name} is about files, which are the same for every environment"
            raise SelectionError(message, todo=f"doit {request.word.rpartition('@')[0]}")
        return [LOCAL]
    if verb.environments == "others" and (not named or typed == LOCAL):
        if "*" in request.typed and any(step.environments != "others" for step in _meant(request, contents)):
            return []
        if not others:
            raise SelectionError(f"`{request.word}`: services.yaml has no environment beside local")
        ways = "\n".join(f"doit {request.word.removesuffix(f'@{LOCAL}')}@{name}" for name in others)
        called = request.typed if request.typed in contents.groups else verb.name
        raise SelectionError(f"`{request.word}`: {called} is about another environment than local", todo=ways)
    if typed == EVERY and verb.environments != "local" and isinstance(verb, Operation):
        return others if verb.environments == "others" else list(catalog.environments)
    found = _named(request, "environment", typed, list(catalog.environments))
    if verb.environments == "others":
        return [name for name in found if name != LOCAL]
    if verb.environments == "local" and (elsewhere := [name for name in found if name != LOCAL]):
        raise _elsewhere(request, catalog.environments[elsewhere[0]], services, contents)
    return found


def _meant(request: Request, contents: Contents) -> list[Step]:
    """The steps that a pattern names."""
    return [step for step in contents.steps if fits(request.typed, step.name)]


def _services(request: Request, services: list[str], environments: list[str]) -> tuple[Target, ...]:
    """A target for each service in each environment; SelectionError where one of its databases was named."""
    if request.target.database:
        raise SelectionError(
            f"`{request.word}`: {request.verb.name} is about a whole service",
            todo=f"doit {request.word.replace(f'/{request.target.database}', '')}",
        )
    return tuple(
        Target(step=request.verb.name, service=service, environment=environment)
        for environment in environments
        for service in services
    )


def _around(request: Request, services: list[str]) -> list[Target]:
    """A target for each service beside those for its databases, and one for what belongs to none."""
    own = [Target(step=request.verb.name, service=service) for service in services]
    return own if request.target.service else [Target(step=request.verb.name), *own]


def _for_step(
    request: Request, step: Step, found: list[Database | Reference], catalog: Catalog, *, alone: bool
) -> list[Database | Reference]:
    """Those that the step is for; SelectionError or Refused where it was named itself and is for none of them.

    ``alone``: there is nothing else that it is for.
    """
    fitting = [entry for entry in found if step.has(entry, catalog)]
    if fitting or not alone or request.target.step != request.typed:
        return fitting
    if not step.references:
        _owned(request, found)
    engine = {"postgres": "PostgreSQL", "clickhouse": "ClickHouse"}.get(step.engine or "", "")
    raise SelectionError(
        f"`{request.word}`: {step.name} is for {engine} databases, and none is meant", todo=f"doit list {step.name}"
    )


def _only_one(request: Request, found: list[Database | Reference]) -> None:
    """SelectionError unless exactly one database is meant."""
    if len(found) == 1:
        return
    shown = "\n".join(f"doit {request.verb.name}:{entry.label}" for entry in found[:FEW])
    raise SelectionError(f"`{request.word}`: {request.verb.name} is about one database at a time", todo=shown)


def _named(request: Request, kind: str, name: str | None, valid: list[str]) -> list[str]:
    if name is None:
        return valid
    found = [one for one in valid if fits(name, one)]
    if not found:
        says = f"no {kind} matches `{name}`" if "*" in name else f"there is no {kind} `{name}`"
        hint = nearest(name.replace("*", ""), valid)
        where = f" of {request.target.service}" if kind == "database" else ""
        listed = f"{kind}s{where}: {', '.join(valid)}" if len(valid) <= FEW else ""
        raise SelectionError(f"`{request.word}`: {says}{hint}", why=listed, todo="doit list --all")
    return found


def _owned(request: Request, found: list[Database | Reference]) -> list[Database | Reference]:
    owned: list[Database | Reference] = [entry for entry in found if isinstance(entry, Database)]
    if not owned and found:
        owners = sorted({entry.owner for entry in found if isinstance(entry, Reference)})
        raise Refused(
            f"`{request.word}`: another service owns that database",
            todo="\n".join(f"doit {request.verb.name}:{owner}" for owner in owners),
        )
    return owned


def _elsewhere(request: Request, environment: Environment, services: list[str], contents: Contents) -> Refused:
    """The refusal to touch an environment other than local, with the commands that do it right, or show it."""
    deploys = "deploy" in contents.groups
    shown = services[:3]
    if isinstance(request.verb, Operation) and "status" in contents.verbs:  # who asks for one changes nothing there
        commands = ["to see how it stands there:", *(f"doit status:{service}@{environment.name}" for service in shown)]
    elif deploys:
        commands = [f"doit deploy:{service}@{environment.name}" for service in shown]
    elif environment.argocd:
        commands = [f"argocd app sync {environment.argocd.application.format(service=service)}" for service in shown]
        commands.insert(0, "commit and push the migrations, then, for each service:")
    else:
        commands = [f"services.yaml names no Argo CD application for {environment.name}"]
    return Refused(
        f"`{request.word}`: {request.verb.name} works on local databases only",
        why=f"{environment.name} is changed through Argo CD: its PreSync Job runs goose there",
        todo="\n".join(commands),
    )
