"""What an embedded PostgreSQL holds when nobody uses it any more, and where its log ends then."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from schemas.errors import ServerError
from tools.engine import Contents
from tools.postgres import contents
from tools.postgres.embedded import address
from tools.postgres.home import Home

__all__ = ["Seen", "look"]

TRIES = 5

# whoever still has a session here holds no lease; autovacuum must not write between our look and the stop
END_OTHERS = """
SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity
WHERE pid <> pg_backend_pid() AND backend_type IN ('client backend', 'autovacuum worker', 'parallel worker')
"""
END_OF_LOG = "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """All databases, and the end of the write-ahead log, which was the same before and after the look."""

    contents: Mapping[str, Contents]
    end: int


def look(home: Home) -> Seen | None:
    """End the sessions that are left and look at every database; None when the server does not hold still."""
    facts = json.loads((home.path / "server.json").read_text(encoding="utf-8"))
    here = address(home, facts)
    try:
        with here.connect(statement_timeout="10s") as connection:
            for _ in range(TRIES):
                connection.execute(END_OTHERS)
                (before,) = connection.execute(END_OF_LOG).fetchone() or (-1,)
                known = contents.marks(connection)
                seen = contents.look(here, known, known)
                (after,) = connection.execute(END_OF_LOG).fetchone() or (-2,)
                if before == after:
                    return Seen(contents=seen, end=after)
    except ServerError:  # then the next run starts the server and asks
        return None
    return None
