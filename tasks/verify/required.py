"""Which of the five facts an environment insists on, and what is forgiven where nobody could see it."""

from __future__ import annotations

from collections.abc import Collection

from schemas.catalog import ALWAYS, FACTS, Environment
from tasks.verify.facts import Facts, Look
from tasks.verify.findings import Finding

__all__ = ["left_out", "required"]


def required(environment: Environment) -> tuple[str, ...]:
    """The facts that a release there is to be verified by: all five where it is protected, whatever it says itself."""
    if environment.protected:
        return FACTS
    return tuple(one for one in FACTS if one in {*ALWAYS, *environment.require})


def left_out(facts: Facts, findings: tuple[Finding, ...], require: Collection[str]) -> tuple[Finding, ...]:
    """What nobody could see of the facts that are not required; what was seen and is otherwise is never among it."""
    kept = {*ALWAYS, *require}
    return tuple(one for one in findings if one.fact not in kept and one.kind == "unknown" and not _seen(facts, one))


def _seen(facts: Facts, finding: Finding) -> bool:
    """Whether there was something to see, and it speaks against the release though it proves nothing.

    A database answered, and what it says of itself is not to be believed; the last pod of a Job did not end well.
    """
    if finding.fact == "database":
        return facts.databases.get(finding.about, Look()).value is not None
    job = facts.jobs.get(finding.about, Look()).value if finding.fact == "job" else None
    last = job.pods[-1:] if job else ()
    return any(one.phase == "Failed" or any(part.exit_code for part in one.containers) for one in last)
