"""Whether a commit's migrations are fit for an image: lint and test, of its files and of nothing in the work tree."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import RLock

from schemas.catalog import Catalog
from schemas.errors import GanderError
from schemas.image import Identity
from schemas.target import Target
from tasks.image import content as source
from tasks.work import Session, Work
from tools import whole
from tools.git.copy import copied
from tools.lease import Lock
from tools.toolchain import versions

__all__ = ["Proof"]

TASKS = Path(__file__).parents[1]
JUDGES = ("lint", "test")
COPY = "commit-"


class Proof:
    """A copy of one commit, with scratch servers of its own; made when the first service needs it."""

    def __init__(self, catalog: Catalog, commit: str) -> None:
        self.catalog, self.commit = catalog, commit
        self.state = catalog.root / ".state" / "image"
        self.turn = Lock(self.state / "lock")  # whoever holds it has the only copy
        self._lock = RLock()
        self._closing = ExitStack()
        self._session: Session | None = None
        self._report: list[str] = []
        self._failed = False

    def of(self, service: str, name: Identity, work: Work) -> None:
        """Lint and test the service as the commit has it, unless that was done before.

        Raises LintFailed or MigrationFailed with what was found, and what the steps themselves raise.
        """
        key = self._key(name)
        note = self.state / f"{service}.proved"
        if note.is_file() and note.read_text(encoding="utf-8") == key:
            self._sweep()
            return
        try:
            with self._judging(work) as session:
                self._judge(service, session, work)
        except GanderError as error:
            self._failed = True
            error.what = f"{self.commit[:12]}: {error.what}"
            error.todo = f"correct it and commit, then doit image:{service}"
            raise
        whole.replace(note, key)

    def close(self) -> Sequence[str]:
        """Stop the scratch servers and take the copy away; what lint has to say, where something failed."""
        self._closing.close()
        return self._report if self._failed else ()

    def _judge(self, service: str, session: Session, work: Work) -> None:
        from tasks.lint import step as lint  # noqa: PLC0415 - start-up: an image that is there needs no judge
        from tasks.test import prove as test  # noqa: PLC0415

        own = [one.key for one in source.own(session.catalog.services[service])]
        work.progress.now(f"lint and test of {self.commit[:12]}")
        for database in (None, *own):
            lint.run(self._work(Target(step="lint", service=service, database=database), session, work))
        for database in own:
            test.run(self._work(Target(step="test", service=service, database=database), session, work))

    def _work(self, target: Target, session: Session, work: Work) -> Work:
        return Work(
            catalog=session.catalog,
            targets=(target,),
            variables={},
            session=session,
            progress=work.progress,
            out=self._report.append,
        )

    @contextmanager
    def _judging(self, work: Work) -> Iterator[Session]:
        """The session in which the copy is looked at; another run's has to end first."""
        with self._lock:
            if self._session is None:
                self.state.mkdir(parents=True, exist_ok=True)
                wait = self.turn.held(waiting=lambda: work.progress.now("waiting: another run makes images"))
                self._closing.enter_context(wait)
                self._remove_copies()
                repository = source.repository(self.catalog)
                root = self._closing.enter_context(
                    copied(
                        repository, self.commit, repository.base(self.catalog.base), self.state / f"{COPY}{os.getpid()}"
                    )
                )
                self._session = Session(source.as_of(self.catalog, repository, self.commit, root), work.session.say)
                self._closing.callback(self._session.close)
            yield self._session

    def _sweep(self) -> None:
        """Take away what a killed run has left."""
        with self._lock:
            if self._session is None and any(self.state.glob(f"{COPY}*")) and self.turn.take():
                self._remove_copies()
                self.turn.release()

    def _remove_copies(self) -> None:
        for left in self.state.glob(f"{COPY}*"):
            shutil.rmtree(left, ignore_errors=True)  # a server that is about to end may still write there

    def _key(self, name: Identity) -> str:
        """Everything that the verdict depends on: the commit, the base branch, the judges and their programs."""
        code = hashlib.sha256()
        for folder in JUDGES:
            for file in sorted((TASKS / folder).rglob("*.py")):
                code.update(file.read_bytes())
        base = source.repository(self.catalog).base(self.catalog.base)
        programs = [versions("postgres"), versions("clickhouse")]
        return json.dumps([name.tag, self.commit, base and base.commit, code.hexdigest(), programs])
