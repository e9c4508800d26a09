"""The command `run`, which is also plain `doit`: it runs the jobs of a command line and ends what they started."""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence
from typing import Any

from doit.cmd_run import opt_always, opt_continue, opt_num_process, opt_single
from doit.control import TaskControl
from doit.dependency import Dependency
from doit.runner import MThreadRunner, Runner
from doit.task import Stream, Task

from pipelines import graph
from pipelines import words as reading
from pipelines.action import Call, Turn
from pipelines.command import Ours
from pipelines.contents import Operation, Step
from pipelines.display import for_this_terminal
from pipelines.ending import stop_programs, stopping
from pipelines.freshness import Freshness
from pipelines.graph import Job
from pipelines.loader import needs_catalog
from pipelines.reporter import JobProgress, Reporter
from schemas.errors import SelectionError
from tasks.work import Session, Work

__all__ = ["Run"]

MOST_AT_ONCE = 8
OBJECTS = 50_000  # before Python looks for cycles among them: a thousand parsed files are none, and many objects
CHANGED = "changed"  # the variable that limits steps to the services that a branch touches


class Run(Ours):
    """Runs jobs through doit's own runner."""

    doc_purpose = "run steps and operations"
    doc_usage = "[STEP[:SERVICE[/DATABASE]]...] [NAME=VALUE...]"
    execute_tasks = True
    cmd_options = (opt_always, opt_continue, opt_single, {**opt_num_process, "help": "how many jobs run at once"})

    def helped(self, words: list[str]) -> str:
        """The verbs that the words name, else the manual."""
        from pipelines.manual import about, manual  # noqa: PLC0415 - start-up: only who asks for help reads it

        named = [request.verb for request in reading.read(words, self.loader.contents, self.loader.cmd_names)]
        return "\n\n".join(about(verb, self.loader.contents) for verb in dict.fromkeys(named)) or "\n".join(
            manual(self.loader.contents)
        )

    def perform(self, options: dict[str, Any], words: list[str]) -> int:
        """Run what the words name; the worst outcome is the exit code."""
        self.loader.keeps_state = True
        gc.set_threshold(OBJECTS, 20, 20)
        if options["num_process"] < 0:
            raise SelectionError(f"-n {options['num_process']}: at least one job must run", todo="doit help run")
        jobs = self.loader.jobs(words, single=options["single"])
        variables = self.loader.variables({job.verb.name: job.verb.takes for job in jobs})
        if CHANGED in variables:
            from tasks.changes import touched  # noqa: PLC0415 - start-up: only who asks for it compares with git

            services = touched(self.loader.catalog, variables[CHANGED])
            jobs = graph.only(jobs, services)
        catalog, mistakes = (self.loader.catalog, None) if needs_catalog(jobs) else self.loader.catalog_or_none_of_it()
        asks = any(isinstance(job.verb, Operation) and job.verb.asks for job in jobs)
        if asks and len({job.verb.name for job in jobs}) > 1:
            raise SelectionError("an operation that asks questions runs alone", todo="give one operation at a time")
        display = for_this_terminal()
        if CHANGED in variables:
            display.line(f"changed since {variables[CHANGED]}: {', '.join(sorted(services)) or 'no service'}")
        if mistakes and not all(isinstance(job.verb, Operation) and job.verb.founds for job in jobs):
            display.line(f"{mistakes}\n  going on without services.yaml")
        session = Session(catalog, display.line)

        def work(job: Job) -> Work:
            return Work(
                catalog=catalog,
                targets=job.targets,
                variables=variables,
                session=session,
                progress=JobProgress(job.name, display),
                out=display.out,
            )

        reporter = Reporter(jobs, display)
        dependency = Dependency(_Given(self.loader.store()), "")
        store = dependency.backend
        store.uncached = frozenset(job.name for job in jobs if not isinstance(job.verb, Step))
        busy: set[str] = set()
        with stopping() as at_end:
            at_end.callback(display.close)
            at_end.callback(session.close)
            at_end.callback(stop_programs, busy)
            freshness = Freshness(jobs, store, work)
            answers = {} if options["always"] else freshness.ask(tuple(freshness.jobs))
            given = list(freshness.jobs) if options["always"] else freshness.stale(answers)
            fresh = {job.name: answers[job.name] for job in jobs if job.named and job.name not in given}
            reporter.up_to_date(fresh)
            for name in freshness.jobs:
                if name not in given:
                    freshness.replay(name)
            tasks = [
                Task(
                    name,
                    [Call(freshness.jobs[name], work, busy)],
                    uptodate=[Turn(freshness.jobs[name], freshness, answers, reporter.ran.__contains__)],
                    task_dep=[need for need in freshness.jobs[name].needs if need in given],
                )
                for name in given
            ]
            goes_on = options["continue"] or all(_together(freshness.jobs[name]) for name in given)
            at_once = _at_once(options, given, asks=asks)
            _run(tasks, dependency, reporter, {**options, "continue": goes_on}, at_once=at_once)
        return reporter.exit_code


class _Given:
    """A backend class, as doit wants one, that gives the store that is there already."""

    def __init__(self, store: Any) -> None:
        self.store = store

    def __call__(self, *_: object, **__: object) -> Any:
        return self.store


def _together(job: Job) -> bool:
    return isinstance(job.verb, Step) and job.verb.together


def _at_once(options: dict[str, Any], given: Sequence[str], *, asks: bool) -> int:
    """How many jobs run at once; 0 is doit's word for one after another in the main thread."""
    if asks or len(given) < 2:  # noqa: PLR2004 - one job needs no threads
        return 0
    if options["num_process"]:
        return int(options["num_process"])
    return min(MOST_AT_ONCE, max(2, 2 * (os.cpu_count() or 1)))


def _run(tasks: list[Task], dependency: Any, reporter: Reporter, options: dict[str, Any], *, at_once: int) -> None:
    control = TaskControl(tasks)
    control.process([task.name for task in tasks])
    common = (dependency, reporter, options["continue"], options["always"], Stream(0))
    runner = MThreadRunner(*common, at_once) if at_once else Runner(*common)
    runner.run_all(control.task_dispatcher())
