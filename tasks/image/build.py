"""The image of a service's migrations: goose, certificates, the files, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from threading import Lock
from typing import Any

from schemas.image import FILES, ROOT, Content
from tools import oci
from tools.oci.writer import FORMAT
from tools.toolchain import shipped
from tools.toolchain.golang import pinned_goose

__all__ = ["Builder", "recipe", "settings"]

NOBODY = "65532:65532"  # no account anywhere, so that runAsNonRoot lets it in
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"  # where Go looks first on Linux (crypto/x509, root_linux.go)
SETTINGS: Mapping[str, Any] = {
    "User": NOBODY,
    "WorkingDir": "/",
    "Entrypoint": ["/goose"],
    "Cmd": ["-env=none", "up"],  # a stray .env decides about nothing
}


class Builder:
    """Builds the images of a run. What they have in common is made once; safe to use from several threads."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._lock = say, Lock()
        self._layers: dict[str, oci.Layer] = {}
        self._bases: dict[tuple[str, str], oci.Base] = {}

    def build(self, content: Content, platforms: Iterable[str]) -> oci.Image:
        """The image of this content, the same to the byte wherever and whenever it is made.

        Raises ToolError where goose cannot be built; RegistryError and Refused where it begins with another image that
        cannot be had.
        """
        migrations = oci.layer(
            {path: (data, 0o644) for path, data in content.files.items()}, f"migrations of {content.service}"
        )
        architectures = [one.removeprefix("linux/") for one in platforms]
        with self._lock:
            bases = {one: self._base(content.base, one) for one in architectures if content.base}
            certificates = () if content.base else (self._certificates(),)  # a base may have an authority of the user's
            layers = {one: (*certificates, self._goose(one), migrations) for one in architectures}
        return oci.image(layers, settings(content), bases)

    def _certificates(self) -> oci.Layer:
        if CERTIFICATES not in self._layers:
            made = oci.layer({CERTIFICATES: (shipped.certificates(), 0o644)}, "certificates of authorities (certifi)")
            self._layers[CERTIFICATES] = made
        return self._layers[CERTIFICATES]

    def _goose(self, architecture: str) -> oci.Layer:
        if architecture not in self._layers:
            data = shipped.shipped(architecture, self._say).read_bytes()
            self._layers[architecture] = oci.layer({"/goose": (data, 0o755)}, f"goose {pinned_goose()}")
        return self._layers[architecture]

    def _base(self, reference: str, architecture: str) -> oci.Base:
        if (reference, architecture) not in self._bases:
            self._bases[reference, architecture] = oci.pull(reference, architecture, self._say)
        return self._bases[reference, architecture]


def settings(content: Content) -> dict[str, Any]:
    """How the image runs, and its labels: what it holds, and nothing of who made it, when, or of which commit."""
    labels = {"gander.service": content.service, "gander.goose": pinned_goose()}
    for database, stream in content.streams.items():
        labels[f"gander.{database}.versions"] = f"{stream[0].version}..{stream[-1].version}"
        labels[FILES.format(database=database)] = json.dumps(content.hashes[database], sort_keys=True)
    environment = [f"GOOSE_MIGRATION_DIR={ROOT}"] if len(content.streams) == 1 else []
    return {**SETTINGS, "Env": environment, "Labels": labels}


def recipe() -> str:
    """Digest of what makes the bytes of every image beside its migrations."""
    return sha256(json.dumps([FORMAT, shipped.recipe(), SETTINGS, CERTIFICATES], sort_keys=True).encode()).hexdigest()
