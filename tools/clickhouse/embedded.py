"""The ClickHouse that we run ourselves: started by whoever needs it first, stopped when nobody uses it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from schemas.catalog import EngineName
from schemas.errors import ServerError
from tools.clickhouse import leftovers, settled
from tools.clickhouse.config import LOOPBACK, USER
from tools.clickhouse.connection import Address
from tools.clickhouse.home import TITLE, Home
from tools.engine import Contents, Say
from tools.kept import Kept, silent

if TYPE_CHECKING:
    from tools.clickhouse.server import Connected

__all__ = ["Embedded", "address"]

RECONSIDER = 0.2  # seconds


class Embedded:
    """ClickHouse with its data in ``home``, which knows some clusters and `default`, each as one node: itself.

    ``clusters`` names them, and is called when a server is wanted.
    """

    name: EngineName = "clickhouse"
    driver = "clickhouse"

    def __init__(
        self, home: Path, clusters: Callable[[], frozenset[str]] = frozenset, *, scratch: bool = False
    ) -> None:
        self.home = Home(path=home.resolve())
        self._named = clusters
        self._kept = Kept(
            home=self.home.path, charge="tools.clickhouse.charge", title="the scratch ClickHouse" if scratch else TITLE
        )

    @cached_property
    def clusters(self) -> frozenset[str]:
        """The clusters that the server shall know."""
        return self._named()

    def settled(self, say: Say = silent) -> Mapping[str, Contents] | None:
        """What every database holds, by a stopped server's files; one that is not named does not exist.

        A server that is being stopped, or will be in a moment because nobody uses it, is waited for.
        """
        self._kept.let_go(say)
        if self._kept.alive():
            return None
        return settled.recall(self.home) if self.home.data.exists() else {}

    @contextmanager
    def serve(self, say: Say) -> Iterator[Connected]:
        """The running server for as long as the context lasts; started when it is not running yet."""
        with ExitStack() as uses:
            facts = self._use(uses, say)
            if not self.clusters <= set(facts["clusters"]):
                facts = self._again(uses, say)
            try:
                server = self._connected(facts)
            except ServerError:
                time.sleep(RECONSIDER)  # the server may just be going down after its keeper was killed
                if self._kept.facts() == facts:
                    raise
                server = self._connected(self._use(uses, say))
            yield server

    def start(self, say: Say) -> Connected:
        """Keep the server running until `stop`, also after this process ends."""
        with self.serve(say) as server:
            self._kept.keep()
            return server

    def stop(self, say: Say) -> bool:
        """Stop the server once nobody uses it; False when it was not running."""
        return self._kept.stop(lambda: leftovers.wait(self.home.data), say)

    def running(self) -> bool:
        """Whether the server is up; starts nothing."""
        return self._kept.facts() is not None

    def _use(self, uses: ExitStack, say: Say) -> dict[str, Any]:
        return uses.enter_context(self._kept.used(lambda: self._prepare(say), say))

    def _again(self, uses: ExitStack, say: Say) -> dict[str, Any]:
        """Start the server anew because it lacks a cluster: it reads its configuration only then."""
        self.home.remember(self.clusters)
        keep = (self.home.path / "keep").exists()
        uses.close()
        say(f"{TITLE} is started again, to know every cluster that the migrations name")
        self._kept.stop(lambda: leftovers.wait(self.home.data), say)
        facts = self._use(uses, say)
        if keep:
            self._kept.keep()
        missing = self.clusters - set(facts["clusters"])
        if missing:
            raise ServerError(
                f"{TITLE} does not know the cluster {min(missing)} yet, and another run is using it",
                todo="run the command again when the other run has ended",
            )
        return facts

    def _prepare(self, say: Say) -> tuple[str, ...]:
        from tools import toolchain  # noqa: PLC0415 - start-up: only a start needs the package

        package = toolchain.clickhouse(say)
        self.home.prepare(package, toolchain.versions(self.name)["ClickHouse"])
        self.home.remember(self.clusters)
        return (str(package),)

    def _connected(self, facts: Mapping[str, Any]) -> Connected:
        from tools.clickhouse.server import Connected  # noqa: PLC0415 - start-up: only for a running server

        here = address(self.home, facts)
        ((token, version),) = here.query("SELECT displayName(), version()")
        if token != facts["token"]:
            raise ServerError(f"the server on port {facts['http']} is not the one that we started", todo="doit stop")
        if not self._kept.alive():
            raise ServerError(f"{TITLE} is just going down", todo="run the command again")
        return Connected(address=here, version=version, embedded=True, locks=self.home.path / "locks")


def address(home: Home, facts: Mapping[str, Any]) -> Address:
    """Where the running server is: HTTP for ourselves, the native protocol for goose."""
    login = f"{USER}:{quote(home.password(), safe='')}@{LOOPBACK}"
    return Address(
        url=f"http://{login}:{facts['http']}",
        native=f"clickhouse://{login}:{facts['tcp']}",
        todo="doit stop\nthen run the command again",
    )
