"""What has become of a release in its cluster: the last sync, the application's health, and the verdict on it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from schemas.application import Application
from schemas.errors import GanderError
from tasks.verify.judgement import Verdict

__all__ = ["Rollout"]


class Rollout(NamedTuple):
    """One release as Argo CD, its cluster and its databases tell it now."""

    application: Application | None = None  # None: nobody could ask
    verdict: Verdict | None = None  # None: there is nothing to verify, or nobody knows what
    error: GanderError | None = None  # why that is so, where it should not be

    @property
    def at(self) -> datetime | None:
        """When the last operation ended, or began where it has not; None without one."""
        state = self.application.state if self.application else None
        return (state.finished or state.started) if state else None

    @property
    def by(self) -> str:
        """Who asked for the last operation; empty without one."""
        state = self.application.state if self.application else None
        return state.request.whose if state else ""

    @property
    def phase(self) -> str:
        """How far the last operation is; ``Requested`` where no controller has taken it yet, empty without one."""
        if self.application is None:
            return ""
        state, pending = self.application.state, self.application.pending
        if pending is not None and (state is None or state.finished is not None):
            return "Requested"
        return state.phase if state else ""

    @property
    def commit(self) -> str:
        """The commit that the last operation is of; empty without one."""
        state = self.application.state if self.application else None
        return next(iter(state.revisions or state.request.revisions), "") if state else ""

    @property
    def health(self) -> str:
        """As Argo CD says it, with what is not in sync; empty where nobody could ask."""
        if self.application is None:
            return ""
        sync = self.application.sync
        return ", ".join(filter(None, [self.application.health, sync if sync != "Synced" else ""]))

    def document(self) -> dict[str, Any]:
        """Its JSON, as schemas/status.schema.json says."""
        verdict, application = self.verdict, self.application
        return {
            "application": application.name if application else None,
            "at": self.at.isoformat(timespec="seconds") if self.at else None,
            "by": self.by or None,
            "phase": self.phase or None,
            "commit": self.commit or None,
            "health": application.health or None if application else None,
            "sync": application.sync or None if application else None,
            "automated": application.automated if application else None,
            "verified": verdict.verified if verdict else None,
            "verdict": verdict.kind if verdict else None,
            "what": verdict.what if verdict else None,
            "todo": list(verdict.todo) if verdict and not verdict.verified else [],
            "notes": list(verdict.notes) if verdict else [],
            "error": self.error.what if self.error else None,
        }
