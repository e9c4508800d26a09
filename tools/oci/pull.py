"""What another image is made of, for one that begins with it; read by its digest, and believed only where that fits.

Indexes, manifests and configs: OCI image specification 1.1, and Docker's of version 2, which have the same fields.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import httpx

from schemas.errors import Refused, RegistryError
from tools.oci.door import LONGEST, Answer, Door
from tools.oci.reference import Reference, parse
from tools.oci.registry import KINDS, Registries
from tools.oci.writer import EPOCH, LAYER, Base, Lent

__all__ = ["labels", "pull"]

LARGEST = 1 << 30  # bytes of a layer
REDIRECTS = 5
LAYERS = {
    LAYER: LAYER,
    f"{LAYER}+gzip": f"{LAYER}+gzip",
    f"{LAYER}+zstd": f"{LAYER}+zstd",
    "application/vnd.docker.image.rootfs.diff.tar.gzip": f"{LAYER}+gzip",  # the same bytes, by Docker's name
}
HASH = "sha256:"
DIGITS = 64

Say = Callable[[str], None]


def pull(reference: str, architecture: str, say: Say) -> Base:
    """What the image ``HOST/REPOSITORY@sha256:…`` has on Linux and that architecture; layers are fetched when needed.

    Raises RegistryError where the registry does not have it, or gives something else; Refused where it has nothing
    for that architecture.
    """
    name = parse(reference)
    with Registries() as registries:
        door = registries.door(name.host)
        manifest = _document(door, name, "manifests", name.digest)
        if "manifests" in manifest:
            found = _chosen(manifest, architecture)
            manifest = _document(door, name, "manifests", found) if found else {}
        config = _document(door, name, "blobs", _digest(manifest.get("config"), name)) if manifest else {}
    if (config.get("os"), config.get("architecture")) != ("linux", architecture):
        raise Refused(
            f"the base of images, {reference}, is not there for linux/{architecture}",
            todo="name only platforms that it has in services.yaml: image: {platforms: […]}\nor name another base",
        )
    return _base(name, manifest, config, say)


def labels(reference: str, registries: Registries) -> dict[str, str]:
    """The labels of the image ``HOST/REPOSITORY@sha256:…``, which are the same on each of its platforms.

    Raises RegistryError where the registry does not have it, gives something else, or its platforms differ.
    """
    try:
        found = _labels(parse(reference), registries)
    except RegistryError as error:
        raise RegistryError(f"nobody can tell what {reference} holds", why=error.what) from error
    if not all(one == found[0] for one in found):
        raise RegistryError(f"nobody can tell what {reference} holds", why="its platforms have different labels")
    return {str(key): str(value) for key, value in found[0].items()}


def _labels(name: Reference, registries: Registries) -> list[dict[str, Any]]:
    door = registries.door(name.host)
    top = _document(door, name, "manifests", name.digest)
    listed = top.get("manifests") or []
    manifests = [_document(door, name, "manifests", _digest(one, name)) for one in listed] or [top]
    configs = [_document(door, name, "blobs", _digest(one.get("config"), name)) for one in manifests]
    found = [_at(one, "config", "Labels") or {} for one in configs]
    return [one if isinstance(one, dict) else {} for one in found]


def _base(name: Reference, manifest: Mapping[str, Any], config: Mapping[str, Any], say: Say) -> Base:
    listed, unpacked = manifest.get("layers"), _at(config, "rootfs", "diff_ids")
    if not isinstance(listed, list) or not isinstance(unpacked, list) or len(listed) != len(unpacked):
        raise _strange(name, "its layers are not those of its config")
    layers = []
    for layer, tar in zip(listed, unpacked, strict=True):
        digest, kind, size = _digest(layer, name), _at(layer, "mediaType"), _at(layer, "size")
        if kind not in LAYERS or not isinstance(size, int) or not _is_digest(tar):
            raise _strange(name, f"a layer is {kind}, which cannot be taken over")
        layers.append(
            Lent(
                kind=LAYERS[kind],
                digest=digest,
                size=size,
                unpacked=tar,
                origin=f"{name.host}/{name.repository}",
                fetch=partial(_layer, name, digest, size, say),
            )
        )
    told = [one for one in config.get("history") or () if isinstance(one, dict)]
    if sum(not one.get("empty_layer") for one in told) != len(layers):  # tools take such a config for a broken one
        told = [{"created": EPOCH, "created_by": "base"} for _ in layers]
    settings = config.get("config") or {}
    environment, labels = _at(settings, "Env") or (), _at(settings, "Labels") or {}
    return Base(
        layers=tuple(layers),
        history=tuple(told),
        environment=tuple(str(one) for one in environment),
        labels={str(key): str(value) for key, value in labels.items()},
    )


def _chosen(index: Mapping[str, Any], architecture: str) -> str:
    """The digest of an index's image for Linux on that architecture: the first, as container runtimes take it."""
    for one in index["manifests"] or ():
        if (_at(one, "platform", "os"), _at(one, "platform", "architecture")) == ("linux", architecture):
            digest = _at(one, "digest")
            if _is_digest(digest):
                return str(digest)
    return ""


