"""The step `test`: prove the migrations of one stream on a scratch server, with the real goose."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from schemas.catalog import Catalog
from schemas.errors import GanderError, MigrationFailed
from schemas.goose_file import parse
from schemas.irreversible import reason
from schemas.stream import Migration
from schemas.structure import Structure, difference
from schemas.target import LOCAL, Target
from tasks import place
from tasks.migrate import failure
from tasks.migrate.site import Site, migrations
from tasks.test.finding import Finding, left_behind, worded
from tasks.work import Outcome, Work
from tools import goose
from tools.engine import Baseline

__all__ = ["parts", "run"]

VERSION = "1"  # of this step


def run(work: Work) -> Outcome:
    """From empty to head; then each file up, down and up again, and the structure compared after each.

    Nothing of it touches the local database. Raises MigrationFailed with everything that was found.
    """
    database = place.owned(work.catalog, work.target)
    files = migrations(work.catalog, database)
    server = work.session.scratch(database.engine)
    name = database.names[LOCAL] if database.engine == "clickhouse" else f"test_{database.names[LOCAL]}"[:63]
    with server.exclusive(name, work.progress.now):
        driver = work.session.engine(database.engine).driver
        site = Site.of(
            work.catalog, database._replace(names={LOCAL: name}), server, driver, work.progress, scratch=True
        )
        try:
            trial = _Trial(site, files, place.baseline(work.catalog, database))
            trial.to_head()
            trial.one_by_one()
        finally:
            server.drop(name)
    if trial.findings:
        count = len(trial.findings)
        raise MigrationFailed(
            f"{database.label}: {'one finding' if count == 1 else f'{count} findings'}",
            why=worded(trial.findings),
            todo=f"correct the files, then doit test:{database.label}",
        )
    kept = f", {len(trial.irreversible)} irreversible" if trial.irreversible else ""
    return Outcome(summary=f"{len(files)} {'file' if len(files) == 1 else 'files'} up, down and up{kept}")


def parts(catalog: Catalog, target: Target, digest: Callable[[Path], str]) -> dict[str, str]:
    """What can change the outcome beside services.yaml: the files, goose, the engine, and the step itself."""
    from tools import toolchain  # noqa: PLC0415 - start-up: as in tasks/migrate/check.py

    database = place.owned(catalog, target)
    return {
        "migrations": digest(place.folder(catalog, database)),
        **place.baseline_parts(catalog, database, digest),
        **toolchain.versions(database.engine),
        "step": VERSION,
    }


class _Trial:
    """One scratch database and what was found on it."""

    def __init__(self, site: Site, files: Sequence[Migration], baseline: Baseline | None) -> None:
        self.site, self.files, self.baseline = site, files, baseline
        self.findings: list[Finding] = []
        self.irreversible: list[str] = []
        self.texts: Mapping[str, bytes] = site.texts(files)
        self.at_head: Structure | None = None

    def to_head(self) -> None:
        """Everything in one run of goose, as a new environment gets it."""
        self._fresh()
        failed = self._goose("up", None)
        if failed:
            self.findings.append(_of(failed))
            return
        self.at_head = self._structure()

    def one_by_one(self) -> None:
        """Each file alone, from empty upwards, as far as Up works."""
        if self.at_head is None:
            return
        self._fresh()
        after = self._structure()
        for number, file in enumerate(self.files, 1):
            self.site.progress.file(file.name, None, number, len(self.files))
            before = after
            if failed := self._goose("up", file):
                self.findings.append(_of(failed))
                return
            after = self._structure()
            why = reason(file.data)
            if why and not any(one.text for one in parse(file.data, os.environ).down):
                self.irreversible.append(file.name)
                self.site.progress.line(f"{file.path}: not taken down, as it is irreversible: {why}")
            elif found := self._down_and_up(file, before, after):
                self.findings.append(found)
                self._fresh()
                if failed := self._goose("up", file):
                    self.findings.append(_of(failed))
                    return
        if changes := difference(self.at_head, after):
            last = self.files[-1]
            found = left_behind(last.path, parse(last.data, os.environ), changes, again=True)
            self.findings.append(found._replace(what="one by one, the files make another structure than in one run"))

    def _down_and_up(self, file: Migration, before: Structure, after: Structure) -> Finding | None:
        parsed = parse(file.data, os.environ)
        if not any(one.text for one in parsed.down):
            return Finding(
                where=file.path,
                what="has no Down, and does not say why: -- irreversible: the rows are gone, for instance",
            )
        if failed := self._goose("down", file):
            return _of(failed, "Down fails: ")
        if changes := difference(before, self._structure()):
            return left_behind(file.path, parsed, changes, again=False)
        if failed := self._goose("up", file):
            return _of(failed, "Up fails after Down: ")
        if changes := difference(after, self._structure()):
            return left_behind(file.path, parsed, changes, again=True)
        return None

    def _fresh(self) -> None:
        """A database as the stream begins with: empty, but for its baseline."""
        self.site.server.drop(self.site.name)
        self.site.server.create(self.site.name, self.baseline)

    def _structure(self) -> Structure:
        return self.site.server.structure(self.site.name, [self.site.database.table])

    def _goose(self, way: str, file: Migration | None) -> GanderError | None:
        """Run goose up to a file, or down to before it; the explanation where it fails."""
        site = self.site
        going = self.files if file is None else [one for one in self.files if one.version <= file.version]
        with site.staged({one.name: self.texts[one.name] for one in going}) as folder:
            connection = site.connection(self.files)
            if way == "up":
                result = goose.up(folder, connection, on_file=lambda _: None, say=site.progress.now)
            else:
                below = max((one.version for one in self.files if file and one.version < file.version), default=0)
                result = goose.down_to(below, folder, connection, on_file=lambda _: None, say=site.progress.now)
        held = {row.version for row in site.look().tables.get(site.database.table, ())}
        if way == "up":
            left = {one.version for one in going} - held
            if result.code == 0 and not left:
                return None
            return failure.explain(site, self.files, going, self.texts, result, left=left)
        left = {file.version} & held if file else set()
        if result.code == 0 and not left:
            return None
        doomed = [one for one in going if file and one.version == file.version]
        return failure.explain(site, going, doomed, self.texts, result, left=left, direction="down")


def _of(failed: GanderError, prefix: str = "") -> Finding:
    """A failure as a finding: its message, the server's words, and the advice."""
    advice = [f"→ {line}" for line in failed.todo.splitlines() if "doit " not in line]
    return Finding(where=failed.where, what=f"{prefix}{failed.what}", lines=(*failed.why.splitlines(), *advice))
