"""The command `why`: which part of a target's key, or what in the world, makes it run; it runs and writes nothing."""

from __future__ import annotations

import json
from typing import Any

from pipelines.command import Ours
from pipelines.contents import Operation
from pipelines.display import Plain, data
from pipelines.ending import stop_programs, stopping
from pipelines.freshness import Freshness, Reasons
from pipelines.graph import Job
from pipelines.reporter import JobProgress, why_fresh
from schemas.errors import SelectionError
from tasks.work import Session, Work

__all__ = ["Why"]


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
            explained = Freshness(jobs, store, work).reasons(names)
        if variables.get("format") == "json":
            document = {"version": 1, "targets": [_document(name, one) for name, one in explained.items()]}
            data(json.dumps(document, indent=2, ensure_ascii=False))
        else:
            data("\n".join(line for name, one in explained.items() for line in _lines(name, one)))
        return 0


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
