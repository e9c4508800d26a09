"""Whether the folders that a catalog names are there, below the root, by no link; looked at on every load."""

from __future__ import annotations

import os
from collections.abc import Iterator
from stat import S_ISDIR, S_ISLNK

from schemas.catalog import Catalog

__all__ = ["objections"]


def objections(catalog: Catalog) -> Iterator[tuple[str, str, str]]:
    """What is wrong with a service's folder, by service, and the way out where it is known; of the root, by "".

    One lstat a service: what lies around the folders is resolved once a folder. A link within the root is
    refused as well, for git sees none of the files behind it: they would be neither merged nor committed.
    """
    root = str(catalog.root)
    if not os.path.isdir(root):  # noqa: PTH112 - False for a name that is too long as well
        yield "", f"the root `{root}` is not a folder", ""
        return
    home = os.path.realpath(root)
    real: dict[str, str] = {}
    for name, service in catalog.services.items():
        path = f"{root}/{service.folder}"
        around = path.rpartition("/")[0]
        if around not in real:
            real[around] = os.path.realpath(around)
        there = os.path.normpath(f"{real[around]}/{path.rpartition('/')[2]}")  # the folder may be `.`
        try:
            mode = os.lstat(path).st_mode
            if S_ISLNK(mode):
                mode = os.stat(path).st_mode  # noqa: PTH116 - a path object a service would cost more than the look
                there = os.path.realpath(path)
        except OSError:
            yield name, f"there is no folder `{service.folder}`", ""
            continue
        if not S_ISDIR(mode):
            yield name, f"`{service.folder}` is not a folder", ""
        elif not f"{there}/".startswith(f"{home.rstrip('/')}/"):
            why = f"`{service.folder}` leads out of the root by a symbolic link"
            yield name, why, "no commit and no image would hold its files: move them into the root"
        elif there != os.path.normpath(f"{home}/{service.folder}"):
            folder = os.path.relpath(there, home)
            why = f"`{service.folder}` leads to `{folder}` by a symbolic link, and git sees no file behind one"
            yield name, why, f"give `folder: {folder}`"
