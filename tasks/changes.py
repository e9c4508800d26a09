"""Which services a branch touches: what ``changed=BASE`` limits a run to."""

from __future__ import annotations

from collections.abc import Iterable

from schemas import catalog_file
from schemas.catalog import Catalog, Database, Reference, Service
from schemas.errors import Refused
from tools import git

__all__ = ["about", "commit", "touched"]


def touched(catalog: Catalog, base: str) -> frozenset[str]:
    """The services that differ from where the work tree left ``base``: commits, changes and new files.

    One whose reference's owner is touched is touched too. Raises Refused without git or such a commit.
    """
    repository, found = commit(catalog, "changed", base)
    paths = repository.changed(found)
    changed = set(about(catalog.services.values(), paths))
    changed |= _entries(catalog, repository, found, paths)
    return frozenset(changed | _referring(catalog, changed))


def commit(catalog: Catalog, variable: str, named: str) -> tuple[git.Repository, str]:
    """The commit that a variable names. Raises Refused without git or such a commit."""
    repository = git.find(catalog.root)
    if repository is None:
        raise Refused(f"`{variable}={named}`: {catalog.root} is in no git repository, so nothing can be compared")
    found = repository.commit(named)
    if found is None:
        remote, _, branch = named.partition("/")
        fetch = f"git fetch {remote} {branch}" if branch else f"git fetch origin {named}"
        raise Refused(
            f"`{variable}={named}`: there is no such branch or commit here", todo=f"{fetch}\nthen run it again"
        )
    return repository, found


def about(services: Iterable[Service], paths: Iterable[str]) -> frozenset[str]:
    """The services that own one of these paths: below their folder, or a file of theirs that lies elsewhere."""
    listed = tuple(paths)
    return frozenset(
        service.name
        for service in services
        if any(path == place or path.startswith(f"{place}/") for place in _places(service) for path in listed)
    )


def _places(service: Service) -> tuple[str, ...]:
    own = [service.folder, service.migration_job]
    for database in service.databases:
        own += [database.migrations] if isinstance(database, Database) else []
        own += [database.prisma] if database.prisma else []
    return tuple(own)


def _entries(catalog: Catalog, repository: git.Repository, commit: str, paths: frozenset[str]) -> set[str]:
    """The services whose entry in services.yaml is another one now; all of them where the old file cannot be read."""
    if not catalog.file.is_relative_to(catalog.root):
        return set()
    file = catalog.file.relative_to(catalog.root).as_posix()
    if file not in paths:
        return set()
    before = catalog_file.earlier(repository.text(commit, file) or "", catalog.file)
    known = before.services if before else {}
    return {name for name, service in catalog.services.items() if known.get(name) != service}


def _referring(catalog: Catalog, changed: set[str]) -> set[str]:
    return {
        service.name
        for service in catalog.services.values()
        for entry in service.databases
        if isinstance(entry, Reference) and entry.owner.partition("/")[0] in changed
    }
