"""A look at an operation that runs, and at what its Jobs print; and the pauses between looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event

from schemas.application import Application
from schemas.catalog import EngineName
from schemas.errors import ArgoError, NotVerified
from schemas.job import Job, Pod
from tasks.sync.follow import Look
from tasks.verify.facts import Expected, Printed, Seen
from tasks.verify.gather import container
from tasks.verify.masking import masked
from tasks.work import Session
from tools.argocd import Server

__all__ = ["Follows", "Tail", "look"]

GLANCE = 1.0  # seconds between two looks, to begin with
SLOWEST = 5.0
SOON = 20.0  # seconds after which looks become rarer


class Follows:
    """The operations that a run follows. A run that ends before they do says how each is taken up again.

    ``before`` has the run that was over when somebody first looked, by target: one that ends later is judged yet.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._over = say, Event()
        self._open: dict[str, str] = {}
        self.before: dict[str, str] = {}

    @classmethod
    def of(cls, session: Session) -> Follows:
        """Those of this run of doit."""
        return session.shared("sync", lambda: cls(session.say))

    @contextmanager
    def following(self, target: str, run: str) -> Iterator[None]:
        """While it is followed; a signal leaves it open."""
        self._open[target] = run
        try:
            yield
        except Exception:
            self._open.pop(target, None)
            raise
        self._open.pop(target, None)

    def pause(self, after: float = 0.0) -> None:
        """Wait a while, a longer one ``after`` many seconds. Raises NotVerified once the run has ended."""
        if self._over.wait(min(SLOWEST, max(GLANCE, GLANCE * after / SOON))):
            raise NotVerified("no longer followed")

    def close(self) -> None:
        """Let go of them: what runs in Argo CD goes on."""
        left = dict(self._open)  # a worker that wakes up takes its own away
        self._over.set()
        for target, run in left.items():
            self._say(f"detached from run {run}: it goes on in Argo CD, or ends there\n  → doit sync:{target}")


class Tail:
    """The lines that the pods of an operation print, each shown once."""

    def __init__(self, server: Server, expected: Expected, engines: dict[str, EngineName]) -> None:
        self.server, self.expected, self.engines = server, expected, engines
        self._shown: dict[str, int] = {}
        self._whole: set[str] = set()

    def new(self, job: str, pods: tuple[Pod, ...]) -> Iterator[str]:
        """What is new since the last time; nothing where a log cannot be read now."""
        for pod in pods:
            name = container(pod, self.expected.image)
            if not name or pod.name in self._whole:
                continue
            over = all(one.exit_code is not None for one in pod.containers)
            try:
                log = self.server.log(self.expected.application, self.expected.namespace, pod.name, name)
            except ArgoError:
                continue
            yield from self._lines(job, pod.name, masked(log.text, self.engines[job]))
            if over:
                self._whole.add(pod.name)

    def rest(self, job: str, printed: tuple[Printed, ...]) -> Iterator[str]:
        """What a last look at the logs has more."""
        for one in printed:
            yield from self._lines(job, one.pod, one.text)

    def _lines(self, job: str, pod: str, text: str) -> Iterator[str]:
        lines = text.splitlines()
        for line in lines[self._shown.get(pod, 0) :]:
            yield f"  {job}: {line}"
        self._shown[pod] = max(self._shown.get(pod, 0), len(lines))


def look(server: Server, expected: Expected) -> Look:
    """The Application, and behind it the Jobs of its operation and their pods. Raises ArgoError of the first alone."""
    application = server.application(expected.application)
    if application.pending is None or application.state is None:
        return Look(application=application)
    try:
        jobs = _jobs(server, expected)
        if not all(name in jobs and jobs[name].pods for name in (part.job for part in expected.parts)):
            server.application(expected.application, compared=True)  # it finds them in what it compared last
            jobs = _jobs(server, expected)
        refused = {
            name: server.refused(expected.application, seen.job)
            for name, seen in jobs.items()
            if not seen.pods and _waits(application, seen.job)
        }
    except ArgoError:
        return Look(application=application)
    return Look(application=application, jobs=jobs, refused=refused)


def _jobs(server: Server, expected: Expected) -> dict[str, Seen]:
    found: dict[str, Seen] = {}
    for part in expected.parts:
        job = server.job(expected.application, expected.namespace, part.job)
        if job is not None:
            pods = server.pods(expected.application, expected.namespace, job.uid)
            found[part.job] = Seen(job=job, pods=pods)
    return found


def _waits(application: Application, job: Job) -> bool:
    began = application.state.started if application.state else job.created
    return job.created >= began and not (job.active or job.complete or job.failed)
