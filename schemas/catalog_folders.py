"""Whether the folders that a catalog names are there, below the root; looked at on every load."""

from __future__ import annotations

import os
from collections.abc import Iterator
from stat import S_ISDIR, S_ISLNK

from schemas.catalog import Catalog

__all__ = ["objections"]


def objections(catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Say what is wrong with a service's folder, by service; with the root itself, under the empty name.

    One lstat a service: what lies around the folders is resolved once a folder.
    """
    root = str(catalog.root)
    if not os.path.isdir(root):  # noqa: PTH112 - False for a name that is too long as well
        yield "", f"the root `{root}` is not a folder"
        return
    inside: dict[str, bool] = {}
    for name, service in catalog.services.items():
        path = f"{root}/{service.folder}"
        around = path.rpartition("/")[0]
        if around not in inside:
            inside[around] = _below(around, root)
        try:
            mode = os.lstat(path).st_mode
            if S_ISLNK(mode):
                mode = os.stat(path).st_mode  # noqa: PTH116 - a path object a service would cost more than the look
                inside[path] = _below(path, root)
        except OSError:
            yield name, f"there is no folder `{service.folder}`"
            continue
        if not S_ISDIR(mode):
            yield name, f"`{service.folder}` is not a folder"
        elif not inside.get(path, inside[around]):
            yield name, f"`{service.folder}` leads out of the root by a symbolic link"


def _below(path: str, root: str) -> bool:
    return f"{os.path.realpath(path)}/".startswith(f"{root.rstrip('/')}/")
