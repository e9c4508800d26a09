from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from pipelines import graph, words
from pipelines.action import Turn
from pipelines.display import Plain
from pipelines.freshness import Freshness
from pipelines.reporter import JobProgress
from pipelines.store import Store
from schemas.answer import Answer
from schemas.catalog_file import load
from tasks.work import Session, Work

if TYPE_CHECKING:
    from tests.pipelines.conftest import Project

TRUE, FALSE = (Answer(up_to_date=said, because="so it is") for said in (True, False))


@pytest.fixture
def freshness(project: Project, monkeypatch: pytest.MonkeyPatch) -> Freshness:
    monkeypatch.syspath_prepend(str(project.page))
    for module in ("dodo", "verbs"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    import dodo as page  # noqa: PLC0415 - the project's own, found only now

    catalog = load(project.root / "services.yaml")
    session, display = Session(catalog, print), Plain()
    requests = words.read(["check:auth-service", "raise:identity-service/legal"], page.CONTENTS)
    jobs = graph.jobs(requests, page.CONTENTS, lambda: catalog)

    def work(job: graph.Job) -> Work:
        progress = JobProgress(job.name, display)
        return Work(
            catalog=catalog, targets=job.targets, variables={}, session=session, progress=progress, out=display.out
        )

    return Freshness(jobs, Store(lambda: Path(project.root / ".state" / "state.db"), read_only=True), work)


def test_a_job_after_one_that_runs_is_given_to_the_runner_too(freshness: Freshness) -> None:
    answers = dict.fromkeys(freshness.jobs, TRUE)
    assert freshness.stale(answers) == []
    answers["raise:legal-service/legal"] = FALSE
    assert freshness.stale(answers) == ["raise:legal-service/legal", "raise:identity-service/legal"]


def test_what_is_not_known_runs(freshness: Freshness) -> None:
    answers = {**dict.fromkeys(freshness.jobs, TRUE), "check:auth-service/auth": Answer(up_to_date=None, because="?")}
    assert freshness.stale(answers) == ["check:auth-service/auth"]


def test_a_turn_saves_the_key_of_what_is_there_then(freshness: Freshness, project: Project) -> None:
    name = "check:auth-service/auth"
    before = freshness.parts(name)
    project.source("auth-service/auth", "written by a job before it")
    task = SimpleNamespace(value_savers=[])
    turn = Turn(freshness.jobs[name], freshness, freshness.ask([name]), lambda _: False)
    assert turn(task, {}) is False
    saved = task.value_savers[0]()
    assert before
    assert saved["parts"]["sources"] != before["sources"]
    assert saved["parts"]["built on build:auth-service/auth"] != before["built on build:auth-service/auth"]


@pytest.mark.parametrize("ran", [False, True])
def test_the_world_is_asked_again_only_after_a_job_before_has_run(
    freshness: Freshness, project: Project, *, ran: bool
) -> None:
    name = "raise:identity-service/legal"
    turn = Turn(freshness.jobs[name], freshness, {name: TRUE}, lambda _: ran)
    assert turn(SimpleNamespace(value_savers=[]), {}) is not ran
    assert (project.root / "control" / "asked").exists() is ran


def test_a_key_of_what_cannot_be_read_is_not_known(freshness: Freshness, project: Project) -> None:
    place = project.root / "sources" / "auth-service" / "auth" / "02.sql"
    place.symlink_to(place)
    answer = freshness.ask(["build:auth-service/auth"])["build:auth-service/auth"]
    assert answer.up_to_date is None
