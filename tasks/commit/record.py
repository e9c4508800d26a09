"""The step `commit`: exactly one service's migrations and Prisma schemas, whatever else is staged or changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from schemas.answer import Answer
from schemas.catalog import Catalog, Database, Service
from schemas.errors import Refused, ToolError
from tasks.commit.message import message
from tasks.work import Outcome, Work
from tools import git
from tools.git import commit as recorder
from tools.lease import Lock

__all__ = ["paths", "run", "up_to_date"]


def run(work: Work) -> Outcome:
    """Commit what differs from HEAD, with a message made from it or ``message=``; look whether HEAD has it all then.

    Raises Refused without git, in the middle of a merge or rebase, on a detached HEAD, without a name to commit
    under, and for a migration that git ignores; ToolError where git or a hook refuses, with its words.
    """
    service = work.catalog.services[work.target.service or ""]
    repository = _repository(work.catalog)
    places = paths(service)
    with _turn(work):
        recorder.ready(repository)
        _plain(repository, service)
        _none_ignored(repository, service)
        changes = recorder.changes(repository, places)
        if not changes:
            return Outcome(summary="nothing to commit")
        subject, body = message(service.name, changes)
        if "message" in work.variables:
            subject, body = work.variables["message"], ""
        work.progress.now(f"git commit of {_count(len(changes))}")
        commit = recorder.record(repository, changes, subject, body)
        left = recorder.changes(repository, places)
    if left:
        raise ToolError(
            f"{service.name}: committed as {commit[:12]}, but these files differ from it again",
            why="\n".join(left),
            todo=f"a hook has probably changed them; commit that too: doit commit:{service.name}",
        )
    return Outcome(summary=f"{_count(len(changes))}, {commit[:12]} {subject}", values={"commit": commit})


def up_to_date(works: Sequence[Work]) -> dict[str, Answer]:
    """Whether git has anything of each service's files to commit; all are asked about at once."""
    catalog = works[0].catalog
    places = {work.target.name: paths(catalog.services[work.target.service or ""]) for work in works}
    repository = _repository(catalog)
    for work in works:
        _plain(repository, catalog.services[work.target.service or ""])
    changed = recorder.changes(repository, [place for listed in places.values() for place in listed])
    return {name: _answer([path for path in changed if _within(path, listed)]) for name, listed in places.items()}


def paths(service: Service) -> tuple[str, ...]:
    """The folders of the service's own migrations and its Prisma schemas, relative to the root."""
    own = [database.migrations for database in service.databases if isinstance(database, Database)]
    return (*own, *(database.prisma for database in service.databases if database.prisma))


@contextmanager
def _turn(work: Work) -> Iterator[None]:
    """Git takes one commit at a time, and refuses a second instead of waiting."""
    state = work.catalog.root / ".state"
    state.mkdir(exist_ok=True)
    with Lock(state / "commit.lock").held(waiting=lambda: work.progress.now("waiting: another commit is being made")):
        yield


def _answer(changed: Sequence[str]) -> Answer:
    if not changed:
        return Answer(up_to_date=True, because="git has nothing of it to commit")
    return Answer(
        up_to_date=False, because=f"{_count(len(changed))} to commit: {changed[0]}{' …' * (len(changed) > 1)}"
    )


def _within(path: str, places: Sequence[str]) -> bool:
    return any(path == place or path.startswith(f"{place}/") for place in places)


def _repository(catalog: Catalog) -> git.Repository:
    found = git.find(catalog.root)
    if found is None:
        raise Refused(f"{catalog.root} is in no git repository", todo="git init")
    return found


def _plain(repository: git.Repository, service: Service) -> None:
    """Refused where git would see none of the service's migrations."""
    for database in service.databases:
        if isinstance(database, Database):
            repository.plain(database.migrations)


def _none_ignored(repository: git.Repository, service: Service) -> None:
    """Refused for a migration that git would leave out: it would be missing in the image."""
    folders = [database.migrations for database in service.databases if isinstance(database, Database)]
    ignored = [path for path in recorder.ignored(repository, folders) if path.endswith(".sql")] if folders else []
    if ignored:
        raise Refused(
            f"git ignores {_count(len(ignored))} of the migrations, so no commit and no image would have it",
            why="\n".join(ignored),
            todo=f"git check-ignore -v {ignored[0]}   (shows the line to take out)",
        )


def _count(files: int) -> str:
    return "1 file" if files == 1 else f"{files} files"
