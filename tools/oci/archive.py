"""An image for one machine as a tar that `docker load` takes: what every version of Docker reads, with any store.

The format is `manifest.json` with the files that it names (moby's image specification 1.2).
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator

from tools.oci.writer import Platform

__all__ = ["archive"]

BLOCK = tarfile.BLOCKSIZE


def archive(platform: Platform, reference: str) -> Iterator[bytes]:
    """The tar of the image for that platform, piece by piece; it gets the name ``REPOSITORY:TAG``."""
    files = {_path(one.digest): one.data for one in (platform.config, *platform.layers)}
    manifest = {
        "Config": _path(platform.config.digest),
        "RepoTags": [reference],
        "Layers": [_path(one.digest) for one in platform.layers],
    }
    files["manifest.json"] = json.dumps([manifest], sort_keys=True).encode()
    for path, data in files.items():
        entry = tarfile.TarInfo(path)
        entry.size = len(data)
        yield entry.tobuf(tarfile.USTAR_FORMAT)
        yield data
        if len(data) % BLOCK:
            yield bytes(-len(data) % BLOCK)
    yield bytes(2 * BLOCK)


def _path(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"
