"""Has the environment before verified this image? Decided from facts alone; what is in doubt does not qualify."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tasks.promote.image import Image, Streams, short

__all__ = ["Before", "Qualified", "qualify"]

LISTED = 3  # files that a sentence names


class Before(NamedTuple):
    """What the environment before has now, and what looking at it has come to."""

    environment: str
    verified: bool = False
    says: str = ""  # the verdict in words, or why nobody could look
    image: str = ""  # REPOSITORY:TAG@DIGEST, as its values file has it
    streams: Streams | None = None  # what the commit holds that this image is of
    labelled: Streams | None = None  # what the image itself says that it holds


class Qualified(NamedTuple):
    """Whether an image may follow, and why or why not."""

    holds: bool
    says: str


def qualify(image: Image, labelled: Streams | None, named: str, before: Before) -> Qualified:
    """An image may follow where the environment before has verified it, or a newer one that holds all its files.

    ``labelled`` is what the image itself says that it holds; ``named`` is its whole name where it was written down.
    """
    against = (*_before(before), *_image(image, labelled, named), *_held(image, before))
    if against:
        return Qualified(holds=False, says=against[0])
    newer = "" if image.whole == before.image else f", as all its files are in {short(before.image)}, which it has"
    return Qualified(holds=True, says=f"{before.environment} has verified {image.tag}{newer}")


def _before(before: Before) -> Iterator[str]:
    """What speaks against believing the environment before."""
    theirs = short(before.image) or "an image"
    if before.verified is not True or not before.image:
        yield f"{before.environment} has not verified {theirs}: {before.says or 'nobody looked'}"
    if not before.streams or before.labelled != before.streams:
        yield f"what {theirs} holds is not known: its labels are not what the commit has that promoted it"


def _image(image: Image, labelled: Streams | None, named: str) -> Iterator[str]:
    """What speaks against believing the image."""
    if image.digest is None:
        yield f"the registry has no {image.reference}"
    elif image.whole != named:
        yield f"the registry has another image under {image.tag} than was promoted: {image.digest}"
    if not image.streams or labelled != image.streams:
        yield f"what {image.tag} holds is not known: its labels are not what its commit has"


def _held(image: Image, before: Before) -> Iterator[str]:
    """What of the image was not verified with the one that the environment before has."""
    has, held = f"{before.environment} has verified {short(before.image)}", before.streams or {}
    if image.whole == before.image:
        if image.streams != held:
            yield f"{image.tag} is of two commits that differ"
        return
    if image.reference == before.image.partition("@")[0]:
        yield f"{before.environment} has verified another image under {image.tag}"
    for key, files in image.streams.items():
        there = held.get(key)
        if there is None:
            yield f"{has}, which has no migrations of {key}"
            continue
        absent = [name for name in files if name not in there]
        if absent:
            more = f" and {len(absent) - LISTED} more" if absent[LISTED:] else ""
            yield f"{has}, which lacks {', '.join(absent[:LISTED])}{more} of {key}"
        differing = [name for name, content in files.items() if there.get(name, content) != content]
        if differing:
            yield f"{has}, in which {', '.join(differing[:LISTED])} of {key} is another file"
