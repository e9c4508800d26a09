"""Images in registries: whether one is there, and the push of one that is not, without any daemon."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable
from typing import Self

import httpx

from schemas.errors import Refused, RegistryError
from tools.oci.door import Answer, Door, Interrupted
from tools.oci.reference import Reference, parse
from tools.oci.writer import INDEX, MANIFEST, Blob, Image, Lent

__all__ = ["Registries", "digest", "push"]

KINDS = (
    *(INDEX, MANIFEST),
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
DIGEST = "docker-content-digest"
RESTARTS = 4  # of one upload
BYTES = "application/octet-stream"

Say = Callable[[str], None]


def digest(reference: str) -> str | None:
    """The digest of what a registry holds under ``HOST/REPOSITORY:TAG`` or ``…@DIGEST``; None where it holds nothing.

    Raises RegistryError where the registry does not say, or does not let us ask.
    """
    with Registries() as registries:
        return registries.digest(reference)


def push(reference: str, image: Image, say: Say) -> str:
    """As `Registries.push`, with connections of its own."""
    with Registries() as registries:
        return registries.push(reference, image, say)


class Registries:
    """Registries, each with its connections and login; safe to use from several threads."""

    def __init__(self, *, pause: Callable[[float], None] = time.sleep) -> None:
        self._pause = pause
        self._doors: dict[str, Door] = {}
        self._lock = threading.Lock()
        self._held: dict[tuple[str, str], str] = {}  # host, digest of a blob -> a repository that was seen to have it

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        for door in self._doors.values():
            door.close()

    def digest(self, reference: str) -> str | None:
        """As `digest` of the module."""
        name = parse(reference)
        return self._digest(name, name.digest or name.tag or "latest", _pull(name))

    def manifests(self, reference: str) -> frozenset[str]:
        """The digests of the manifests in the index ``HOST/REPOSITORY@DIGEST``, one a platform.

        Raises RegistryError where the registry does not give it, or gives something else.
        """
        name = parse(reference)
        door = self.door(name.host)
        url = door.url(f"{name.repository}/manifests/{name.digest}")
        answer = door.ask("GET", url, scopes=_pull(name), headers={"Accept": ", ".join(KINDS)})
        if answer.status != httpx.codes.OK or f"sha256:{hashlib.sha256(answer.body).hexdigest()}" != name.digest:
            raise door.refused(f"it does not give {name.repository}@{name.digest}", answer)
        try:
            listed = json.loads(answer.body).get("manifests", [])
            return frozenset(str(one["digest"]) for one in listed)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise RegistryError(f"{reference} is no index of images") from None

    def push(self, reference: str, image: Image, say: Say) -> str:
        """Push an image under ``HOST/REPOSITORY:TAG`` and return its digest, as the registry itself says it then.

        What is there already is not sent again. The tag comes last, so that it never names half an image, and one that
        names something else already is left as it is: Refused. Raises RegistryError.
        """
        name = parse(reference)
        scopes = _push(name)
        self._unless_other(name, image)
        for blob in image.blobs:
            self._blob(name, blob, scopes, say)
        for one in image.platforms:
            self._manifest(name, one.manifest, one.manifest.digest, scopes)
        if self._unless_other(name, image) is None:
            self._manifest(name, image.index, name.tag, scopes)
        there = self._digest(name, name.tag, scopes)
        if there != image.index.digest:
            raise RegistryError(
                f"{reference} was pushed, and the registry names another image by it",
                why=f"pushed: {image.index.digest}\nthere: {there or 'nothing'}",
                todo="run the command again; if it stays so, look who else writes there",
            )
        return there

    def _unless_other(self, name: Reference, image: Image) -> str | None:
        """The digest that the tag has, where it is this image's; Refused where it is another's."""
        there = self._digest(name, name.tag, _push(name))
        if there not in {None, image.index.digest}:
            raise Refused(
                f"{name.host}/{name.repository}:{name.tag} is another image already, and a tag is never given anew",
                why=f"there: {there}\nmade here: {image.index.digest}",
                todo="look who pushed it; delete it from the registry if nothing runs it, then run the command again",
            )
        return there

    def _digest(self, name: Reference, tag: str, scopes: tuple[str, ...]) -> str | None:
        door = self.door(name.host)
        url = door.url(f"{name.repository}/manifests/{tag}")
        accept = {"Accept": ", ".join(KINDS)}
        answer = door.ask("HEAD", url, scopes=scopes, headers=accept)
        if answer.status == httpx.codes.NOT_FOUND:
            return None
        if answer.status == httpx.codes.OK and not answer.headers.get(DIGEST):  # the specification says only: should
            answer = door.ask("GET", url, scopes=scopes, headers=accept)
        if answer.status != httpx.codes.OK:
            raise door.refused(f"it does not say whether it has {name.repository}:{tag}", answer)
        return answer.headers.get(DIGEST) or f"sha256:{hashlib.sha256(answer.body).hexdigest()}"

    def _blob(self, name: Reference, blob: Blob | Lent, scopes: tuple[str, ...], say: Say) -> None:
        """See that the repository has a blob: it had it, takes it from a neighbour, or gets it."""
        door = self.door(name.host)
        there = door.ask("HEAD", door.url(f"{name.repository}/blobs/{blob.digest}"), scopes=scopes)
        if there.status not in {httpx.codes.OK, httpx.codes.NOT_FOUND}:
            raise door.refused(f"it does not say what {name.repository} has", there)
        if there.status == httpx.codes.NOT_FOUND and not self._mounted(name, blob, scopes):
            say(f"sending {_size(len(blob.data))} to {name.host}/{name.repository}")
            self._upload(door, name, blob, scopes)
        with self._lock:
            self._held[name.host, blob.digest] = name.repository

    def _mounted(self, name: Reference, blob: Blob | Lent, scopes: tuple[str, ...]) -> bool:
        """Whether the registry has taken the blob from another repository, where this run has seen it."""
        neighbour = self._held.get((name.host, blob.digest)) or _lender(name, blob)
        if neighbour is None:
            return False
        door = self.door(name.host)
        url = door.url(f"{name.repository}/blobs/uploads/?mount={blob.digest}&from={neighbour}")
        answer = door.ask("POST", url, scopes=(*scopes, f"repository:{neighbour}:pull"))
        return answer.status == httpx.codes.CREATED

    def _upload(self, door: Door, name: Reference, blob: Blob | Lent, scopes: tuple[str, ...]) -> None:
        """Send a blob; what breaks off goes on where the registry says that it is, or begins anew."""
        answer: Answer | None = None
        for _ in range(RESTARTS):
            answer = door.ask("POST", door.url(f"{name.repository}/blobs/uploads/"), scopes=scopes)
            if answer.status != httpx.codes.ACCEPTED:
                raise door.refused(f"{name.repository} takes no upload", answer)
            place: str | None = _location(door, answer)
            sent = 0
            while place is not None and sent < len(blob.data):
                try:
                    span = {"Content-Range": f"{sent}-{len(blob.data) - 1}"} if sent else {}
                    answer = door.ask(
                        "PATCH",
                        place,
                        scopes=scopes,
                        headers={"Content-Type": BYTES, **span},
                        content=blob.data[sent:],
                        once=True,
                    )
                except Interrupted:
                    place, sent = _standing(door, place, scopes, sent)
                    continue
                place, sent = (_location(door, answer), len(blob.data)) if _accepted(answer) else (None, 0)
            if place is None:
                door.pause(1.0)
                continue
            url = str(httpx.URL(place).copy_merge_params({"digest": blob.digest}))
            answer = door.ask("PUT", url, scopes=scopes, headers={"Content-Type": BYTES}, content=b"")
            if answer.status == httpx.codes.CREATED:
                return
        if answer is not None and not _accepted(answer):
            raise door.refused(f"{name.repository} does not take a layer of {_size(len(blob.data))}", answer)
        raise RegistryError(
            f"{door.host}: the upload of {_size(len(blob.data))} to {name.repository} broke off {RESTARTS} times",
            todo="check the network, then run the command again: what has arrived is not sent anew",
        )

    def _manifest(self, name: Reference, document: Blob, tag: str, scopes: tuple[str, ...]) -> None:
        door = self.door(name.host)
        url = door.url(f"{name.repository}/manifests/{tag}")
        answer = door.ask("PUT", url, scopes=scopes, headers={"Content-Type": document.kind}, content=document.data)
        if answer.status != httpx.codes.CREATED:
            raise door.refused(f"{name.repository} does not take the image", answer)

    def door(self, host: str) -> Door:
        """The way into a registry."""
        with self._lock:
            if host not in self._doors:
                self._doors[host] = Door(host, pause=self._pause)
            return self._doors[host]


def _pull(name: Reference) -> tuple[str, ...]:
    return (f"repository:{name.repository}:pull",)


def _push(name: Reference) -> tuple[str, ...]:
    return (f"repository:{name.repository}:pull,push",)


def _lender(name: Reference, blob: Blob | Lent) -> str | None:
    """The repository of this registry that a layer was lent by."""
    host, _, repository = blob.origin.partition("/") if isinstance(blob, Lent) else ("", "", "")
    return repository if host == name.host and repository != name.repository else None


def _accepted(answer: Answer) -> bool:
    return answer.status in {httpx.codes.ACCEPTED, httpx.codes.CREATED, httpx.codes.NO_CONTENT}


def _location(door: Door, answer: Answer) -> str:
    """Where an upload goes on; a registry may give the path alone."""
    where = answer.headers.get("location", "")
    if not where:
        raise RegistryError(f"{door.host}: it takes an upload and does not say where")
    return str(answer.url.join(where))


def _standing(door: Door, place: str, scopes: tuple[str, ...], sent: int) -> tuple[str | None, int]:
    """Where an upload that broke off stands, as the registry says; None where it must begin anew."""
    door.pause(0.5)
    answer = door.ask("GET", place, scopes=scopes)
    last = answer.headers.get("range", "").removeprefix("bytes=").partition("-")[2]
    if answer.status != httpx.codes.NO_CONTENT or not last.isdigit():
        return None, 0
    arrived = int(last) + 1 if int(last) else 0  # 0-0 is said of nothing, too
    return (_location(door, answer), arrived) if arrived > sent else (None, 0)


def _size(count: int) -> str:
    return f"{count / 1_000_000:.1f} MB" if count >= 100_000 else f"{count / 1000:.1f} kB"  # noqa: PLR2004
