"""The image of a service's migrations: goose, certificates, the files, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any

from schemas.image import FILES, ROOT, Content
from tools import oci
from tools.oci.writer import FORMAT
from tools.toolchain import shipped
from tools.toolchain.golang import pinned_goose

__all__ = ["build", "recipe", "settings"]

NOBODY = "65532:65532"  # no account anywhere, so that runAsNonRoot lets it in
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"  # where Go looks first on Linux (crypto/x509, root_linux.go)
SETTINGS: Mapping[str, Any] = {
    "User": NOBODY,
    "WorkingDir": "/",
    "Entrypoint": ["/goose"],
    "Cmd": ["-env=none", "up"],  # a stray .env decides about nothing
}


def build(content: Content, platforms: Iterable[str], say: Callable[[str], None]) -> oci.Image:
    """The image of this content, the same to the byte wherever and whenever it is made.

    Raises ToolError where goose cannot be built; RegistryError and Refused where it begins with another image that
    cannot be had.
    """
    migrations = oci.layer(
        {path: (data, 0o644) for path, data in content.files.items()}, f"migrations of {content.service}"
    )
    architectures = [one.removeprefix("linux/") for one in platforms]
    bases = {one: _base(content.base, one, say) for one in architectures if content.base}
    certificates = () if content.base else (_certificates(),)  # a base's own may have an authority of the user's
    layers = {one: (*certificates, _goose(one, say), migrations) for one in architectures}
    return oci.image(layers, settings(content), bases)


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


@lru_cache(maxsize=1)
def _certificates() -> oci.Layer:
    return oci.layer({CERTIFICATES: (shipped.certificates(), 0o644)}, "certificates of authorities (certifi)")


@lru_cache(maxsize=2)
def _base(reference: str, architecture: str, say: Callable[[str], None]) -> oci.Base:
    return oci.pull(reference, architecture, say)


@lru_cache(maxsize=2)
def _goose(architecture: str, say: Callable[[str], None]) -> oci.Layer:
    return oci.layer({"/goose": (shipped.shipped(architecture, say).read_bytes(), 0o755)}, f"goose {pinned_goose()}")