def _layer(name: Reference, digest: str, size: int, say: Say) -> bytes:
    if size > LARGEST:
        raise RegistryError(f"a layer of the base {name.host}/{name.repository} is larger than {LARGEST >> 20} MiB")
    say(f"fetching {size / 1_000_000:.1f} MB from {name.host}/{name.repository}")
    with Registries() as registries:
        return _fetched(registries.door(name.host), name, "blobs", digest, size)


def _document(door: Door, name: Reference, place: str, digest: str) -> dict[str, Any]:
    data = _fetched(door, name, place, digest, LONGEST)
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise _strange(name, f"{digest} is no JSON document")
    return document


def _fetched(door: Door, name: Reference, place: str, digest: str, most: int) -> bytes:
    """The bytes of that digest; a registry may lead elsewhere for them."""
    scopes = (f"repository:{name.repository}:pull",)
    accept = {"Accept": ", ".join(KINDS)} if place == "manifests" else {}
    url = door.url(f"{name.repository}/{place}/{digest}")
    answer = door.ask("GET", url, scopes=scopes, headers=accept, most=most)
    for _ in range(REDIRECTS):
        where = answer.headers.get("location", "")
        if not where or not _leads_on(answer):
            break
        answer = door.ask("GET", str(answer.url.join(where)), scopes=scopes, most=most)
    if answer.status == httpx.codes.NOT_FOUND:
        raise RegistryError(
            f"{door.host} does not have the base of images, {name.repository}@{name.digest}",
            todo="correct image.base in services.yaml, or push that image there",
        )
    if answer.status != httpx.codes.OK:
        raise door.refused(f"it does not give the base of images, {name.repository}@{name.digest}", answer)
    if f"{HASH}{hashlib.sha256(answer.body).hexdigest()}" != digest:
        raise _strange(name, f"what came has another digest than {digest}")
    return answer.body


def _leads_on(answer: Answer) -> bool:
    return answer.status in {301, 302, 303, 307, 308}


def _digest(descriptor: Any, name: Reference) -> str:
    digest = _at(descriptor, "digest")
    if not _is_digest(digest):
        raise _strange(name, "its manifest names no digests")
    return str(digest)


def _is_digest(text: Any) -> bool:
    if not isinstance(text, str) or len(text) != len(HASH) + DIGITS:
        return False
    return text.startswith(HASH) and set(text[len(HASH) :]) <= set("0123456789abcdef")


def _at(document: Any, *keys: str) -> Any:
    """What lies there in a JSON document; None where nothing does."""
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _strange(name: Reference, why: str) -> RegistryError:
    return RegistryError(
        f"{name.host}/{name.repository}@{name.digest} is no image that can be built on",
        why=why,
        todo="name another image in services.yaml: image: {base: HOST/REPOSITORY@sha256:…}",
    )
