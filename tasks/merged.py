"""Which versions of a stream are merged: on the base branch, where others have them already."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.catalog import Catalog, Database
from schemas.stream import Migration, version_of
from tasks.migrate.versions import Merged
from tools import git

__all__ = ["merged"]


def merged(catalog: Catalog, database: Database, files: Iterable[Migration]) -> Merged | None:
    """What git says of a stream's versions, now and in the base branch's history; None where it cannot tell.

    A version that was ever on the base branch counts: somebody may have applied it. Raises ToolError where git fails.
    """
    repository = git.find(catalog.root)
    base = repository.base(catalog.base) if repository else None
    if repository is None or base is None:
        return None
    folder = database.migrations
    on_base = {
        version: like
        for path, like in repository.files(base.commit, folder).items()
        if (version := _version(path, folder)) is not None
    }
    ever = {version for path in repository.ever(base.commit, folder) if (version := _version(path, folder)) is not None}
    same = {file.version for file in files if _as(file.data, on_base.get(file.version, ""))}
    return Merged(base=base.name, same=frozenset(same), other=frozenset((on_base.keys() | ever) - same))


def _version(path: str, folder: str) -> int | None:
    """The version of a file that lies in the folder itself, as goose takes it."""
    above, _, name = path.rpartition("/")
    version = version_of(name)
    return version if above == folder and name.endswith(".sql") and isinstance(version, int) else None


def _as(data: bytes, like: str) -> bool:
    """Whether a file here has the content of that hash, whatever line ends git has given it."""
    return bool(like) and like in {git.hashed(data, like), git.hashed(data.replace(b"\r\n", b"\n"), like)}
