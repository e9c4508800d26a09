"""The command `why`: which part of a target's key, or what in the world, makes it run; it runs and writes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pipelines import keys
from pipelines.command import Ours
from pipelines.contents import Operation
from pipelines.display import Plain, data
from pipelines.ending import stop_programs, stopping
from pipelines.freshness import Freshness
from pipelines.graph import Job
from pipelines.reporter import JobProgress, why_fresh
from schemas.answer import Answer
from schemas.errors import SelectionError
from tasks.work import Session, Work

__all__ = ["Reasons", "Why", "explain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """Why a job would run or not: the answer, the parts of its key that changed, and when it last succeeded."""

    answer: Answer
    changed: tuple[str, ...]
    last: str | None  # ISO 8601


class Why(Ours):
    """Explains targets on stdout."""

    doc_purpose = "say why a target would run, or since when it is up to date"
    doc_usage = "STEP[:SERVICE[/DATABASE]]... [format=json]"
    variables = ("format",)

    def perform(self, options: dict[str, Any], words: list[str]) -> int:  # noqa: ARG002 - there are none
        """Explain every target that the words name."""
        jobs = self.loader.jobs(words)
        variables = self.loader.variables({"why": self.variables})
        for job in jobs:
            if isinstance(job.verb, Operation):
                raise SelectionError(
                    f"`{job.verb.name}` is an operation: it is never cached and runs whenever it is asked for"
                )
        display = Plain()
        session = Session(self.loader.catalog, display.line)

        def work(job: Job) -> Work:
            return Work(
                catalog=session.catalog,
                targets=job.targets,
                variables={},
                session=session,
                progress=JobProgress(job.name, display),
                out=display.out,
            )

        with stopping() as at_end:
            store = self.loader.store()
            at_end.callback(store.dump)
            at_end.callback(session.close)
            at_end.callback(stop_programs)
            names = [job.name for job in jobs if job.named]
            explained = explain(names, Freshness(jobs, store, work))
        if variables.get("format") == "json":
            document = {"version": 1, "targets": [_document(name, one) for name, one in explained.items()]}
            data(json.dumps(document, indent=2, ensure_ascii=False))
        else:
            data("\n".join(line for name, one in explained.items() for line in _lines(name, one)))
        return 0


def explain(names: Iterable[str], freshness: Freshness) -> dict[str, Reasons]:
    """The reasons of each of these jobs; a job after one that will run, may have to run too."""
    wanted = list(names)
    answers = freshness.ask(tuple(freshness.jobs))
    running = set(freshness.stale(answers))
    saved = freshness.store.values(wanted)
    explained: dict[str, Reasons] = {}
    for name in wanted:
        answer, before, now = answers[name], saved.get(name, {}), freshness.parts(name)
        first = [need for need in freshness.jobs[name].needs if need in running]
        if answer.up_to_date and first:
            answer = Answer(up_to_date=None, because=f"{' and '.join(first)} will run first")
        changed = keys.changed(before["parts"], now) if now is not None and "parts" in before else ()
        explained[name] = Reasons(answer=answer, changed=changed, last=before.get("at"))
    return explained


def _lines(name: str, one: Reasons) -> list[str]:
    if one.answer.up_to_date:
        return [f"{name}  {why_fresh(one.answer)}"]
    lines = [f"{name}  would run: {one.answer.because}"]
    if one.last:
        since = f"changed since it last ran, {one.last}"
        lines.append(f"  {since}: {', '.join(one.changed)}" if one.changed else f"  nothing {since}")
    return lines


def _document(name: str, one: Reasons) -> dict[str, Any]:
    return {
        "target": name,
        "up_to_date": one.answer.up_to_date,
        "because": one.answer.because,
        "since": one.answer.since,
        "changed": list(one.changed),
        "last_run": one.last,
    }
