"""A ClickHouse database of another environment: read on every replica that its cluster lets us ask."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from schemas.errors import ServerError
from tools.clickhouse import structure
from tools.clickhouse.connection import FORM, Address, array, identifier, string
from tools.engine import Row, Say
from tools.remote import Advice, Place, Replica, Sight, Undone, advised
from tools.shell import redact

if TYPE_CHECKING:
    from schemas.structure import Structure

__all__ = ["opened", "waiting"]

LIMITS = {
    **FORM,
    "readonly": "2",
    "max_execution_time": "30",
    "lock_acquire_timeout": "10",
    "connect_timeout_with_failover_ms": "3000",
    "skip_unavailable_shards": "1",  # and a server without the table is skipped, too
    "log_comment": "gander look",
}
PATIENCE = 40.0  # seconds
UNKNOWN_TABLE, NO_KEEPER = "Code: 60.", "(NO_ELEMENTS_IN_CONFIG)"
FIXED = (164, 452)  # READONLY, SETTING_CONSTRAINT_VIOLATION: the user's profile lets no setting be changed
ADVICE: Advice = (
    (
        "certificate|SSL|TLS",
        "SSL_CERT_FILE=FILE names the certificate of its authority; or correct the scheme and the port in {variable}",
    ),
    (
        r"Code: (516|193|194|192)\b|Authentication failed|password",
        "correct the user and the password in {variable}",
    ),
    (r"Code: 81\b|led to the database", "correct the database in {variable}, or `name` in services.yaml"),
    (r"Code: (497|159|160)\b", "let the user of {variable} read it: GRANT SELECT ON {name}.*"),
    (
        "no ClickHouse|clickhouse-client|closed connection",
        "give the port of the HTTP interface in {variable}: 8123, with TLS 8443",
    ),
    ("", "check that this machine reaches it (VPN, kubectl port-forward), and the host and port of {variable}"),
)
NOISE = re.compile(r"DB::Exception: |\s*\(version [^()]*(?:\([^()]*\))?\)\s*$")
MACRO = re.compile(r"\{(\w+)\}")

MEMBERS = "SELECT host_name, port FROM system.clusters WHERE cluster = {cluster} ORDER BY shard_num, replica_num"
PRESENT = "SELECT _shard_num FROM {everywhere}"
MACROS = "SELECT macro, substitution FROM system.macros"
VERSION_TABLES = """
SELECT {number}, table FROM {columns}
WHERE database = {database} AND name IN ('version_id', 'is_applied', 'tstamp')
  AND (name <> 'version_id' OR type = 'Int64')
  AND table NOT IN (SELECT name FROM system.tables WHERE database = {database} AND engine LIKE '%View')
