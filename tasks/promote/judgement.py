"""May this image go to that environment? Decided from facts alone."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.answer import Answer
from schemas.catalog import Environment
from schemas.errors import GanderError, Refused
from tasks.promote.image import Image

__all__ = ["Facts", "answer", "refuse", "unproven"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a release right before it is written down."""

    service: str
    environment: Environment
    commit: str  # in full
    reference: str  # REPOSITORY:TAG of the image that the commit's migrations make
    digest: str | None  # of that image in its registry; None: the registry lacks it
    base: str = ""  # the branch that merged commits are on; looked at for a protected environment only
    merged: bool | None = None  # whether the commit is on it, after a fetch; None: nobody can tell


def refuse(facts: Facts) -> None:
    """Raise Refused unless the image may go to the environment.

    A protected environment takes merged commits only, and an environment with ``after`` what that one has verified.
    The check of the second comes with the step that verifies: until then both are refused.
    """
    environment = facts.environment
    again = f"doit promote:{facts.service}@{environment.name}"
    if environment.protected and facts.merged is not True:
        short = facts.commit[:12]
        if facts.merged is None:
            raise Refused(
                f"nobody can tell whether {short} is on {facts.base or 'a base branch'}",
                why=f"{environment.name} is protected: it takes merged commits only, and the history here is cut short",
                todo=f"git fetch --unshallow\n{again}",
            )
        raise Refused(
            f"{short} is not on {facts.base}",
            why=f"{environment.name} is protected: it takes merged commits only",
            todo=f"merge it, then run it again: {again}\nor name a merged one: {again} commit={facts.base}",
        )
    unproven(environment)
    if facts.digest is None:
        raise Refused(
            f"the registry has no {facts.reference}",
            why=f"{environment.name} could not pull it",
            todo=f"doit image:{facts.service}\n{again}",
        )


def unproven(environment: Environment) -> None:
    """Raise Refused where an environment takes only what was verified, which nothing looks at yet."""
    if environment.protected or environment.after:
        what = f"what {environment.after} has verified" if environment.after else "verified images"
        raise Refused(
            f"{environment.name} takes only {what}, and that cannot be looked at yet",
            why="nothing looks live at what another environment has verified; until then nothing is released there",
        )


def answer(environment: Environment, image: Image | GanderError | None, said: str | GanderError) -> Answer:
    """Whether an environment has that image already: ``said`` is what its values file says on the GitOps branch."""
    if image is None:
        return Answer(up_to_date=True, because="it has no database of its own")
    if isinstance(image, GanderError):
        return _unknown(image.what)
    if isinstance(said, GanderError):
        return _unknown(said.what)
    if environment.after:
        return _unknown(f"what {environment.after} has verified cannot be looked at yet")
    if said == image.whole and image.digest is not None:
        return Answer(up_to_date=True, because=f"{environment.name} has {image.tag}")
    missing = f"the registry has no {image.reference}"
    other = f"{environment.name} has {said or 'no image'}, not {image.tag}"
    return Answer(up_to_date=False, because=missing if image.digest is None else other)


def _unknown(why: str) -> Answer:
    return Answer(up_to_date=None, because=f"not known: {why}")
