"""A ClickHouse of the user's own on this machine, which services.yaml names for the local environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from schemas.catalog import EngineName
from schemas.errors import Refused
from schemas.local_url import objection
from tools.clickhouse.connection import Address
from tools.engine import Contents, Say
from tools.kept import silent

if TYPE_CHECKING:
    from tools.clickhouse.server import Connected

__all__ = ["Own"]


class Own:
    """The server behind an HTTP URL on loopback; ``locks`` is a folder for the locks on its databases."""

    name: EngineName = "clickhouse"
    driver = "clickhouse"

    def __init__(self, url: str, locks: Path) -> None:
        self.address = Address(
            url=url, todo="start that server, or correct environments.local.clickhouse in services.yaml"
        )
        self.locks = locks

    def settled(self, say: Say = silent) -> Mapping[str, Contents] | None:  # noqa: ARG002 - the door's signature
        """None: only the server itself can tell."""
        return None

    @contextmanager
    def serve(self, say: Say) -> Iterator[Connected]:
        """The user's server, if it is on this machine: Refused for any other, ServerError when it does not answer."""
        yield self.start(say)

    def start(self, say: Say) -> Connected:  # noqa: ARG002 - the door's signature
        """The user's server, which runs without us."""
        from tools.clickhouse.server import Connected  # noqa: PLC0415 - start-up: only for a running server

        if far := objection(self.name, self.address.url):
            raise Refused(
                "environments.local.clickhouse must lead to this machine: a URL on loopback",
                why=far,
                todo="http://USER:PASSWORD@127.0.0.1:8123",
            )
        ((version,),) = self.address.query("SELECT version()")
        place = sha256(urlsplit(self.address.url).netloc.rpartition("@")[2].encode()).hexdigest()[:16]
        return Connected(address=self.address, version=version, embedded=False, locks=self.locks / place)

    def stop(self, say: Say) -> bool:
        """Say that the server is not ours to stop."""
        say("environments.local.clickhouse names a ClickHouse of your own: stop it where you started it")
        return False

    def running(self) -> bool:
        """True: the user runs it, and whether it answers shows when it is used."""
        return True
