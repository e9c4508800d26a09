"""Which jobs need not run: what their keys and the world say, asked ahead of a run and again at a job's turn."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from pipelines import keys
from pipelines.contents import Step, function
from pipelines.files import Files
from pipelines.graph import Job
from pipelines.store import Store
from schemas.answer import Answer
from schemas.errors import GanderError
from tasks.work import Work

__all__ = ["Freshness"]

ALWAYS = Answer(up_to_date=False, because="it is never cached")


class Freshness:
    """What is known of a command line's jobs; used by one thread."""

    def __init__(self, jobs: Iterable[Job], store: Store, work: Callable[[Job], Work]) -> None:
        self.jobs = {job.name: job for job in jobs}
        self.store, self.work = store, work
        self.files = Files(store)
        self._parts: dict[str, dict[str, str] | None] = {}
        self._kept: dict[str, Mapping[str, Any]] = {}

    def ask(self, names: Collection[str]) -> dict[str, Answer]:
        """What is to be said of these jobs, each by itself: the world is asked once for all targets of a step."""
        saved = self.store.values(name for name in names if _keyed(self.jobs[name]))
        answers: dict[str, Answer] = {}
        worldly: dict[str, list[str]] = {}
        self._kept |= {name: values.get("outcome", {}) for name, values in saved.items()}
        for name in names:
            verb = self.jobs[name].verb
            if isinstance(verb, Step) and verb.up_to_date:
                worldly.setdefault(verb.up_to_date, []).append(name)
            else:
                answers[name] = self._by_key(name, saved.get(name, {}))
        for place, asked in worldly.items():
            answers |= self._by_world(place, asked)
        return answers

    def stale(self, answers: Mapping[str, Answer]) -> list[str]:
        """The jobs that must be given to the runner: those not up to date, and those after such a one."""
        running: dict[str, None] = {}
        for name, job in self.jobs.items():
            if answers[name].up_to_date is not True or any(need in running for need in job.needs):
                running[name] = None
        return list(running)

    def replay(self, name: str) -> None:
        """Have a job that need not run say what it would say."""
        verb = self.jobs[name].verb
        if isinstance(verb, Step) and verb.replay:
            function(verb.replay)(self.work(self.jobs[name]), self._kept.get(name, {}))

    def before(self, name: str) -> set[str]:
        """The jobs that a job needs, and all that those need."""
        found: set[str] = set()
        waiting = list(self.jobs[name].needs)
        while waiting:
            need = waiting.pop()
            if need not in found:
                found.add(need)
                waiting += self.jobs[need].needs if need in self.jobs else ()
        return found

    def parts(self, name: str) -> dict[str, str] | None:
        """The parts of a job's key as the files and services.yaml are now.

        None when it has none, or when they cannot be read: the step runs then, and reports that.
        """
        if name not in self._parts:
            try:
                self._parts[name] = keys.parts(
                    self.jobs[name], self.work(self.jobs[name]).catalog, self.files.digest, self._key, self._only_looks
                )
            except (GanderError, OSError):
                self._parts[name] = None
        return self._parts[name]

    def look_again(self) -> None:
        """Believe nothing that was read before: a job may just have written it."""
        self.files.forget()
        self._parts.clear()

    def _only_looks(self, name: str) -> bool:
        verb = self.jobs[name].verb if name in self.jobs else None
        return isinstance(verb, Step) and verb.only_looks

    def _key(self, name: str) -> str:
        named = self.parts(name)
        return keys.key(named) if named is not None else ""

    def _by_key(self, name: str, saved: Mapping[str, Any]) -> Answer:
        if not _keyed(self.jobs[name]):
            return ALWAYS
        now = self.parts(name)
        if now is None:
            return Answer(up_to_date=None, because="not known: what it reads cannot be read")
        if "key" not in saved:
            return Answer(up_to_date=False, because="no success of it is kept")
        if saved["key"] == keys.key(now):
            verb = self.jobs[name].verb
            if isinstance(verb, Step) and verb.holds:
                over = function(verb.holds)(self.work(self.jobs[name]), self._kept.get(name, {}))
                if over:
                    return Answer(up_to_date=False, because=over)
            return Answer(up_to_date=True, because="nothing changed", since=saved.get("at"))
        return Answer(up_to_date=False, because=f"changed: {', '.join(keys.changed(saved.get('parts', {}), now))}")

    def _by_world(self, place: str, names: Sequence[str]) -> dict[str, Answer]:
        """Ask a step about all its targets; an error there means that the step runs and reports it."""
        works = [self.work(self.jobs[name]) for name in names]
        try:
            answers: Mapping[str, Answer] = function(place)(works)
        except (GanderError, OSError) as error:
            said = error.what if isinstance(error, GanderError) else str(error)
            answers = dict.fromkeys(names, Answer(up_to_date=None, because=f"not known: {said}"))
        unsaid = Answer(up_to_date=None, because="not known")
        return {name: answers.get(name, unsaid) for name in names}


def _keyed(job: Job) -> bool:
    return isinstance(job.verb, Step) and bool(job.verb.parts) and not job.verb.up_to_date
