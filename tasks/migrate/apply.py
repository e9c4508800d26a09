"""The step `migrate`: bring one local database to head with the real goose, and check that it is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from schemas.catalog import Database, Reference
from schemas.errors import Refused
from schemas.goose_log import Ran
from schemas.stream import Migration
from schemas.target import LOCAL
from tasks import place
from tasks.migrate import failure, half_done, undo
from tasks.migrate.plan import Plan
from tasks.migrate.site import Site, migrations, record
from tasks.work import Outcome, Work
from tools import goose
from tools.engine import Contents

__all__ = ["bring_to_head", "run"]


def run(work: Work) -> Outcome:
    """Apply what is pending in the target's database; for a reference, check that its owner's database is at head.

    Raises StreamError, Refused, MigrationFailed, ServerError, ToolError.
    """
    found = place.entry(work.catalog, work.target)
    if isinstance(found, Reference):
        return _reference(work, found)
    files = migrations(work.catalog, found)
    server = work.session.server(found.engine)
    driver = work.session.engine(found.engine).driver
    with server.exclusive(found.names[LOCAL], work.progress.now):
        site = Site.of(work.catalog, found, server, driver, work.progress)
        with site.journal.kept_open():
            return bring_to_head(work, site, files)


def bring_to_head(work: Work, site: Site, files: Sequence[Migration]) -> Outcome:
    """Create the database where it is missing, apply every pending file, and look whether all are held.

    Edited files that nobody else has yet are taken down first, with everything above them.
    """
    contents = _begin(work, site)
    taken = site.settle(contents, files)
    decided = site.plan(contents, files)
    refuse(site.database, decided)
    if taken:
        site.progress.line(
            f"{site.database.label}: {taken} applied files had not been seen here before; taken as they are on disk"
        )
    down = len(decided.going)
    if down:
        _announce(site, decided)
        undo.take_down(work, site, contents, files, decided.going, f"doing {_count(decided.going)} again")
        contents = site.look()
        decided = site.plan(contents, files)
        refuse(site.database, decided)
    if not decided.pending:
        if down:
            return Outcome(
                summary=f"{_count(range(down))} taken down, at head, {_count(files)}", values={"applied": []}
            )
        return Outcome(summary=f"at head, {_count(files)}", values={"applied": []})
    pending = [file for file in files if file.version in {one.version for one in decided.pending}]
    indexes = half_done.clear(site, contents, pending)
    if site.server.finish_version_table(site.name, site.database.table):
        site.progress.line(f"{site.database.label}: goose was stopped while it made {site.database.table}; finished")
    texts = site.texts(pending)
    site.journal.begin(site.history(contents), [record(file) for file in pending], indexes)
    result = _goose_up(site, files, pending, texts)
    after = site.look()
    site.settle(after, files)
    left = {file.version for file in site.plan(after, files).pending}
    if result.code != 0 or left:
        half_done.give_up(site, after, pending, left, failure.statements_done(site, texts, result))
        raise failure.explain(site, files, pending, texts, result, left=left)
    half_done.no_invalid_index(site, pending)
    again = f", {down} taken down before" if down else ""
    return Outcome(summary=f"{_count(pending)} applied{again}", values={"applied": [file.name for file in pending]})


def _begin(work: Work, site: Site) -> Contents:
    """What the database holds, made with its baseline where it is missing; an empty one with another is made anew."""
    baseline = place.baseline(work.catalog, site.database)
    site.server.create(site.name, baseline)
    contents = site.look()
    other = place.begun_otherwise(work.catalog, site.database, contents)
    if not other or any(contents.tables.values()):  # with a history, the plan refuses
        return contents
    if rows := site.server.rows(site.name):
        raise Refused(
            f"{site.database.label}: the local database did not begin with {other}, and it holds rows",
            why="\n".join(f"{table}: {count} rows" for table, count in rows.items()),
            todo=f"if its rows may go, rebuild it: doit reset:{site.database.label}",
        )
    site.server.drop(site.name)
    site.journal.forget(site.history(contents).place)
    site.server.create(site.name, baseline)
    return site.look()


def _announce(site: Site, decided: Plan) -> None:
    """Say for each file that makes it necessary why files go down and up again."""
    because = {
        "changed": "was edited and is not merged yet: it goes down with the text it was applied with, and up again",
        "missing": "is applied, not merged, and its file is gone: it goes down with the text it was applied with",
        "undoing": "was being taken down when a run was interrupted: it goes down now",
        "out of order": "is older than what is applied: those files go down, and up again after it",
    }
    for version in decided.versions:
        if version.state in because:
            name = version.name or version.version
            site.progress.line(f"{site.database.label}: {name} {because[version.state]}")


def refuse(database: Database, decided: Plan) -> None:
    """Raise Refused with every reason why goose must not run, if there is one."""
    if not decided.refusals:
        return
    listed = [f"{refusal.path} {refusal.message}" for refusal in decided.refusals]
    ways = dict.fromkeys(way for refusal in decided.refusals for way in refusal.ways_out)
    raise Refused(
        f"{database.label}: nothing was run; the files and the database do not fit together",
        why="\n".join(listed),
        todo="\n".join(ways),
    )


def _goose_up(
    site: Site, files: Sequence[Migration], pending: Sequence[Migration], texts: Mapping[str, bytes]
) -> goose.Result:
    done = 0

    def on_file(ran: Ran) -> None:
        nonlocal done
        done += 1
        site.progress.file(ran.name, ran.seconds, done, len(pending))

    site.progress.file(pending[0].name, None, 0, len(pending))
    with site.staged({file.name: file.data for file in files} | dict(texts)) as folder:
        return goose.up(folder, site.connection(files), on_file=on_file, say=site.progress.now)


def _reference(work: Work, reference: Reference) -> Outcome:
    owner = work.catalog.owner(reference)
    files = migrations(work.catalog, owner)
    name = owner.names[LOCAL]
    contents = work.session.server(owner.engine).contents([name])[name]
    versions = place.plan(work.catalog, owner, files, contents, place.journal(work.catalog)).versions
    behind = [version for version in versions if version.state != "applied"]
    if behind:
        raise Refused(
            f"{reference.label} refers to {owner.label}, which is not at head: {len(behind)} of {len(versions)} files",
            todo=f"doit migrate:{owner.label}",
        )
    return Outcome(summary=f"at head through {owner.label}", values={"applied": []})


def _count(files: Sequence[object]) -> str:
    return "1 file" if len(files) == 1 else f"{len(files)} files"
