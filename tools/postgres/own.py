"""A PostgreSQL of the user's own on this machine, which services.yaml names for the local environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from schemas.catalog import EngineName
from schemas.errors import Refused, ServerError
from tools.engine import Contents, Say
from tools.kept import silent

if TYPE_CHECKING:
    from tools.postgres.server import Connected

__all__ = ["Own"]

TODO = "start that server, or correct environments.local.postgres in services.yaml"


class Own:
    """The server behind a URL on loopback or a socket; the URL's database is the one to make others from.

    Raises ServerError when it is no URL.
    """

    name: EngineName = "postgres"
    driver = "postgres"

    def __init__(self, url: str) -> None:
        from tools.postgres.connection import Address  # noqa: PLC0415 - start-up: the embedded server has its own way

        try:
            self.address = Address(url=url, todo=TODO)
            _ = urlsplit(url).port
        except ValueError as error:
            raise ServerError(f"environments.local.postgres is no URL: {error}", todo=TODO) from error

    def settled(self, say: Say = silent) -> Mapping[str, Contents] | None:  # noqa: ARG002 - the door's signature
        """None: only the server itself can tell."""
        return None

    @contextmanager
    def serve(self, say: Say) -> Iterator[Connected]:
        """The user's server, if it is on this machine: Refused for any other, ServerError when it does not answer."""
        yield self.start(say)

    def start(self, say: Say) -> Connected:  # noqa: ARG002 - the engine's signature; there is nothing to tell
        """Reach the server; it runs and stops as its user wants."""
        from tools.postgres.server import Connected  # noqa: PLC0415 - start-up: only for a running server

        self._guard()
        with self.address.connect() as connection:
            version = connection.info.parameter_status("server_version") or ""
        return Connected(address=self.address, version=version.split()[0], embedded=False, log=None)

    def stop(self, say: Say) -> bool:
        """Say that the server is not ours to stop."""
        say("environments.local.postgres names a PostgreSQL of your own: stop it where you started it")
        return False

    def running(self) -> bool:
        """Always: whether it answers shows when it is used."""
        return True

    def _guard(self) -> None:
        """Refuse a URL that leads, or may lead, to another machine."""
        parts = urlsplit(self.address.url)
        query = parse_qs(parts.query)
        named = parts.netloc.rpartition("@")[2]
        hosts = [unquote(host) for host in named.split(",")] if named else []
        hosts += [host for key in ("host", "hostaddr") for value in query.get(key, ()) for host in value.split(",")]
        far = [host for host in hosts if not _here(host)]
        if (
            parts.scheme not in {"postgres", "postgresql"}
            or not hosts
            or far
            or {"service", "servicefile"} & set(query)
        ):
            raise Refused(
                "environments.local.postgres must lead to this machine: a URL on loopback or a socket",
                why=f"it names {', '.join(far) if far else 'no host'}",
                todo="postgres://USER:PASSWORD@127.0.0.1:5432/postgres\nor postgres://USER@/postgres?host=/run/postgresql",
            )


def _here(host: str) -> bool:
    """Whether a host of the URL, with or without port, is a socket's folder, localhost or a loopback address."""
    if host.startswith("/"):
        return True
    name = host[1:].partition("]")[0] if host.startswith("[") else host
    name = name.partition(":")[0] if name.count(":") == 1 else name
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
