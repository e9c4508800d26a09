"""What a sync came to: done, or why not; and how an operation of ours is ended where that is allowed."""

from __future__ import annotations

import time
from typing import Literal

from schemas.application import Application
from schemas.errors import ArgoBusy, ArgoUnsure, NotVerified, Refused
from tasks.sync.follow import DEADLINE, Look, Step, safe_to_end
from tasks.sync.request import Request
from tasks.sync.site import Site
from tasks.sync.standing import lacking
from tasks.sync.watch import Tail, look
from tasks.verify.advice import ADVICE
from tasks.verify.gather import Gathered, gather
from tasks.verify.judgement import judge
from tasks.verify.kept import keep
from tasks.verify.required import required
from tasks.verify.run import error
from tasks.work import Outcome
from tools.shell import redact

__all__ = ["Section", "ended", "goes_on", "stopped"]

Section = Literal["foreign", "pod-never-starts", "running", "terminated"]  # of the runbook: verdicts of `ADVICE`
ENDING = 60.0  # seconds for an operation that was terminated


def ended(site: Site, wanted: Request, seen: Look, now: Step, tail: Tail) -> Outcome:
    """What following an operation came to. Raises NotVerified, ArgoError."""
    if now.what == "stuck":
        raise _stuck(site, wanted, seen, now.says)
    if now.what == "deadline":
        minutes = f"{DEADLINE / 60:.0f} min"
        raise goes_on(site, f"run {wanted.run} still runs after {minutes}, and was left alone", now.says)
    gathered = gather(site.work, site.work.target, site.written, site.server)
    keep(site.work, site.work.target, gathered.facts)
    for job, printed in gathered.facts.logs.items():
        for line in tail.rest(job, printed.value or ()):
            site.work.progress.line(redact(line))
    return _judged(site, wanted, gathered, now)


def _judged(site: Site, wanted: Request, gathered: Gathered, now: Step) -> Outcome:
    """Done, or the verdict: whatever ended, only what the facts bear out is believed."""
    require = required(site.written.place.environment)
    verdict = judge(*gathered, require)
    application = gathered.facts.application.value
    state = application.state if application else None
    if not lacking(gathered, require):
        if state is None or (state.request.run, state.revisions) != (wanted.run, (wanted.commit,)):
            raise NotVerified(
                f"run {wanted.run} was overtaken: what ran last is run {state.request.run if state else 'of nobody'}",
                why=f"it rolled the same image out, and went well\n{_see('foreign')}",
                todo=f"doit verify:{site.target}\ndoit sync:{site.target}",
            )
        for note in verdict.notes:
            site.work.progress.line(redact(f"  note: {note}"))
        logs = "; ".join(
            one.says if one.kind == "holds" else f"the log of {one.about} was not seen"
            for one in verdict.findings
            if one.fact == "log"
        )
        values = {"run": wanted.run, "commit": wanted.commit}
        summary = f"{wanted.application} is at {wanted.commit[:12]}: {logs}; to prove it: doit verify:{site.target}"
        return Outcome(summary=summary, values=values)
    failed = error(verdict)
    if now.what in {"overtaken", "not taken", "inconsistent"}:
        failed.why = "\n".join([f"run {wanted.run}: {now.what}, {now.says}", failed.why])
    raise failed


def _stuck(site: Site, wanted: Request, seen: Look, says: str) -> NotVerified:
    """The error for a pod that does not start; the operation is ended where that kills nothing."""
    advice = ADVICE["pod-never-starts"]
    if safe_to_end(seen):
        seen = look(site.server, site.expected)
        if safe_to_end(seen) and _ours(seen.application, wanted.run):
            gone = _terminated(site, wanted.run)
            state = "it was ended, and nothing of it runs" if gone else "it was told to end, and has not yet"
            return NotVerified(
                advice.what.format(said=redact(says)),
                why=f"{advice.true}\nrun {wanted.run}: {state}\n{_see('pod-never-starts')}",
                todo=f"mend what the pod waits for\ndoit sync:{site.target}",
            )
    return NotVerified(
        advice.what.format(said=redact(says)),
        why=f"run {wanted.run} goes on: a migration of it may have begun, and is not killed\n"
        f"{_see('pod-never-starts')}",
        todo=f"mend what the pod waits for, and take it up again: doit sync:{site.target}\n"
        f"or end it, whatever runs: doit sync:{site.target} stop=true",
    )


def stopped(site: Site) -> Outcome:
    """End the run of ours that is under way, whatever it does. Raises Refused where there is none."""
    application = site.server.application(site.expected.application)
    pending = application.pending
    if pending is None or not pending.run:
        whose = f", but one of {pending.whose}" if pending else ""
        raise Refused(f"no run of ours is under way at {application.name}{whose}", todo=f"doit verify:{site.target}")
    site.say(f"ending run {pending.run}")
    if not _terminated(site, pending.run):
        raise goes_on(site, f"run {pending.run} was told to end, and has not", "")
    raise NotVerified(
        f"run {pending.run} was ended, as stop=true says",
        why=f"a migration that ran was killed: {ADVICE['terminated'].safe}\n{_see('terminated')}",
        todo=f"look at the databases: doit status:{site.target}\ndoit sync:{site.target}",
    )


def _terminated(site: Site, run: str) -> bool:
    """Have our operation ended, and wait until it is gone; whether it is."""
    try:
        site.server.terminate(site.expected.application)
    except (ArgoUnsure, ArgoBusy) as doubt:
        site.say(doubt.what)
    until = time.monotonic() + ENDING
    while _ours(site.server.application(site.expected.application), run):
        if time.monotonic() > until:
            return False
        site.follows.pause()
    return True


def _ours(application: Application, run: str) -> bool:
    return application.pending is not None and application.pending.run == run


def goes_on(site: Site, what: str, why: str) -> NotVerified:
    """The error for an operation that has not ended."""
    again = f"doit sync:{site.target}   (takes it up again)"
    return NotVerified(
        what,
        why="\n".join(filter(None, (redact(why), _see("running")))),
        todo=f"{again}\nor end it, whatever runs: doit sync:{site.target} stop=true",
    )


def _see(section: Section) -> str:
    """Where the runbook has more."""
    return f"see docs/runbook.md#{section}"
