"""The step `image`: a service's migrations at a commit, pushed to its registry under the tag that they give it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.answer import Answer
from schemas.errors import GanderError
from tasks.image import built
from tasks.image.making import Making, making
from tasks.work import Outcome, Work

__all__ = ["replay", "run", "up_to_date"]


def run(work: Work) -> Outcome:
    """Build what the registry does not have yet and push it; what is there under the tag is what the tag says.

    With ``push=false`` it is the Docker of this machine that gets what it does not have.
    What is built was linted and tested before, as the commit has it. Raises Refused where the commit, the service or
    services.yaml gives no image, the tag names another one already, or no Docker can be used; RegistryError,
    ToolError, StreamError for migrations that goose would refuse, and what lint and test raise.
    """
    service, made = work.target.service or "", making(work)
    if not made.owns(service):
        return Outcome(summary="no database of its own, so no image")
    name, content = made.identity(service), made.content(service)
    platforms = work.catalog.services[service].platforms
    there = made.local.id(name, content, platforms) if made.local else made.registries.digest(name.reference)
    if there is None:
        made.proof.of(service, name, work)
        work.progress.now(f"building {name.tag}")
        if made.local:
            there = made.local.load(name, content, platforms)
            did = f"loaded into Docker {made.local.daemon.version} as {_short(there)}"
        else:
            image = made.builder.build(content, platforms)
            there = made.registries.push(name.reference, image, work.progress.now)
            built.note(work, service, f"{name.reference}@{there}")
            did = f"pushed as {_short(there)}"
    else:
        did = f"was there as {_short(there)}"
    made.note(service, there)
    count = "1 file" if content.count == 1 else f"{content.count} files"
    given = {"id" if made.local else "digest": there}
    return Outcome(
        summary=f"{count} of {made.commit[:12]}, {name.tag} {did}{_left(made, service)}",
        values={"repository": name.repository, "tag": name.tag, **given, "commit": made.commit},
    )


def up_to_date(works: Sequence[Work]) -> dict[str, Answer]:
    """Whether each service's registry, or Docker, has the image of its content; git is asked once for all of them."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - start-up: only who asks a registry needs it

    made = making(works[0])
    made.look_ahead([work.target.service or "" for work in works])
    with ThreadPoolExecutor(16, "registry") as pool:
        answers = list(pool.map(lambda work: _answer(made, work.target.service or ""), works))
    return {work.target.name: answer for work, answer in zip(works, answers, strict=True)}


def replay(work: Work, _values: Mapping[str, Any]) -> None:
    """Have an image that is up to date in the run's report too."""
    service, made = work.target.service or "", making(work)
    if not made.owns(service):
        return
    if made.local:
        platforms = work.catalog.services[service].platforms
        made.note(service, made.local.id(made.identity(service), made.content(service), platforms))
    else:
        made.note(service, made.seen(service))


def _answer(made: Making, service: str) -> Answer:
    if not made.owns(service):
        return Answer(up_to_date=True, because="it has no database of its own")
    try:
        name = made.identity(service)
        if made.local:
            answer = made.local.answer(name, made.content(service), made.catalog.services[service].platforms)
            return answer._replace(because=f"{answer.because}{_left(made, service)}")
        digest = made.seen(service)
    except GanderError as error:
        return Answer(up_to_date=None, because=f"not known: {error.what}")
    if digest:
        return Answer(up_to_date=True, because=f"{name.repository} has {name.tag}{_left(made, service)}")
    return Answer(up_to_date=False, because=f"{name.repository} has no {name.tag}{_left(made, service)}")


def _left(made: Making, service: str) -> str:
    """What the image is without although the work tree has it."""
    left = made.left_out(service)
    if not left:
        return ""
    more = f" and {len(left) - 1} more" if len(left) > 1 else ""
    return f"; without what {made.commit[:12]} does not have: {left[0]}{more}"


def _short(digest: str) -> str:
    return digest[: len("sha256:") + 12]
