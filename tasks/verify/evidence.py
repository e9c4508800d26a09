"""What was seen of a release, as one JSON document (schemas/evidence.schema.json): a record, and never an input."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from schemas.application import Application
from schemas.catalog import FACTS
from schemas.job import Pod
from tasks.verify.facts import Facts, Look
from tasks.verify.gather import Gathered
from tasks.verify.judgement import Verdict
from tasks.verify.release import Decided, Release

__all__ = ["document", "job", "told", "unseen"]


def document(
    verdict: Verdict, gathered: Gathered, release: Release, decided: Decided, *, who: str, at: datetime
) -> dict[str, Any]:
    """The evidence of a verdict; literals of SQL are masked already."""
    facts, expected = gathered
    return {
        "version": 1,
        "service": expected.service,
        "environment": expected.environment,
        "verified": verdict.verified,
        "verdict": verdict.kind,
        "left_out": unseen(verdict),
        "what": verdict.what,
        "true": verdict.true,
        "safe": verdict.safe,
        "todo": list(verdict.todo),
        "notes": list(verdict.notes),
        "who": who,
        "at": _time(at),
        "image": expected.image,
        "commit": release.commit,
        "built": release.built._asdict() if release.built else None,
        "promoted": release.tip,
        "decided": {"ref": decided.ref or None, "override": decided.override or None, "plan": list(decided.plan)},
        "operation": _operation(facts.application.value),
        "facts": [
            {
                "fact": one.fact,
                "about": one.about,
                "holds": {"holds": True, "wrong": False}.get(one.kind),
                "says": one.says,
                "source": one.source,
                "at": _time(one.at),
            }
            for one in verdict.findings
        ],
        "jobs": [job(name, facts) for name in facts.jobs],
        "databases": [
            {"database": part.label, "files": sorted(part.files), "versions": _versions(facts, part.label)}
            for part in expected.parts
        ],
    }


def unseen(verdict: Verdict) -> list[str]:
    """The facts that a verdict does without."""
    named = {one.fact for one in verdict.left_out}
    return [one for one in FACTS if one in named]


def told(document: Mapping[str, Any]) -> str:
    """The verdict of a document in a few words, which are "verified" only of all five facts."""
    if document.get("verified") is True:
        return "verified"
    left = document.get("left_out")
    if document.get("verdict") == "verified-without" and isinstance(left, list) and left:
        return f"verified without {', '.join(map(str, left))}"
    return f"not verified: {document.get('verdict')}"


def _operation(application: Application | None) -> dict[str, Any] | None:
    state = application.state if application else None
    if state is None:
        return None
    return {
        "run": state.request.run or None,
        "by": state.request.whose,
        "phase": state.phase,
        "message": state.message,
        "revisions": list(state.revisions),
        "started": _time(state.started),
        "finished": _time(state.finished),
    }


def job(name: str, facts: Facts) -> dict[str, Any]:
    """What was seen of a Job: its uid, its pods with their start, image and log."""
    seen = facts.jobs[name].value
    printed = {one.pod: one for one in facts.logs.get(name, Look()).value or ()}
    logs: Mapping[str, str] = {pod: one.text for pod, one in printed.items()}
    return {
        "job": name,
        "uid": seen.job.uid if seen else None,
        "created": _time(seen.job.created) if seen else None,
        "pods": [_pod(one, logs) for one in seen.pods] if seen else [],
    }


def _pod(pod: Pod, logs: Mapping[str, str]) -> dict[str, Any]:
    return {
        "pod": pod.name,
        "node": pod.node or None,
        "created": _time(pod.created),
        "phase": pod.phase,
        "images": [one.image_id or one.image for one in pod.containers],
        "log": logs.get(pod.name),
    }


def _versions(facts: Facts, label: str) -> list[int] | None:
    held = facts.databases.get(label, Look()).value
    return sorted(held.versions) if held else None


def _time(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None
