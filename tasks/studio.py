"""The operation `studio`: Prisma Studio on a local database, for as long as somebody looks."""

from __future__ import annotations

from schemas.errors import Refused
from schemas.target import LOCAL
from tasks import place
from tasks.work import Outcome, Work
from tools import studio

__all__ = ["run"]


def run(work: Work) -> Outcome:
    """Serve the page until Ctrl-C; the run's end lets go of the server and of everything that was started.

    Raises Refused for a database of another engine, or one that nothing has been applied to yet; ToolError when Studio
    cannot be installed or ends by itself.
    """
    database = place.owned(work.catalog, work.target)
    if database.engine != "postgres":
        raise Refused(
            f"{database.label} is on ClickHouse, and Prisma Studio shows PostgreSQL",
            todo=f"doit start:{database.label}   prints its URL for another tool",
        )
    server, name = work.session.server("postgres"), database.names[LOCAL]
    if not server.contents([name])[name].exists:
        raise Refused(f"{database.label} has no local database yet", todo=f"doit migrate:{database.label}")
    studio.serve(
        server.url(name, application="gander studio"),
        work.progress.now,
        lambda address: work.progress.line(f"{database.label} is shown on {address} until Ctrl-C"),
    )
