"""How doit calls a step: one action a job, and the object that doit asks at the job's turn whether it must run."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from doit.action import BaseAction
from doit.exceptions import TaskError, TaskFailed

from pipelines.contents import Step, function
from pipelines.ending import told_to_stop
from pipelines.freshness import Freshness
from pipelines.graph import Job
from pipelines.keys import key
from pipelines.machine import trouble
from schemas.answer import Answer
from schemas.errors import GanderError
from tasks.work import Outcome, Work

__all__ = ["Call", "Turn"]


class Call(BaseAction):  # type: ignore[misc]  # doit ships no types
    """Runs a job's function. An error of ours becomes one message, anything else a traceback.

    ``busy`` holds the names of the jobs that are running.
    doit's own action for Python functions swaps the process's stdout, which breaks with threads.
    """

    def __init__(self, job: Job, work: Callable[[Job], Work], busy: set[str]) -> None:
        self.job, self.work, self.busy = job, work, busy
        self.outcome: Outcome | None = None
        self.error: GanderError | None = None
        self.task = self.out = self.err = self.result = None  # doit reads and sets these
        self.values: dict[str, Any] = {}

    def execute(self, out: object = None, err: object = None) -> TaskFailed | TaskError | None:  # noqa: ARG002 - doit's form
        """Run the function and keep its outcome; return doit's value for a failure."""
        if told_to_stop():  # a worker may find one more job in its queue
            return TaskFailed("not begun")
        self.busy.add(self.job.name)
        try:
            outcome: Outcome = function(self.job.verb.run)(self.work(self.job))
            self.values = {"outcome": dict(outcome.values)}
        except GanderError as error:
            self.error = error
            return TaskFailed(str(error))
        except Exception as bug:  # noqa: BLE001 - whatever it is, it is reported with its traceback
            known = self.error = trouble(bug)
            return TaskFailed(str(known)) if known else TaskError(f"{self.job.name}: {type(bug).__name__}", bug)
        finally:
            self.busy.discard(self.job.name)
        self.outcome = outcome
        return None


class Turn:
    """Up to date at the job's turn? What was answered ahead holds, unless something that it needs has run since."""

    __signature__ = inspect.Signature(  # spares doit one reflection a task
        [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in ("task", "values")]
    )

    def __init__(self, job: Job, freshness: Freshness, ahead: Mapping[str, Answer], ran: Callable[[str], bool]) -> None:
        self.job, self.freshness, self.ahead, self.ran = job, freshness, ahead, ran

    def __call__(self, task: Any, values: Mapping[str, Any]) -> bool:  # noqa: ARG002 - doit's form
        """Answer doit, and have it save the key that this run begins with once the job has succeeded."""
        self.freshness.look_again()
        answer = self.ahead.get(self.job.name)
        verb = self.job.verb
        worldly = isinstance(verb, Step) and bool(verb.up_to_date)
        if answer is not None and (not worldly or any(map(self.ran, self.freshness.before(self.job.name)))):
            answer = self.freshness.ask([self.job.name])[self.job.name]
        parts = self.freshness.parts(self.job.name)
        task.value_savers.append(lambda: _kept(parts))
        fresh = answer is not None and answer.up_to_date is True
        if fresh:
            self.freshness.replay(self.job.name)
        return fresh


def _kept(parts: Mapping[str, str] | None) -> dict[str, Any]:
    at = datetime.now(UTC).isoformat(timespec="seconds")
    return {"at": at} if parts is None else {"at": at, "key": key(parts), "parts": dict(parts)}