GROUP BY 1, 2 HAVING count() = 3 ORDER BY 1, 2
"""
# as in tools/clickhouse/contents.py, for each server by itself
APPLIED = """
SELECT {number} AS server, version_id, toUnixTimestamp(max(tstamp)) FROM {table}
GROUP BY server, version_id HAVING argMax(is_applied, (tstamp, is_applied)) AND version_id <> 0
"""
MUTATIONS = """
SELECT DISTINCT mutation_id, table, latest_fail_reason FROM {mutations} WHERE database = {database} AND NOT is_done
ORDER BY table, mutation_id
"""
# the queue is in Keeper; entries of other databases are not ours to judge
QUEUE = """
SELECT DISTINCT entry, host, toString(status) FROM system.distributed_ddl_queue
WHERE cluster = {cluster} AND position(query, {database}) > 0 AND toString(status) NOT IN ('Finished', 'Removing')
ORDER BY entry, host
"""


@contextmanager
def opened(place: Place) -> Iterator[Reader]:
    """Open the database; ServerError, with the way out, when it is not the named one or cannot be read."""
    with advised(place, ADVICE):
        reader = Reader(place)
        ((reader.version, reached),) = reader.ask("SELECT version(), currentDatabase()")
        if reached != place.name:
            raise ServerError(f"the server led to the database {reached} instead of {place.name}")
        yield reader


class Reader:
    """The database through its HTTP interface; every question is one that ClickHouse itself keeps from writing."""

    def __init__(self, place: Place) -> None:
        self.place, self.version = place, ""
        self.address = Address(url=place.url, todo="")
        self._limits: Mapping[str, str] = LIMITS

    def ask(self, statement: str) -> list[list[Any]]:
        """The rows of one statement; ServerError with the server's words."""
        settings = {**self._limits, "database": self.place.name}
        answer = self.address.ask(statement, patience=PATIENCE, settings=settings, reading=True)
        if answer.code in FIXED and self._limits is LIMITS:
            self._limits = FORM
            return self.ask(statement)
        if answer.code:
            why = redact(NOISE.sub("", answer.text))
            raise ServerError("ClickHouse refused a statement", why=why.removesuffix("."))
        return answer.rows

    def sight(self) -> Sight:
        """What goose's tables hold, on every replica; ServerError where the place's own one may not be read."""
        replicas: dict[str, Replica] = {}
        silent: dict[str, None] = {}
        remarks: list[str] = []
        for cluster in sorted(self.place.clusters):
            try:
                name, members = self._members(cluster)
                tables = self._tables(name, remarks)
            except ServerError as error:
                remarks.append(f"the replicas of {cluster} were not asked, but for the one that answered: {error.why}")
                continue
            for number, (member, answers) in enumerate(members.items(), 1):
                held = tables.get(number, {}) if answers else None
                if held is None:
                    silent[member] = None
                else:
                    replicas[member] = Replica(name=member, tables=held)
        if not replicas:
            found = self._tables("", remarks)
            replicas[""] = Replica(name="", tables=found.get(0) or {})
        return Sight(replicas=tuple(replicas.values()), silent=tuple(silent), remarks=tuple(remarks))

    def undone(self) -> tuple[Undone, ...]:
        """Mutations that have not ended on every server, and distributed DDL that some host has not done."""
        names = [self._expanded(cluster) for cluster in sorted(self.place.clusters)] or [""]
        found: dict[Undone, None] = {}
        for name in names:
            mutations = _all(name, "system", "mutations") if name else "system.mutations"
            database = string(self.place.name)
            for number, table, reason in self.ask(MUTATIONS.format(mutations=mutations, database=database)):
                says = f"it fails: {redact(reason)[:300]}" if reason else "it still runs"
                found[Undone("mutation", number, table, says)] = None
            if name:
                found |= dict.fromkeys(waiting(self._queue(name)))
        return tuple(found)

    def _queue(self, cluster: str) -> list[list[Any]]:
        """What of the queue of distributed DDL is not done; a server without Keeper has no queue."""
        try:
            return self.ask(QUEUE.format(cluster=string(cluster), database=string(self.place.name)))
        except ServerError as error:
            if NO_KEEPER in error.why:
                return []
            raise

    def dump(self, say: Say) -> str:  # noqa: ARG002 - the door's signature
        """A baseline of the first replica's database, as the servers tell its objects."""
        from tools.clickhouse.dump import written  # noqa: PLC0415 - start-up: only who writes a baseline needs it

        return written(next(iter(self.structures().values())))

    def structures(self) -> dict[str, Structure]:
        """Every object of the database and every SQL function, by replica, as the servers tell them."""
        found: dict[str, Structure] = {}
        for cluster in sorted(self.place.clusters):
            with suppress(ServerError):  # `sight` says so
                name, members = self._members(cluster)
                objects = self._objects(name)
                found |= {
                    member: objects.get(number, {})
                    for number, (member, answers) in enumerate(members.items(), 1)
                    if answers
                }
        return found or {"": self._objects("").get(0, {})}

    def _objects(self, cluster: str) -> dict[int, Structure]:
        number = "_shard_num" if cluster else "0"
        tables = _all(cluster, "system", "tables") if cluster else "system.tables"
        functions = _all(cluster, "system", "functions") if cluster else "system.functions"
        without = array(["", *self.place.streams])
        rows = self.ask(
            structure.TABLES.format(number=number, tables=tables, database=string(self.place.name), without=without)
        )
        rows += self.ask(structure.FUNCTIONS.format(number=number, functions=functions))
        numbers = {int(row[0]) for row in rows}
        return {one: structure.found(row[1:] for row in rows if int(row[0]) == one) for one in numbers}

    def _members(self, cluster: str) -> tuple[str, dict[str, bool]]:
        """A cluster's full name, and each of its servers once, in the order of their numbers: whether it answers."""
        name = self._expanded(cluster)
        found = self.ask(MEMBERS.format(cluster=string(name)))
        if not found:
            raise ServerError("there is none", why=f"the server knows no cluster {name}")
        members = list(dict.fromkeys(f"{host}:{port}" for host, port in found))
        asked = {int(number) for (number,) in self.ask(PRESENT.format(everywhere=_all(name, "system", "one")))}
        return name, {member: number in asked for number, member in enumerate(members, 1)}

    def _tables(self, cluster: str, remarks: list[str]) -> dict[int, dict[str, tuple[Row, ...]] | None]:
        """Goose's tables by the number of the server, 0 without a cluster; those of others as far as one may.

        A server without the table cannot pass on what others have in theirs: None for those.
        """
        number = "_shard_num" if cluster else "0"
        columns = _all(cluster, "system", "columns") if cluster else "system.columns"
        held: dict[int, dict[str, list[Row]]] = {}
        hidden: set[int] = set()
        question = VERSION_TABLES.format(number=number, columns=columns, database=string(self.place.name))
        for server, name in self.ask(question):
            held.setdefault(int(server), {})[name] = []
        for name in sorted({name for tables in held.values() for name in tables}):
            place = f"{identifier(self.place.name)}.{identifier(name)}"
            source = _all(cluster, self.place.name, name) if cluster else place
            try:
                rows = self.ask(APPLIED.format(number=number, table=source))
            except ServerError as error:
                if name == self.place.table and cluster and error.why.startswith(UNKNOWN_TABLE):
                    hidden |= {server for server, tables in held.items() if name in tables}
                    remarks.append(
                        f"the server of {self.place.variable} lacks {name}, so that of others cannot be read"
                    )
                    continue
                if name == self.place.table:
                    raise
                remarks.append(f"{name} could not be read, so nobody knows whether goose notes there: {error.why}")
                continue
            for server, version, at in rows:
                held[int(server)][name].append(Row(version=int(version), at=datetime.fromtimestamp(int(at), UTC)))
        return {
            server: None
            if server in hidden
            else {name: tuple(sorted(rows, key=lambda row: row.version)) for name, rows in tables.items()}
            for server, tables in held.items()
        }

    def _expanded(self, cluster: str) -> str:
        """The name with the server's macros in it."""
        if "{" not in cluster:
            return cluster
        macros: dict[str, str] = dict(self.ask(MACROS))
        return MACRO.sub(lambda found: macros.get(found[1], found[0]), cluster)


def waiting(rows: list[list[Any]]) -> list[Undone]:
    """The entries of the queue of distributed DDL that a host has not done: entry, host and status of each row."""
    return [Undone("distributed DDL", entry, f"host {host}", f"it is {status}") for entry, host, status in rows]


def _all(cluster: str, database: str, table: str) -> str:
    """A table on every replica of a cluster."""
    return f"clusterAllReplicas({string(cluster)}, {identifier(database)}, {identifier(table)})"
