"""The operation `reset`: drop a local database and build it again from its files."""

from __future__ import annotations

from schemas.catalog import Database, Reference
from schemas.errors import Refused
from schemas.target import LOCAL
from tasks import confirm, place
from tasks.migrate.apply import bring_to_head
from tasks.migrate.site import Site, migrations
from tasks.work import Outcome, Work
from tools.engine import Losses

__all__ = ["run"]


def run(work: Work) -> Outcome:
    """Drop the target's database and migrate it anew; tables with rows are named first, and the user is asked.

    The files are read before anything is dropped. Raises Refused for a reference and for a database that is not ours.
    """
    database = local_only(work)
    files = migrations(work.catalog, database)
    server, name = work.session.server(database.engine), database.names[LOCAL]
    with server.exclusive(name, work.progress.now):
        site = Site.of(work.catalog, database, server, work.session.engine(database.engine).driver, work.progress)
        contents = site.look()
        if contents.exists:
            losses = Losses(tables=server.rows(name))
            confirm.losing(work, f"reset of {database.label} (local database {name})", losses, database.service)
            server.drop(name)
            site.journal.forget(site.history(contents).place)
        outcome = bring_to_head(work, site, files)
    return Outcome(summary=f"rebuilt, {outcome.summary}", values=outcome.values)


def local_only(work: Work) -> Database:
    """The target's own database; Refused for a reference, which its owner resets and rolls back."""
    found = place.entry(work.catalog, work.target)
    if isinstance(found, Reference):
        raise Refused(
            f"{found.label} belongs to {found.owner}; only its owner changes it",
            todo=f"doit {work.target.step}:{found.owner}",
        )
    return found
