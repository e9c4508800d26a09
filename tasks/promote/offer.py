"""What an environment after another one may get: chosen of what that one has, and looked at now, never remembered."""

from __future__ import annotations

from typing import NamedTuple

from schemas.errors import GanderError, Refused
from schemas.image import labelled
from schemas.target import Target
from tasks.image import content
from tasks.image.making import making
from tasks.promote.image import Image, Images, Streams, short
from tasks.promote.message import COMMIT
from tasks.promote.qualify import Before, Qualified, qualify
from tasks.promote.site import Site, line, site
from tasks.verify.gather import gather
from tasks.verify.judgement import judge
from tasks.verify.release import Release, release, unless_ours
from tasks.verify.run import servers
from tasks.work import Work
from tools.oci.pull import labels
from tools.oci.registry import Registries
from tools.shell import redact

__all__ = ["Offer", "offer", "worth"]


class Offer(NamedTuple):
    """The image for an environment, and whether the one before has verified it."""

    image: Image
    qualified: Qualified


class Choice(NamedTuple):
    """An image, and its whole name where it was written down."""

    image: Image
    named: str


def offer(work: Work, target: Target, images: Images) -> Offer:
    """The image that ``tag=`` or ``commit=`` names, else the one that the environment before has, and what it is worth.

    That environment's release is verified for it: Argo CD, the cluster and the databases are asked now.
    Raises Refused where there is no such image, RegistryError and ToolError where nobody can tell.
    """
    before = _before(work, target)
    registries = making(work).registries
    there = _release(work, before)
    return _judged(work, before, there, _chosen(work, before, there, images, registries), registries)


def worth(work: Work, target: Target, said: str, commit: str) -> Offer:
    """The image that is written down for an environment already, made of that commit, and what it is worth now.

    The environment before is verified for it, as for `offer`, and it raises as that.
    """
    before = _before(work, target)
    registries = making(work).registries
    choice = Choice(_image(work, target.service or "", said, commit, registries), said)
    return _judged(work, before, _release(work, before), choice, registries)


def _before(work: Work, target: Target) -> Target:
    environment = work.catalog.environments[target.environment].after or ""
    return Target(step="verify", service=target.service, environment=environment)


def _release(work: Work, before: Target) -> Release | GanderError:
    try:
        return release(work, before)
    except GanderError as error:
        return error


def _judged(work: Work, before: Target, there: Release | GanderError, choice: Choice, registries: Registries) -> Offer:
    image, named = choice
    seen = _looked(work, before, there, registries)
    held = _labelled(image.whole, registries) if seen.verified and image.digest else None
    return Offer(image, qualify(image, held, named, seen))


def _chosen(work: Work, before: Target, there: Release | GanderError, images: Images, registries: Registries) -> Choice:
    service, given = before.service or "", work.variables
    if given.get("tag") and given.get("commit"):
        raise Refused("tag= and commit= both choose an image", todo="give one of them")
    if given.get("commit"):
        image = images.of([service])[service]
        if not isinstance(image, Image):
            raise image or Refused(f"{service} has no database of its own, so no image")
        return Choice(image, image.whole)
    if given.get("tag"):
        return _tagged(work, before, given["tag"], registries)
    if isinstance(there, GanderError):
        raise there
    return Choice(_image(work, service, there.image, there.commit, registries), there.image)


def _tagged(work: Work, before: Target, tag: str, registries: Registries) -> Choice:
    """The image of that tag, as a commit that promoted it to the environment before wrote it down."""
    place = site(work.catalog, before)
    for commit in place.remote.repository.about(f":{tag}@", place.tip(), place.file):
        said = _said(place, commit)
        made_of = place.remote.repository.trailer(COMMIT, commit, said, place.file) if short(said) == tag else ""
        if made_of:
            unless_ours(work, before, said)
            return Choice(_image(work, before.service or "", said, made_of, registries), said)
    raise Refused(
        f"{tag} was never promoted to {before.environment}, as far as the history of {place.called} reaches",
        where=place.file,
        why=f"a tag is chosen of those that {before.environment} has had",
        todo=f"git -C {place.remote.repository.root} log -p {place.called} -- {place.file}",
    )


def _said(place: Site, commit: str) -> str:
    try:
        return line(place, commit, commit[:12]).spot.text
    except GanderError:
        return ""


def _image(work: Work, service: str, text: str, commit: str, registries: Registries) -> Image:
    """An image that is written down, with the digest that its registry has under the tag now."""
    reference = text.partition("@")[0]
    held = content.content(work.catalog, service, commit).hashes
    full = content.commit_of(content.repository(work.catalog), commit)
    return Image(reference, registries.digest(reference), full, held)


def _looked(work: Work, before: Target, there: Release | GanderError, registries: Registries) -> Before:
    """Verify the environment before, as `doit verify` does; what cannot be looked at is not verified."""
    found = Before(environment=before.environment)
    if isinstance(there, GanderError):
        return found._replace(says=_words(there))
    found = found._replace(image=there.image)
    try:
        verdict = judge(*gather(work, before, there, servers(work).of(work, before)))
    except GanderError as error:
        return found._replace(says=_words(error))
    streams = {
        one.key: {file.name: file.sha256 for file in there.streams[name]} for name, one in there.databases.items()
    }
    if not verdict.verified:
        return found._replace(says=redact(verdict.what), streams=streams)
    return found._replace(verified=True, streams=streams, labelled=_labelled(there.image, registries))


def _words(error: GanderError) -> str:
    return redact(f"{error.what} ({error.why})" if error.why else error.what)


def _labelled(image: str, registries: Registries) -> Streams | None:
    """The files that an image itself says it holds; None where nobody can tell."""
    try:
        return labelled(labels(image, registries))
    except GanderError:
        return None
