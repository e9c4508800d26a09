"""A PostgreSQL database of another environment, read in one transaction that can write nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from schemas.errors import ServerError
from tools.engine import Say
from tools.postgres import contents, structure
from tools.postgres.connection import Address
from tools.remote import Advice, Place, Replica, Sight, Undone, advised
from tools.shell import hide

if TYPE_CHECKING:
    import psycopg

    from schemas.structure import Structure

__all__ = ["opened"]

APPLICATION = "gander look"
LIMITS = {**contents.LIMITS, "idle_in_transaction_session_timeout": "60s"}
BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
ADVICE: Advice = (
    ("unsupported startup parameter", "a pooler is in between: give the server's own host and port in {variable}"),
    ("invalid URI query parameter", "leave the parameters of other programs, such as Prisma's, out of {variable}"),
    (
        "database .* does not exist|led to the database",
        "correct the database in {variable}, or `name` in services.yaml",
    ),
    ("password|role .* does not exist", "correct the user and the password in {variable}"),
    (r"pg_hba\.conf", "that server admits no such user from here: correct the user or sslmode= in {variable}"),
    ("certificate|SSL|TLS", "correct sslmode= and sslrootcert= in {variable}"),
    ("row-level security", "let the role of {variable} see all rows of it: ALTER ROLE … BYPASSRLS"),
    ("permission denied", "let the role of {variable} read it: GRANT SELECT on the table, USAGE on its schema"),
    ("lock timeout|statement timeout", "somebody changes that database just now: run the command again in a while"),
    ("", "check that this machine reaches it (VPN, kubectl port-forward), and the host and port of {variable}"),
)


@contextmanager
def opened(place: Place) -> Iterator[Reader]:
    """Open the database; ServerError, with the way out, when it is not the named one or cannot be read."""
    hide(os.environ.get("PGPASSWORD", ""))
    address = Address(url=place.url, todo="")
    with (
        advised(place, ADVICE),
        address.connect(place.name, application=APPLICATION, **LIMITS) as connection,
    ):
        connection.execute(BEGIN)
        version = connection.info.parameter_status("server_version") or ""
        yield Reader(
            connection=connection,
            table=place.table,
            streams=place.streams,
            version=version.split()[0],
            url=address.to(place.name, APPLICATION),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """The open transaction."""

    connection: psycopg.Connection[tuple[Any, ...]]
    table: str
    streams: frozenset[str]
    version: str
    url: str = field(repr=False)  # it may hold the password

    def sight(self) -> Sight:
        """What goose's tables hold; ServerError where the place's own one may not be read."""
        found = contents.histories(self.connection)
        if self.table in found.closed:
            raise ServerError(f"permission denied for table {self.table}")
        remarks = tuple(f"{name} may not be read, so nobody knows whether goose notes there" for name in found.closed)
        return Sight(replicas=(Replica(name="", tables=found.tables),), remarks=remarks)

    def undone(self) -> tuple[Undone, ...]:
        """Indexes that are invalid or being built, and constraints that are NOT VALID."""
        return (
            *(
                Undone("partitioned index" if parted else "index", name, table, says)
                for parted, name, table, says in contents.unbuilt(self.connection)
            ),
            *(
                Undone("constraint", name, table, "it is NOT VALID")
                for name, table in contents.unvalidated(self.connection)
            ),
        )

    def dump(self, say: Say) -> str:
        """A baseline of the database as it is in this very transaction; ServerError where the role may not read it."""
        from tools.postgres.dump import dump  # noqa: PLC0415 - start-up: only who writes a baseline needs it

        ((snapshot,),) = self.connection.execute("SELECT pg_export_snapshot()").fetchall()
        return dump(self.url, self.streams, say, snapshot=snapshot)

    def structures(self) -> dict[str, Structure]:
        """Every object of the database, as it is in this very transaction, without the version tables."""
        return {"": structure.seen(self.connection, self.streams)}
