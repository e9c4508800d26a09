"""May a sync be asked for now, or is there one to be taken up, or waited for? Decided from facts alone."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from schemas.application import IMAGE, Application, Request
from schemas.errors import Refused
from schemas.windows import Window, Windows

__all__ = ["Ask", "Begin", "Resume", "Wait", "begin", "closed", "latest", "over"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Nothing is in the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """A run of ours for this very release, of this machine or of another, is under way, or was a moment ago."""

    run: str
    commit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Another operation runs, which is to end first."""

    whose: str


Begin = Ask | Resume | Wait


def begin(application: Application, image: str, alike: Collection[str], target: str, *, before: str = "") -> Begin:
    """What comes first. ``alike`` are the commits that say the same of this service as the branch does now.

    ``before`` is the run that was `over` when this run of doit looked first. One that has ended since is taken up as
    one that runs is, and judged: to ask for the release again would roll it out twice, and hide what it came to.

    Raises Refused where Argo CD syncs by itself, or the Application is not rendered from one folder of a repository:
    it takes no commit then.
    """
    if application.automated:
        raise Refused(
            f"{application.name} has automated sync on",
            why="Argo CD takes no commit then, and runs migrations whenever its branch moves",
            todo=f"argocd app set {application.name} --sync-policy none\n"
            f"and where Git has it: remove syncPolicy.automated there, also from an ApplicationSet\ndoit sync:{target}",
        )
    if application.source is None or application.source.chart:
        raise Refused(
            f"{application.name} is not rendered from one folder of one repository",
            why="of several sources, or of a repository of charts, no single commit is the release",
            todo="give the Application one `source:` with a `path:`",
        )
    last = latest(application, before)
    if last is None:
        return Ask()
    ours = bool(last.run) and last.told(IMAGE) == image and not (last.partial or last.dry)
    if ours and len(last.revisions) == 1 and last.revisions[0] in alike:
        return Resume(run=last.run, commit=last.revisions[0])
    if application.pending is None:
        return Ask()
    return Wait(whose=f"{last.whose}{f' (run {last.run})' if last.run else ''}")


def latest(application: Application, before: str) -> Request | None:
    """The operation that runs, or a run of ours that has ended, unless that was `over` before; None without."""
    state = application.state
    since = state.request if state and state.request.run not in {"", before} else None
    return application.pending or since


def over(application: Application) -> str:
    """The run of ours whose operation is the last one, and has ended; empty where there is none such."""
    state, pending = application.state, application.pending
    return state.request.run if state and (pending is None or pending.run != state.request.run) else ""


def closed(windows: Windows, application: str, target: str) -> None:
    """Raise Refused, with when, where a sync window keeps a sync by hand from beginning."""
    if windows.open:
        return
    denying = [one for one in windows.active if one.kind == "deny" and not one.manual]
    allowing = [one for one in windows.assigned if one.kind == "allow"]
    if denying:
        why = [f"closed {_when(one)}" for one in denying]
    else:
        why = [f"open only {_when(one)}" for one in allowing] or ["Argo CD does not say which"]
    raise Refused(
        f"a sync window keeps {application} closed now",
        why="\n".join([*why, "times are in the time zone of the window, UTC where it names none"]),
        todo=f"when it is open: doit sync:{target}",
    )


def _when(window: Window) -> str:
    """``from `0 22 * * *` on, for 1h``."""
    return f"from `{window.schedule}` on, for {window.duration}"
