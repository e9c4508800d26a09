"""What an environment's release says: its image by the values file, and the files of that image by git."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from schemas.catalog import Database, Environment
from schemas.errors import GanderError, Refused, StreamError
from schemas.image import Content
from schemas.stream import Migration, version_of
from schemas.target import Target
from tasks.image import content
from tasks.image.built import Built, parse
from tasks.promote.image import plain
from tasks.promote.message import BUILT, COMMIT, OVERRIDE, REF
from tasks.promote.site import Site, line, site
from tasks.verify.facts import Expected, Look, Part
from tasks.work import Work
from tools import git

__all__ = ["HASH", "Decided", "Release", "decided", "known", "release", "said", "unless_ours", "written"]

HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class Release(NamedTuple):
    """A release as it is written down."""

    place: Site
    tip: str  # the GitOps branch's commit
    image: str  # REPOSITORY:TAG@DIGEST
    commit: str  # of the monorepo
    built: Built | None  # who built it, and when; None where nobody wrote that down
    databases: Mapping[str, Database]  # by label
    streams: Mapping[str, tuple[Migration, ...]]  # by label: the files that the image holds

    def expected(self, namespace: str) -> Expected:
        """What is to be found of it in the cluster and the databases."""
        environment, service = self.place.environment, self.place.target.service or ""
        application = environment.argocd.application if environment.argocd else ""
        return Expected(
            service=service,
            environment=environment.name,
            application=application.format(service=service),
            namespace=namespace,
            image=self.image,
            digests=frozenset((self.image.partition("@")[2],)),
            parts=tuple(
                Part(label=label, job=one.job, files={file.version: file.name for file in self.streams[label]})
                for label, one in self.databases.items()
            ),
        )


class Decided(NamedTuple):
    """What the commit that promoted a release says of the decision."""

    ref: str  # what stands for it elsewhere
    override: str  # why it went there all the same
    plan: tuple[str, ...]  # what it was to bring: a paragraph a database


def decided(release: Release) -> Decided:
    """What was decided, as the branch's history has it: words of people, and no proof of anything."""
    place, at = release.place, (release.tip, release.image, release.place.file)
    repository = place.remote.repository
    paragraphs = repository.message(*at).split("\n\n")
    return Decided(repository.trailer(REF, *at), repository.trailer(OVERRIDE, *at), tuple(paragraphs[1:-1]))


def release(work: Work, target: Target) -> Release:
    """The release of a service in an environment, as its branch has it now.

    Raises Refused where none is written down, or nobody knows which files its image holds; ToolError as git does.
    """
    place = site(work.catalog, target)
    return written(work, place, place.tip())


def written(work: Work, place: Site, tip: str) -> Release:
    """The release as a commit of its branch has it. Raises as `release`."""
    catalog, target = work.catalog, place.target
    service = target.service or ""
    if place.environment.argocd is None:
        raise Refused(
            f"`{target.environment}` has no `argocd:`",
            where=catalog.file.name,
            todo="say which Application deploys a service there: argocd: {application: …, server: …}",
        )
    image = line(place, tip).spot.text
    if not image:
        raise Refused(
            f"nothing was promoted to {target.environment}: {place.called} names no image for {service}",
            todo=f"doit promote:{service}@{target.environment}",
        )
    commit = place.remote.repository.trailer(COMMIT, tip, image, place.file)
    again = f"git fetch --unshallow\nor promote it: doit promote:{service}@{target.environment}"
    if not commit or not image.partition("@")[2]:
        what = f"nobody knows which migrations {image} holds"
        raise Refused(what, why="no commit of `doit promote` wrote it down, as far as history reaches here", todo=again)
    try:
        held = content.content(catalog, service, commit)
    except (Refused, StreamError) as error:
        why = f"of commit {commit[:12]}: {error.what}"
        raise Refused(f"nobody knows which migrations {image} holds", why=why, todo=again) from error
    unless_ours(work, target, image)
    databases = _databases(work, service, held)
    built = parse(place.remote.repository.trailer(BUILT, tip, image, place.file))
    return Release(
        place=place,
        tip=tip,
        image=image,
        commit=commit,
        built=built,
        databases=databases,
        streams={label: held.streams[one.key] for label, one in databases.items()},
    )


def said(release: Release, revisions: Sequence[str], asked: str) -> Look[str]:
    """The image in the values file at the commit that was synced, which must be in the branch's history.

    An Application with several sources has several commits: the one that is ours counts.
    """
    place, source = release.place, f"{release.place.called}:{release.place.file}"
    repository = place.remote.repository
    for commit in revisions:
        if not HASH.fullmatch(commit) or repository.commit(commit) is None:
            continue
        if repository.within(commit, release.tip) is not True:
            return Look(why=f"{commit[:12]} is not in the history of {place.called}", source=source)
        try:
            return Look(value=line(place, commit, commit[:12]).spot.text, source=source)
        except GanderError as error:
            return Look(why=str(error), source=source)
    listed = ", ".join(one[:12] for one in revisions) or "no commit"
    return Look(why=f"{asked} synced {listed}, which {place.called} has not", source=source)


def known(work: Work, environment: Environment, database: Database) -> frozenset[int]:
    """The versions of every file that git ever had in a stream's folder, here or on the base branch.

    In a protected environment on the base branch alone: nothing else may have gone there.
    """
    repository = git.find(work.catalog.root)
    if repository is None:
        return frozenset()
    base = repository.base(work.catalog.base)
    tips = [base.commit] if base else []
    tips += [] if base and environment.protected else ["HEAD"]
    paths = frozenset[str]().union(*(repository.ever(tip, database.migrations) for tip in tips))
    versions = (version_of(path.rpartition("/")[2]) for path in paths)
    return frozenset(one for one in versions if isinstance(one, int))


def unless_ours(work: Work, target: Target, image: str) -> None:
    """Raise Refused unless services.yaml names the image's repository: whoever can push a values file could name any.

    So no registry is asked but those that services.yaml names.
    """
    there, ours = image.partition("@")[0].rpartition(":")[0], content.destination(work.catalog, target.service or "")
    if there != ours:
        raise Refused(
            f"{target.environment} has an image of {plain(there)}, and services.yaml names {ours}",
            why="no other registry is asked, and nothing of its images is believed",
            todo=f"doit promote:{target.service}@{target.environment}\n"
            f"or correct `image: {{repository: …}}` in {work.catalog.file.name}",
        )


def _databases(work: Work, service: str, held: Content) -> dict[str, Database]:
    """The databases that the image is for; Refused where services.yaml has one of them no more."""
    today = {one.key: one for one in content.own(work.catalog.services[service])}
    gone = [key for key in held.streams if key not in today]
    if gone:
        raise Refused(
            f"the image holds migrations of {service}/{gone[0]}, which services.yaml has no more",
            where=work.catalog.file.name,
            todo=f"release the service as it is now: doit image:{service}",
        )
    return {today[key].label: today[key] for key in held.streams}
