"""What an image of a service holds at a commit, and the name that this gives it: git is asked, nothing is built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from schemas import catalog_file
from schemas.catalog import Catalog, Database, Service
from schemas.errors import GanderError, Refused, StreamError
from schemas.image import Content, Identity
from schemas.image import identity as named
from schemas.stream import Migration, Problem, of
from tools import git
from tools.git.objects import FOLDER, Entry, objects

__all__ = [
    "as_of",
    "commit_of",
    "content",
    "contents",
    "contents_at",
    "destination",
    "identity",
    "of_content",
    "own",
    "recipe",
    "repository",
]

LARGEST = 16 * 1024 * 1024  # bytes of a migration
POINTER = b"version https://git-lfs."  # how a file begins that Git LFS keeps elsewhere


def identity(catalog: Catalog, service: str, commit: str = "HEAD") -> Identity:
    """The repository and tag of the image that a commit makes for a service; a pure function of what they hold.

    Raises Refused where there is no such commit, service, image or migration, StreamError for what goose would refuse.
    """
    return of_content(catalog, service, content(catalog, service, commit))


def of_content(catalog: Catalog, service: str, held: Content) -> Identity:
    """As `identity`, of what is known already. Raises Refused where services.yaml names no repository."""
    return named(destination(catalog, service), held, catalog.services[service].platforms, recipe())


def content(catalog: Catalog, service: str, commit: str = "HEAD") -> Content:
    """The migrations of a service at a commit. Raises as `identity`."""
    found = contents(catalog, [service], commit)[service]
    if isinstance(found, GanderError):
        raise found
    return found


def contents(catalog: Catalog, services: Sequence[str], commit: str = "HEAD") -> dict[str, Content | GanderError]:
    """What each of these services holds at a commit, or why it makes no image; git is asked once for all."""
    source = repository(catalog)
    return contents_at(catalog, services, source, commit_of(source, commit))


def contents_at(
    catalog: Catalog, services: Sequence[str], source: git.Repository, at: str
) -> dict[str, Content | GanderError]:
    """As `contents`, in a repository that was found and at a commit, by its full hash, that is there."""
    then = _then(catalog, source, at)
    databases = {name: own(then.services[name]) if name in then.services else () for name in services}
    folders = [one.migrations for listed in databases.values() for one in listed]
    with objects(source.root) as there:
        below = {folder: there.folder(at, folder) for folder in folders}
        data = there.files((one.hash for listed in below.values() for one in listed.values() if one.plain), LARGEST)
    found: dict[str, Content | GanderError] = {}
    for name, listed in databases.items():
        try:
            found[name] = replace(_content(name, listed, at, below, data), base=then.services[name].base)
        except GanderError as error:
            found[name] = error
    return found


def as_of(catalog: Catalog, source: git.Repository, commit: str, root: Path) -> Catalog:
    """The catalog of a commit whose files lie below another root."""
    then = _then(catalog, source, commit)
    if not then.file.is_relative_to(then.root):
        return then._replace(root=root)
    return then._replace(root=root, file=root / then.file.relative_to(then.root))


def commit_of(source: git.Repository, name: str) -> str:
    """The full hash of the commit that an image is made of. Raises Refused where it is not here."""
    found = source.commit(name)
    if found is None:
        shallow = source.ask("rev-parse", "--is-shallow-repository").strip() == "true"
        fetch = f"git fetch {'--unshallow' if shallow else 'origin'}"
        why = "this clone is shallow: it holds the newest commits only" if shallow else ""
        todo = f"{fetch}\nthen run it again" if name != "HEAD" else "doit commit, or git commit"
        raise Refused(f"there is no commit `{name}` here", why=why, todo=todo)
    return found


def repository(catalog: Catalog) -> git.Repository:
    """The git repository of the monorepo. Raises Refused where it is in none."""
    found = git.find(catalog.root)
    if found is None:
        raise Refused(
            f"{catalog.root} is in no git repository, and an image is made of a commit", todo="git init\nthen commit"
        )
    return found


def own(service: Service) -> tuple[Database, ...]:
    """The databases whose migrations a service's image holds: references are in their owner's."""
    return tuple(one for one in service.databases if isinstance(one, Database))


@lru_cache(maxsize=1)
def recipe() -> str:
    """What beside the migrations decides about the bytes of every image: programs, certificates, how it is written."""
    from tasks.image import build  # noqa: PLC0415 - start-up: it loads the writer

    return build.recipe()


def destination(catalog: Catalog, service: str) -> str:
    """The repository that a service's image is pushed to. Raises Refused where services.yaml names none."""
    known = catalog.services[service]
    if not known.image:
        raise Refused(
            f"services.yaml does not say where the image of {service} goes",
            where=catalog.file.name,
            todo="add a line: image: {repository: HOST/…/{service}-migrations}",
        )
    return known.image


def _then(catalog: Catalog, source: git.Repository, commit: str) -> Catalog:
    """The services as the commit's own services.yaml has them; today's where the commit has none."""
    if not catalog.file.is_relative_to(catalog.root):
        return catalog
    path = catalog.file.relative_to(catalog.root).as_posix()
    with objects(source.root) as there:
        entry = there.entry(commit, path)
        if entry is None or not entry.plain or git.hashed(catalog.file.read_bytes(), entry.hash) == entry.hash:
            return catalog
        text = there.files([entry.hash])[entry.hash].decode(errors="replace")
    return catalog_file.earlier(text, catalog.file) or catalog


def _content(
    name: str,
    databases: Sequence[Database],
    commit: str,
    below: Mapping[str, Mapping[str, Entry]],
    data: Mapping[str, bytes],
) -> Content:
    if not databases:
        raise Refused(f"{name} has no database of its own at {commit[:12]}, so it has no migrations and no image")
    streams: dict[str, tuple[Migration, ...]] = {}
    problems: list[Problem] = []
    for one in databases:
        listed = below[one.migrations].items()
        files = {name: _data(entry, data) for name, entry in listed if entry.mode != FOLDER}
        stream = of(files, one.migrations)
        streams[one.key] = stream.migrations
        problems += stream.problems
    if problems:
        raise _refusal(name, commit, problems)
    return Content(service=name, streams=streams)


def _data(entry: Entry, data: Mapping[str, bytes]) -> bytes | str:
    if not entry.plain:
        return "is no plain file in git, but a link or a submodule"
    if entry.hash not in data:
        return f"is longer than {LARGEST >> 20} MiB"
    if data[entry.hash].startswith(POINTER):
        return "is kept by Git LFS: the commit has a pointer in its place, which goose cannot read"
    return data[entry.hash]


def _refusal(name: str, commit: str, problems: Sequence[Problem]) -> StreamError:
    listed = [f"{one.path}:{one.line}: {one.message}" if one.line else f"{one.path}: {one.message}" for one in problems]
    return StreamError(
        f"{name}: the migrations of commit {commit[:12]} cannot be run",
        why="\n".join(listed),
        todo="\n".join(dict.fromkeys(one.remedy for one in problems if one.remedy)) + "\nthen commit it",
    )
