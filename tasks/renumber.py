"""The operation `renumber`: give unmerged migrations later versions, so that they come after all that is merged."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from schemas.catalog import Catalog, Database
from schemas.errors import Refused
from schemas.stream import Migration, collect, version_of
from schemas.target import LOCAL
from tasks import place, versions
from tasks.migrate.apply import bring_to_head
from tasks.migrate.check import gather
from tasks.migrate.site import Site, migrations
from tasks.reset import local_only
from tasks.work import Outcome, Work
from tools import git

__all__ = ["late", "run"]


def run(work: Work) -> Outcome:
    """Rename the files that are too early, and do the local database again in the new order where it held them.

    A run that was killed in between is finished by the next one.
    Raises Refused where git cannot tell what is merged, or a merged file has been renamed or taken away.
    """
    database = local_only(work)
    repository, merged = _merged(work.catalog, database)
    folder = place.folder(work.catalog, database)
    stream = collect(folder, work.catalog.root).migrations
    names = [migration.name for migration in stream]
    early = late(names, merged)
    if not early:
        return _rest(work, database, stream)
    _whole(repository, database, names, merged)
    new = versions.after(work.catalog, database, len(early))
    renamed = {name: f"{version}_{name.partition('_')[2]}" for name, version in zip(early, new, strict=True)}
    for name, better in reversed(renamed.items()):  # the last first: after a kill the next run keeps their order
        _rename(repository, folder, database, name, better)
        work.progress.line(f"{database.label}: {name} → {better}")
    return Outcome(summary=f"{_count(renamed)} renamed{_done_again(work, database)}")


def late(names: Sequence[str], merged: Collection[str]) -> list[str]:
    """The unmerged files that must move: the first that is not later than all merged ones, and those after it."""
    newest = max((version for name in merged if isinstance(version := version_of(name), int)), default=0)
    ours = [(version, name) for name in names if name not in merged and isinstance(version := version_of(name), int)]
    first = min((version for version, _ in ours if version <= newest), default=None)
    return [] if first is None else [name for version, name in sorted(ours) if version >= first]


def _merged(catalog: Catalog, database: Database) -> tuple[git.Repository, frozenset[str]]:
    """The repository, and the names that are or were in the stream's folder on the base branch."""
    repository = git.find(catalog.root)
    if repository is None:
        raise Refused(f"{catalog.root} is in no git repository, so nobody can tell what is merged", todo="git init")
    base = repository.base(catalog.base)
    if base is None:
        raise Refused(
            f"there is no base branch {catalog.base or 'main'} here, so nobody can tell what is merged",
            todo=f"git fetch origin {catalog.base or 'main'}\nor name it in services.yaml: base: BRANCH",
        )
    listed = repository.files(base.commit, database.migrations).keys() | repository.ever(
        base.commit, database.migrations
    )
    return repository, frozenset(
        path.rpartition("/")[2] for path in listed if path.rpartition("/")[0] == database.migrations
    )


def _whole(repository: git.Repository, database: Database, names: Collection[str], merged: Collection[str]) -> None:
    """Refused unless every merged file is where it was: a renamed one would be taken for a new one."""
    if repository.ask("ls-files", "--unmerged", "--", database.migrations):
        raise Refused(
            f"{database.migrations} has conflicts of a merge or rebase",
            todo="resolve them first: git status",
        )
    head = repository.commit("HEAD")
    for path in repository.files(head, database.migrations) if head else ():
        above, _, name = path.rpartition("/")
        if above == database.migrations and name in merged and name not in names:
            raise Refused(
                "is merged, and was renamed or taken away here", where=path, todo=f"bring it back: git restore {path}"
            )


def _rename(repository: git.Repository, folder: Path, database: Database, name: str, better: str) -> None:
    tracked = repository.ask("ls-files", "--", f"{database.migrations}/{name}")
    if tracked:
        repository.ask("mv", "--", f"{database.migrations}/{name}", f"{database.migrations}/{better}")
    else:
        (folder / name).rename(folder / better)


def _rest(work: Work, database: Database, stream: Sequence[Migration]) -> Outcome:
    """What an earlier run did not come to: the local database still holds files under the versions they had before."""
    why = "what is not merged is later than all that is"
    contents = gather(work.session, [database], start=True)[database.label]
    here, texts = {file.version for file in stream}, {file.sha256 for file in stream}
    held = place.applied(database, contents, place.journal(work.catalog))
    if any(row.version not in here and row.sha256 in texts for row in held):
        return Outcome(summary=f"nothing to rename: {why}{_done_again(work, database)}")
    if contents.exists and not here <= {row.version for row in held}:
        return Outcome(summary=f"nothing to rename: {why}; local is not at head: doit migrate:{database.label}")
    return Outcome(summary=f"nothing to do: {why}")


def _done_again(work: Work, database: Database) -> str:
    """Bring the local database to the new order, where there is one."""
    if not gather(work.session, [database], start=True)[database.label].exists:
        return ""
    files = migrations(work.catalog, database)
    server = work.session.server(database.engine)
    with server.exclusive(database.names[LOCAL], work.progress.now):
        site = Site.of(work.catalog, database, server, work.session.engine(database.engine).driver, work.progress)
        return f"; local: {bring_to_head(work, site, files).summary}"


def _count(files: Mapping[str, str]) -> str:
    return "1 file" if len(files) == 1 else f"{len(files)} files"
