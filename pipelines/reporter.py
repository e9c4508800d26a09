"""What a run tells its user: a line a job, errors at once and counted again, and one line for the whole."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from pipelines.action import Call
from pipelines.contents import Step
from pipelines.display import Display, duration
from pipelines.graph import Job
from pipelines.releases import End, table
from schemas.answer import Answer
from tasks.work import Outcome

__all__ = ["BUG", "JobProgress", "Reporter", "why_fresh"]

BUG = "This is a bug in Gander, not a mistake of yours: please report it with the lines above."
FEW = 10  # that many up-to-date targets are listed; more are counted
FAILED, BROKEN = 1, 2  # exit codes: refused or failed, and a bug of ours


class JobProgress:
    """A step's `Progress`, shown under its job's name."""

    def __init__(self, name: str, display: Display) -> None:
        self.name, self.display = name, display

    def now(self, text: str) -> None:
        """Say what is going on."""
        self.display.now(self.name, text)

    def file(self, name: str, seconds: float | None, done: int, total: int) -> None:
        """A migration file has been run."""
        self.display.file(self.name, name, seconds, done, total)

    def line(self, text: str) -> None:
        """Show a line that stays."""
        self.display.line(text)

    def ask(self, question: str) -> str | None:
        """What the user types in reply; None when there is no terminal to ask on."""
        return self.display.ask(question)


class Reporter:
    """The reporter that doit calls. Workers call `execute_task`, the main thread everything else."""

    def __init__(self, jobs: Iterable[Job], display: Display) -> None:
        self.jobs = {job.name: job for job in jobs}
        self.display = display
        self.exit_code = 0
        self.ran: set[str] = set()
        self.failed: list[str] = []
        self._ends: dict[str, End] = {}
        self._given: tuple[str, ...] = ()
        self._fresh_ahead = 0
        self._fresh_at_turn: set[str] = set()
        self._width = max((len(job.name) for job in self.jobs.values()), default=0)
        self._began = time.monotonic()
        self._since: dict[str, float] = {}

    def up_to_date(self, answers: Mapping[str, Answer]) -> None:
        """Report targets that were found up to date before anything ran."""
        self._fresh_ahead += len(answers)
        self._ends |= {name: End("as before", answer.because) for name, answer in answers.items()}
        if len(answers) <= FEW:
            for name, answer in answers.items():
                self.display.line(f"· {name:<{self._width}}  {why_fresh(answer)}")

    def initialize(self, tasks: Mapping[str, Any], selected: Iterable[str]) -> None:  # noqa: ARG002 - doit's form
        """Note what doit was given."""
        self._given = tuple(tasks)

    def get_status(self, task: Any) -> None:
        """Called by doit: it is about to ask whether the task must run."""

    def execute_task(self, task: Any) -> None:
        """A worker begins a task."""
        self._since[task.name] = time.monotonic()
        self.display.begin(task.name)

    def add_success(self, task: Any) -> None:
        """A task has ended well."""
        self.display.end(task.name)
        self.ran.add(task.name)
        outcome = _outcome(task)
        self._ends[task.name] = End(outcome.but or "done", outcome.summary)
        self.exit_code = max(self.exit_code, outcome.exit_code)
        if outcome.summary:
            sign, style = ("!", "yellow") if outcome.exit_code or outcome.but else ("✓", "green")
            self._end_line(sign, task.name, outcome.summary, style)

    def add_failure(self, task: Any, fail: Any) -> None:
        """A task has failed, or was not run because one that it needs has."""
        self.display.end(task.name)
        if task.name not in self._since:
            self.display.line(f"- {task.name:<{self._width}}  not run: what it needs has failed")
            return
        self.failed.append(task.name)
        error = task.actions[0].error
        short = "a bug, reported above" if fail.traceback else str(fail.message)
        self._ends[task.name] = End("failed", error.what, error.todo) if error else End("failed", short)
        self.exit_code = max(self.exit_code, BROKEN if fail.traceback else FAILED)
        why = f"{''.join(fail.traceback).rstrip()}\n{BUG}" if fail.traceback else _indented(fail.message)
        self._end_line("✗", task.name, "failed", "red", why)

    def skip_uptodate(self, task: Any) -> None:
        """A task was found up to date at its turn."""
        self._fresh_at_turn.add(task.name)
        before = self._ends.get(task.name)
        self._ends[task.name] = End("as before", before.says if before else "")
        self.display.line(f"· {task.name:<{self._width}}  up to date")

    def skip_ignore(self, task: Any) -> None:
        """Never called: the mark which `doit ignore` would set is never set."""

    def cleanup_error(self, exception: Any) -> None:
        """No task has a teardown."""

    def teardown_task(self, task: Any) -> None:
        """No task has a teardown."""

    def runtime_error(self, message: str) -> None:
        """Called when doit found the graph impossible while it ran."""
        self.exit_code = BROKEN
        self.display.line(f"{message}\n{BUG}")

    def complete_run(self) -> None:
        """Say how the whole run ended; a single operation has said it all."""
        self.display.close()
        if not any(isinstance(job.verb, Step) for job in self.jobs.values()) and len(self.jobs) == 1:
            return
        for text in table(self.jobs.values(), self._ends):
            self.display.line(text)
        ran = len(self.ran)
        not_run = [name for name in self._given if name not in self.ran | self._fresh_at_turn | set(self.failed)]
        parts = [
            f"{ran} ran",
            f"{self._fresh_ahead + len(self._fresh_at_turn)} up to date",
            f"{len(self.failed)} failed",
        ]
        parts += [f"{len(not_run)} not run"] if not_run else []
        self.display.line(f"{', '.join(parts)} in {duration(time.monotonic() - self._began)}")
        if self.failed:
            self.display.line(f"failed: {', '.join(self.failed)}")
        if not_run:
            self.display.line(f"not run: {', '.join(not_run)}")

    def _end_line(self, sign: str, name: str, text: str, style: str, below: str = "") -> None:
        """In one piece: nothing that another job says at that moment comes between a failure and its reason."""
        took = duration(time.monotonic() - self._since[name])
        head = f"{sign} {name:<{self._width}}  {text}  {took}"
        self.display.line(f"{head}\n{below}" if below else head, style)


def why_fresh(answer: Answer) -> str:
    """``up to date: 8 files applied, since 2026-01-02 10:00``."""
    since = f", since {answer.since}" if answer.since else ""
    return f"up to date: {answer.because}{since}"


def _outcome(task: Any) -> Outcome:
    (call,) = task.actions
    if not isinstance(call, Call) or call.outcome is None:
        raise TypeError(f"{task.name} has no outcome")
    return call.outcome


def _indented(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in text.splitlines())
