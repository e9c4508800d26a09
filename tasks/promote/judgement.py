"""May this image go to that environment? Decided from facts alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from schemas.answer import Answer
from schemas.catalog import Environment
from schemas.errors import GanderError, Refused
from tasks.promote.image import Image, short
from tasks.promote.qualify import Qualified

__all__ = ["Facts", "Wanted", "answer", "answer_after", "refuse"]


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
    qualified: Qualified | None = None  # by the environment before, where there is one; None: nobody looked
    override: str = ""  # why it may go there although it does not qualify
    ref: str = ""  # what stands for the decision elsewhere: CHG-123

    @property
    def overridden(self) -> bool:
        """Whether it goes there by the override alone."""
        return bool(self.override) and not (self.qualified and self.qualified.holds)


def refuse(facts: Facts, step: str = "promote") -> None:
    """Raise Refused unless the image may go to the environment; ``step`` is what is run again then.

    A protected environment takes merged commits only, and an environment with ``after`` what that one has verified;
    with an ``override`` and its ``ref`` also what it has not. A protected one without ``after`` takes nothing.
    """
    environment = facts.environment
    again = f"doit {step}:{facts.service}@{environment.name}"
    if (environment.protected or environment.after) and facts.override and not facts.ref:
        raise Refused(
            "an override needs a reference to who has decided it",
            why="both are kept in the commit that promotes, so that everybody sees them",
            todo=f"add it to the command: {again} override=REASON ref=CHG-123",
        )
    if environment.protected and facts.merged is not True:
        short_hash = facts.commit[:12]
        if facts.merged is None:
            raise Refused(
                f"nobody can tell whether {short_hash} is on {facts.base or 'a base branch'}",
                why=f"{environment.name} is protected: it takes merged commits only, and the history here is cut short",
                todo=f"git fetch --unshallow\n{again}",
            )
        raise Refused(
            f"{short_hash} is not on {facts.base}",
            why=f"{environment.name} is protected: it takes merged commits only",
            todo=f"merge it, then run it again: {again}",
        )
    if environment.protected and not environment.after:
        raise Refused(
            f"{environment.name} takes only what an earlier environment has verified, and services.yaml names none",
            why=f"{environment.name} is protected",
            todo=f"name it in services.yaml: {environment.name}: {{after: ENVIRONMENT, …}}",
        )
    if environment.after and not facts.override and (facts.qualified is None or facts.qualified.holds is not True):
        raise Refused(
            facts.qualified.says if facts.qualified else f"nobody looked whether {environment.after} has verified it",
            why=f"{environment.name} takes only what {environment.after} has verified",
            todo=f"doit verify:{facts.service}@{environment.after}\n{again}",
        )
    if facts.digest is None:
        built = "" if environment.after else f"doit image:{facts.service}\n"
        raise Refused(
            f"the registry has no {facts.reference}",
            why=f"{environment.name} could not pull it",
            todo=f"{built}{again}" + (" tag=m-…" if environment.after else ""),
        )


def answer(environment: Environment, image: Image | GanderError | None, said: str | GanderError) -> Answer:
    """Whether an environment has that image already: ``said`` is what its values file says on the GitOps branch."""
    if image is None:
        return Answer(up_to_date=True, because="it has no database of its own")
    if isinstance(image, GanderError):
        return _unknown(image.what)
    if isinstance(said, GanderError):
        return _unknown(said.what)
    if said == image.whole and image.digest is not None:
        return Answer(up_to_date=True, because=f"{environment.name} has {image.tag}")
    missing = f"the registry has no {image.reference}"
    other = f"{environment.name} has {said or 'no image'}, not {image.tag}"
    return Answer(up_to_date=False, because=missing if image.digest is None else other)


class Wanted(NamedTuple):
    """What an environment after another one is to have: a whole image, or any of a tag."""

    image: str = ""
    tag: str = ""


def answer_after(
    environment: Environment, wanted: Wanted | GanderError, said: str | GanderError, *, ours: bool
) -> Answer:
    """Whether an environment after another one has what it is to have, so that nothing is to be written.

    ``ours`` says that a commit of `doit promote` wrote down what is ``said``: it was judged then. What somebody wrote
    by hand never counts.
    """
    if isinstance(wanted, GanderError):
        return _unknown(wanted.what)
    if isinstance(said, GanderError):
        return _unknown(said.what)
    there = said == wanted.image if wanted.image else bool(wanted.tag) and short(said) == wanted.tag
    called = short(wanted.image) or wanted.tag or "no image"
    if not said or not there:
        return Answer(up_to_date=False, because=f"{environment.name} has {short(said) or 'no image'}, not {called}")
    if not ours:
        return Answer(up_to_date=False, because=f"{environment.name} has {called}, which was not promoted")
    return Answer(up_to_date=True, because=f"{environment.name} has {called}")


def _unknown(why: str) -> Answer:
    return Answer(up_to_date=None, because=f"not known: {why}")
