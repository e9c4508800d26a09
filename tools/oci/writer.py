"""Images whose bytes follow from names, modes and contents alone: no clock, no user, no compressor has a say.

Media types and fields: OCI image specification 1.1. Layers are not compressed: what gzip makes of the same bytes
depends on the zlib that it was built with, and then the digest would too.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any

__all__ = ["FORMAT", "Base", "Blob", "Image", "Layer", "Lent", "Platform", "image", "layer"]

FORMAT = "1"  # raised whenever the same content makes other bytes
EPOCH = "1970-01-01T00:00:00Z"
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"

File = tuple[bytes, int]
"""Content and mode."""
NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Blob:
    """Bytes of a kind, and what others say of them."""

    kind: str  # media type
    data: bytes = field(repr=False)

    @cached_property
    def digest(self) -> str:
        """``sha256:…``."""
        return f"sha256:{hashlib.sha256(self.data).hexdigest()}"

    @property
    def descriptor(self) -> dict[str, Any]:
        """How a manifest or index names it."""
        return {"mediaType": self.kind, "digest": self.digest, "size": len(self.data)}


@dataclass(frozen=True, kw_only=True)
class Layer(Blob):
    """A layer, and the line that an image's history has for it."""

    note: str

    @property
    def unpacked(self) -> str:
        """The digest of the tar file in it."""
        return self.digest


@dataclass(frozen=True, kw_only=True)
class Lent:
    """A layer of another image: its bytes are fetched when somebody needs them."""

    kind: str
    digest: str
    size: int
    unpacked: str
    origin: str  # HOST/REPOSITORY that has it
    fetch: Callable[[], bytes] = field(repr=False)

    @cached_property
    def data(self) -> bytes:
        """The bytes."""
        return self.fetch()

    @property
    def descriptor(self) -> dict[str, Any]:
        """How a manifest names it."""
        return {"mediaType": self.kind, "digest": self.digest, "size": self.size}


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What an image begins with on one kind of machine: another's layers and settings."""

    layers: tuple[Lent, ...] = ()
    history: tuple[Mapping[str, Any], ...] = ()
    environment: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """One of the machines that an image is for: its processor, and the layers there."""

    architecture: str  # as Go names it: amd64, arm64
    layers: tuple[Layer | Lent, ...]
    config: Blob
    manifest: Blob


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image for several platforms; the index is what its tag and digest name."""

    index: Blob
    platforms: tuple[Platform, ...]

    @property
    def blobs(self) -> tuple[Blob | Lent, ...]:
        """Layers and configs, each once, in the order in which they are to be pushed."""
        listed = [blob for one in self.platforms for blob in (*one.layers, one.config)]
        return tuple({blob.digest: blob for blob in listed}.values())


def layer(files: Mapping[str, File], note: str) -> Layer:
    """The layer of these files and the folders above them, all owned by root, without a time."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        folders = {str(parent) for path in files for parent in PurePosixPath(path).parents} - {"/"}
        for path in sorted({*folders, *files}):
            entry = tarfile.TarInfo(path.removeprefix("/"))
            if path in folders:
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(entry)
            else:
                data, entry.mode = files[path]
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))
    return Layer(kind=LAYER, data=out.getvalue(), note=note)


def image(
    layers: Mapping[str, Sequence[Layer]], settings: Mapping[str, Any], bases: Mapping[str, Base] = NOTHING
) -> Image:
    """The image whose layers are these on each architecture, run with these settings (``User``, ``Entrypoint`` …).

    Where an architecture has a base, its layers come first, and what it says of ``Env`` and ``Labels`` stays as far
    as the settings say nothing else; nothing else of its settings does.
    """
    platforms = tuple(
        _platform(architecture, tuple(those), settings, bases.get(architecture, Base()))
        for architecture, those in layers.items()
    )
    manifests = [
        {**one.manifest.descriptor, "platform": {"architecture": one.architecture, "os": "linux"}} for one in platforms
    ]
    index = _document(INDEX, {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests})
    return Image(index=index, platforms=platforms)


def _platform(architecture: str, own: tuple[Layer, ...], settings: Mapping[str, Any], base: Base) -> Platform:
    layers: tuple[Layer | Lent, ...] = (*base.layers, *own)
    config = _document(
        CONFIG,
        {
            "architecture": architecture,
            "os": "linux",
            "created": EPOCH,
            "config": _merged(settings, base),
            "rootfs": {"type": "layers", "diff_ids": [one.unpacked for one in layers]},
            "history": [*base.history, *({"created": EPOCH, "created_by": one.note} for one in own)],
        },
    )
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config.descriptor,
        "layers": [one.descriptor for one in layers],
    }
    return Platform(architecture=architecture, layers=layers, config=config, manifest=_document(MANIFEST, manifest))


def _merged(settings: Mapping[str, Any], base: Base) -> dict[str, Any]:
    merged = dict(settings)
    ours = {variable.partition("=")[0] for variable in settings.get("Env", ())}
    if kept := [variable for variable in base.environment if variable.partition("=")[0] not in ours]:
        merged["Env"] = [*kept, *settings.get("Env", ())]
    if base.labels:
        merged["Labels"] = {**base.labels, **settings.get("Labels", {})}
    return merged


def _document(kind: str, data: Mapping[str, Any]) -> Blob:
    return Blob(kind=kind, data=json.dumps(data, sort_keys=True, separators=(",", ":")).encode())
