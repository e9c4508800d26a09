"""The step `verify`: it always looks, changes nothing, and says verified only of what all five facts bear out."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from schemas.errors import GanderError, NotVerified, ToolError
from schemas.target import Target
from tasks.image import content
from tasks.promote.site import site
from tasks.promote.sites import sites
from tasks.verify.evidence import document, unseen
from tasks.verify.gather import Gathered, gather
from tasks.verify.judgement import Verdict, judge
from tasks.verify.kept import keep
from tasks.verify.looks import Look, looks
from tasks.verify.release import decided, written
from tasks.verify.required import required
from tasks.work import Outcome, Work
from tools import argocd, whole
from tools.shell import redact

__all__ = ["error", "run", "servers"]

SIGNS = {"holds": "✓", "unknown": "?", "wrong": "✗"}


class Servers:
    """The Argo CDs of a run; each is made once, and all are closed with the run."""

    def __init__(self) -> None:
        self._made: dict[argocd.Login, argocd.Server] = {}
        self._lock = Lock()

    def of(self, work: Work, target: Target) -> argocd.Server:
        """The Argo CD of an environment. Raises ArgoError where none is known, or no token for it."""
        named = work.catalog.environments[target.environment].argocd
        assert named is not None  # noqa: S101 - `release` has refused it already
        login = argocd.login(named)
        with self._lock:
            if login not in self._made:
                self._made[login] = argocd.Server(login)
            return self._made[login]

    def close(self) -> None:
        """Close all connections."""
        for one in self._made.values():
            one.close()


def servers(work: Work) -> Servers:
    """Those that the targets of this run share."""
    return work.session.shared("argocd", Servers)


def run(work: Work) -> Outcome:
    """Verify the release of a service in an environment, and say what is so.

    Raises NotVerified unless all five facts hold for each of its databases (where the environment leaves some out,
    those may be unseen), Refused where no release is written down.
    """
    target = work.target
    service = target.service or ""
    if not content.own(work.catalog.services[service]):
        return Outcome(summary="no database of its own, so nothing to verify")
    work.progress.now("looking at the release")
    release, gathered = looks(work).take(target) or _looked(work, target)
    keep(work, target, gathered.facts)
    verdict = judge(*gathered, required(release.place.environment))
    at, kept, as_json = datetime.now(UTC), "", work.variables.get("format") == "json"
    if as_json or work.variables.get("evidence"):
        who = sites(work).who(release.place.remote.repository) or getpass.getuser()
        seen = document(verdict, gathered, release, decided(release), who=who, at=at)
        evidence = redact(json.dumps(seen, indent=2, ensure_ascii=False))
        kept = _kept(work, target, evidence, at)
        if as_json:
            work.out(evidence)
    if not as_json:
        for line in _told(verdict, gathered):
            work.out(redact(line))
    if not verdict.enough:
        raise error(verdict)
    count = sum(len(part.files) for part in gathered.expected.parts)
    but = "" if verdict.verified else f"without {', '.join(unseen(verdict))}"
    word = f"verified {but}" if but else "verified"
    summary = f"{word}: {count} versions of {release.commit[:12]}{kept}"
    return Outcome(summary=summary, but=but, values={"at": at.isoformat()})


def _looked(work: Work, target: Target) -> Look:
    """Look at everything."""
    shared = sites(work)
    place = site(work.catalog, target, shared.known)
    release = written(work, place, shared.tip(place))
    return Look(release, gather(work, target, release, servers(work).of(work, target)))


def error(verdict: Verdict) -> GanderError:
    """What to raise of a verdict that is not `verified`: its words, and what to type."""
    lacking = "; ".join(f"{one.fact} of {one.about}" for one in verdict.findings if one.kind != "holds")
    return NotVerified(
        redact(verdict.what),
        why=redact(
            f"true: {verdict.true}\nsafe: {verdict.safe}\nlacking: {lacking}\nsee docs/runbook.md#{verdict.kind}"
        ),
        todo="\n".join(verdict.todo),
    )


def _told(verdict: Verdict, gathered: Gathered) -> Iterator[str]:
    """The facts, each with its source, and what goose printed."""
    expected = gathered.expected
    yield f"{expected.target}  {expected.image}"
    for one in verdict.findings:
        yield f"  {SIGNS[one.kind]} {one.fact:<9}  {one.about}: {one.says}"
    for name, look in gathered.facts.logs.items():
        for printed in look.value or ():
            yield f"  {name}, pod {printed.pod}:"
            yield from (f"    {line}" for line in printed.text.splitlines())
    yield from (f"  note: {note}" for note in verdict.notes)
    if not verdict.verified and verdict.enough:
        yield f"  {verdict.what}"
        yield f"    true: {verdict.true}"
        yield f"    safe: {verdict.safe}"
        yield f"    see docs/runbook.md#{verdict.kind}"


def _kept(work: Work, target: Target, evidence: str, at: datetime) -> str:
    """Write the evidence where it was asked for; what to add to the step's line."""
    named = work.variables.get("evidence")
    if not named:
        return ""
    folder = Path(work.catalog.root, named)
    file = folder / f"{target.service}@{target.environment}-{at:%Y%m%dT%H%M%SZ}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        whole.replace(file, evidence + "\n")
    except OSError as error:
        raise ToolError("the evidence cannot be written", where=str(file), why=error.strerror or "") from error
    return f", evidence in {file}"
