"""What an embedded ClickHouse holds when nobody uses it any more, and the signature of its files then."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from schemas.errors import ServerError
from tools.clickhouse import contents, settled
from tools.clickhouse.config import USER
from tools.clickhouse.connection import Address
from tools.clickhouse.home import Home
from tools.engine import Contents

__all__ = ["Seen", "look"]

STILL = 3.0  # seconds for what was going on to end
PAUSE = 0.05  # seconds between two looks
PATIENCE = 10.0  # seconds for an answer of a server that is about to stop

# whoever still asks something holds no lease; merges must not write between our look and the stop
QUIET = ("SYSTEM STOP MERGES", "SYSTEM STOP TTL MERGES", "SYSTEM STOP MOVES")
END_OTHERS = f"KILL QUERY WHERE user = '{USER}' AND query_id <> queryID() ASYNC"
OTHERS = f"SELECT count() FROM system.processes WHERE user = '{USER}' AND query_id <> queryID()"  # noqa: S608 - a constant


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """All databases, and the signature of the data, which was the same before and after the look."""

    contents: Mapping[str, Contents]
    signature: str


def look(address: Address, home: Home) -> Seen | None:
    """End what still runs and look at every database; None when the server does not hold still."""
    try:
        for statement in QUIET:
            address.query(statement, patience=PATIENCE)
        deadline = time.monotonic() + STILL
        while time.monotonic() < deadline:
            address.query(END_OTHERS, patience=PATIENCE)
            ((others,),) = address.query(OTHERS, patience=PATIENCE)
            before = settled.signature(home.data)
            seen = contents.look(address)
            if not int(others) and before == settled.signature(home.data):
                return Seen(contents=seen, signature=before)
            time.sleep(PAUSE)
    except (ServerError, OSError):  # then the next run starts the server and asks
        return None
    return None
