"""The PostgreSQL that we run ourselves: started by whoever needs it first, stopped when nobody uses it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from schemas.catalog import EngineName
from schemas.errors import ServerError
from tools.engine import Contents, Say
from tools.kept import Kept, silent
from tools.postgres import settled
from tools.postgres.home import MAINTENANCE, USER, Home

if TYPE_CHECKING:
    from tools.postgres.connection import Address
    from tools.postgres.server import Connected

__all__ = ["Embedded", "address"]

RECONSIDER = 0.2  # seconds
SAFE_TO_LOSE = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"  # what tests make is gone after them


class Embedded:
    """PostgreSQL 16 with its data in ``home``; ``programs`` is the folder of its bin/, by default the toolchain's."""

    name: EngineName = "postgres"
    driver = "postgres"

    def __init__(self, home: Path, programs: Path | None = None, *, scratch: bool = False) -> None:
        self.home = Home(path=home.resolve())
        self.programs = programs
        self._kept = Kept(
            home=self.home.path,
            charge="tools.postgres.charge",
            title=f"the {'scratch' if scratch else 'local'} PostgreSQL",
        )
        self._scratch = scratch

    def settled(self, say: Say = silent) -> Mapping[str, Contents] | None:
        """What every database holds, by a stopped server's files; one that is not named does not exist.

        A server that is being stopped, or will be in a moment because nobody uses it, is waited for.
        """
        self._kept.let_go(say)
        return settled.recall(self.home) if self.home.data.exists() else {}

    @contextmanager
    def serve(self, say: Say) -> Iterator[Connected]:
        """The running server for as long as the context lasts; started when it is not running yet."""
        with ExitStack() as uses:
            facts = uses.enter_context(self._kept.used(lambda: self._prepare(say), say))
            try:
                server = self._connected(facts)
            except ServerError:
                time.sleep(RECONSIDER)  # the server may just be going down after its keeper was killed
                if self._kept.facts() == facts:
                    raise
                facts = uses.enter_context(self._kept.used(lambda: self._prepare(say), say))
                server = self._connected(facts)
            yield server

    def start(self, say: Say) -> Connected:
        """Keep the server running until `stop`, also after this process ends."""
        with self.serve(say) as server:
            self._kept.keep()
            return server

    def stop(self, say: Say) -> bool:
        """Stop the server once nobody uses it; False when it was not running."""
        from tools.postgres import leftovers  # noqa: PLC0415 - start-up: only who stops the server needs it

        data = self.home.data
        return self._kept.stop(lambda: leftovers.orphan(data) is not None and leftovers.end(data), say)

    def running(self) -> bool:
        """Whether the server is up; starts nothing."""
        return self._kept.facts() is not None

    def _prepare(self, say: Say) -> tuple[str, ...]:
        from tools.postgres import initdb  # noqa: PLC0415 - start-up: only a start needs it

        programs = self.programs
        if programs is None:
            from tools import toolchain  # noqa: PLC0415 - start-up: only a start needs the binaries

            programs = toolchain.postgres(say)
        initdb.prepare(self.home, programs / "bin", say, self._kept.title, SAFE_TO_LOSE if self._scratch else "")
        return (str(programs / "bin"),)

    def _connected(self, facts: Mapping[str, Any]) -> Connected:
        from tools.postgres.server import Connected  # noqa: PLC0415 - start-up: only for a running server

        here = address(self.home, facts)
        with here.connect() as connection:
            (data,) = connection.execute("SHOW data_directory").fetchone() or ("",)
            version = connection.info.parameter_status("server_version") or ""
        if Path(data) != self.home.data:
            raise ServerError(f"the server on port {facts['port']} uses {data}, not {self.home.data}", todo="doit stop")
        return Connected(address=here, version=version.split()[0], embedded=True, log=self.home.log)


def address(home: Home, facts: Mapping[str, Any]) -> Address:
    """Where the running server is: loopback for goose, its private socket for ourselves."""
    from tools.postgres.connection import Address  # noqa: PLC0415 - start-up: only for a running server

    login = f"{USER}:{quote(home.password(), safe='')}"
    return Address(
        url=f"postgres://{login}@127.0.0.1:{facts['port']}/{MAINTENANCE}?sslmode=disable",
        host=facts["sockets"],
        todo="doit stop\nthen run the command again",
        disk=home.path,
    )
