"""A ClickHouse database of another environment: two real servers, two replicas of one shard, asked through either."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from schemas.errors import ServerError
from tests.replicas import PASSWORD, Replica, pair
from tools.clickhouse.connection import Address
from tools.clickhouse.contents import rows
from tools.clickhouse.remote import Reader, waiting
from tools.remote import Place, Sight, connect

CLUSTER = frozenset({"my_cluster"})
VERSIONS = """
CREATE TABLE audit_db.{0} (version_id Int64, is_applied UInt8, date Date DEFAULT now(), tstamp DateTime DEFAULT now())
ENGINE = MergeTree ORDER BY date
"""
HELD = "INSERT INTO audit_db.{0} (version_id, is_applied) VALUES (0, 1), {1}"


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Replica, Replica]]:
    with pair(tmp_path_factory.mktemp("replicas")) as both:
        yield both


@pytest.fixture
def both(replicas: tuple[Replica, Replica]) -> tuple[Replica, Replica]:
    """The two, with an empty database each."""
    for replica in replicas:
        replica.address.query("DROP DATABASE IF EXISTS audit_db SYNC")
        replica.address.query("CREATE DATABASE audit_db")
    return replicas


def history(replica: Replica, *versions: int, table: str = "goose_db_version") -> None:
    replica.address.query(VERSIONS.format(table))
    rows = ", ".join(f"({version}, 1)" for version in versions)
    replica.address.query(HELD.format(table, rows))


def place(replica: Replica, user: str = "gander", clusters: frozenset[str] = CLUSTER) -> Place:
    return Place(
        label="audit-service/audit",
        environment="dev",
        engine="clickhouse",
        name="audit_db",
        table="goose_db_version",
        variable="AUDIT_DEV_URL",
        url=replica.url(user, "audit_db"),
        clusters=clusters,
    )


def look(there: Place) -> Sight:
    with connect(there) as found:
        return found.sight()


def versions(sight: Sight) -> dict[str, list[int] | None]:
    return {
        replica.name: [row.version for row in replica.tables["goose_db_version"]]
        if "goose_db_version" in replica.tables
        else None
        for replica in sight.replicas
    }


def called(replica: Replica) -> str:
    return f"127.0.0.1:{replica.ports.tcp}"


def test_each_of_two_embedded_servers_as_replicas_tells_its_own_history(both: tuple[Replica, Replica]) -> None:
    one, other = both
    history(one, 1, 2)
    history(other, 1)
    one.address.query("CREATE VIEW audit_db.of_its_shape AS SELECT * FROM audit_db.goose_db_version")
    for through in both:
        sight = look(place(through))
        assert versions(sight) == {called(one): [1, 2], called(other): [1]}
        assert (sight.silent, sight.remarks) == ((), ())


def test_of_two_embedded_servers_as_replicas_one_without_a_history_is_seen_through_the_other(
    both: tuple[Replica, Replica],
) -> None:
    one, other = both
    history(one, 1)
    assert versions(look(place(one))) == {called(one): [1], called(other): None}


def test_a_history_that_the_asked_server_cannot_pass_on_is_not_taken_for_an_empty_one(
    both: tuple[Replica, Replica],
) -> None:
    one, other = both
    history(one, 1)
    sight = look(place(other))
    assert versions(sight) == {called(other): None}
    assert sight.silent == (called(one),)
    assert sight.remarks == ("the server of AUDIT_DEV_URL lacks goose_db_version, so that of others cannot be read",)


def test_without_a_cluster_in_the_files_one_server_is_asked(both: tuple[Replica, Replica]) -> None:
    history(both[0], 1)
    assert versions(look(place(both[0], clusters=frozenset()))) == {"": [1]}


def test_a_cluster_that_the_server_does_not_know_is_told(both: tuple[Replica, Replica]) -> None:
    history(both[0], 1)
    sight = look(place(both[0], clusters=frozenset({"other", "{nothing}"})))
    assert versions(sight) == {"": [1]}
    assert [re.sub(r".*: ", "", remark) for remark in sight.remarks] == [
        "the server knows no cluster other",
        "the server knows no cluster {nothing}",
    ]


@pytest.mark.parametrize("user", ["reader", "strict"])
def test_a_user_who_may_only_select_is_enough_for_the_server_itself(both: tuple[Replica, Replica], user: str) -> None:
    history(both[0], 1)
    sight = look(place(both[0], user))
    assert versions(sight) == {"": [1]}
    (remark,) = sight.remarks
    assert remark.startswith("the replicas of my_cluster were not asked, but for the one that answered: Code: 497.")
    assert "GRANT" in remark.upper()


@pytest.mark.parametrize("user", ["gander", "reader", "strict"])
def test_nobody_can_write_through_it(both: tuple[Replica, Replica], user: str) -> None:
    history(both[0], 1)
    reader = Reader(place(both[0], user))
    for statement in ("CREATE TABLE audit_db.a (id Int8) ENGINE = Memory", HELD.format("goose_db_version", "(2, 1)")):
        with pytest.raises(ServerError):
            reader.ask(statement)
    assert versions(look(place(both[0]))) == {called(both[0]): [1], called(both[1]): None}


def test_a_user_whose_settings_are_fixed_reads_by_a_request_that_cannot_write(both: tuple[Replica, Replica]) -> None:
    reader = Reader(place(both[0]))
    reader._limits = {"default_format": "JSONCompact"}
    with pytest.raises(ServerError, match="refused") as caught:
        reader.ask("CREATE TABLE audit_db.a (id Int8) ENGINE = Memory")
    assert "readonly" in caught.value.why


@pytest.mark.parametrize(
    ("pattern", "put", "why", "todo"),
    [
        (PASSWORD, "wr0ng-one", "Authentication failed", "correct the user and the password"),
        (r":\d+/", ":1/", "127.0.0.1:1: Connection refused", "VPN"),
        (r"127\.0\.0\.1", "db.invalid", "not known|resolution", "VPN"),
        ("^http:", "https:", "SSL", "the scheme and the port"),
        ("/audit_db", "/other", "leads to the database other", "export AUDIT_DEV_URL='https://"),
        ("^http:", "clickhouse:", "give that of the HTTP interface", "export AUDIT_DEV_URL='https://"),
    ],
)
def test_what_stands_in_the_way_is_told_with_the_way_out_and_without_the_password(
    both: tuple[Replica, Replica], pattern: str, put: str, why: str, todo: str
) -> None:
    there = place(both[0])
    with pytest.raises(ServerError, match="audit-service/audit@dev cannot be looked at") as caught:
        look(there._replace(url=re.sub(pattern, put, there.url)))
    assert re.search(why, caught.value.why)
    assert todo in caught.value.todo
    assert PASSWORD not in str(caught.value)
    assert "AUDIT_DEV_URL" in str(caught.value)


def test_the_native_port_and_a_missing_database_are_told(both: tuple[Replica, Replica]) -> None:
    there = place(both[0])
    native = re.sub(r":\d+/", f":{both[0].ports.tcp}/", there.url)
    with pytest.raises(ServerError, match="cannot be looked at") as caught:
        look(there._replace(url=native))
    assert "8123" in caught.value.todo
    both[0].address.query("DROP DATABASE audit_db SYNC")
    with pytest.raises(ServerError, match="cannot be looked at") as caught:
        look(there)
    assert "`name` in services.yaml" in caught.value.todo


def test_a_password_of_any_letters_reaches_the_server(both: tuple[Replica, Replica]) -> None:
    there = Address(url=both[0].url("gander", "").replace(PASSWORD, "p%C3%A4ss%E2%82%AC"), todo="")
    assert there.ask("SELECT 1").code == 516


def test_of_two_embedded_servers_as_replicas_the_one_that_is_down_is_named(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with pair(tmp_path_factory.mktemp("down")) as (one, other):
        one.address.query("CREATE DATABASE audit_db")
        history(one, 1)
        other.stop()
        sight = look(place(one))
        assert versions(sight) == {called(one): [1]}
        assert sight.silent == (called(other),)


def test_a_mutation_is_told_from_whichever_of_two_embedded_servers_as_replicas_has_not_ended_it(
    both: tuple[Replica, Replica],
) -> None:
    first, second = both
    second.address.query("CREATE TABLE audit_db.a (x Int64) ENGINE = MergeTree ORDER BY x")
    second.address.query("INSERT INTO audit_db.a VALUES (1)")
    with connect(place(first)) as found:
        assert found.undone() == ()
    second.address.query("ALTER TABLE audit_db.a DELETE WHERE throwIf(x = 1, 'no') SETTINGS mutations_sync = 0")
    with connect(place(first)) as found:
        (one,) = found.undone()
    assert (one.kind, one.table) == ("mutation", "a")
    assert one.says.startswith("it ")
    second.address.query("KILL MUTATION WHERE database = 'audit_db'")
    with connect(place(first)) as found:
        assert found.undone() == ()


def test_recorded_rows_of_the_queue_of_distributed_ddl_are_told_with_their_host() -> None:
    (one,) = waiting([["query-0000000003", "ch-2", "Active"]])
    assert one == ("distributed DDL", "query-0000000003", "host ch-2", "it is Active")


def test_rows_that_a_policy_hides_are_counted(both: tuple[Replica, Replica]) -> None:
    address = both[0].address
    address.query("CREATE TABLE audit_db.tenants (n UInt64) ENGINE = MergeTree ORDER BY n")
    address.query("CREATE TABLE audit_db.cleared (n UInt64) ENGINE = MergeTree ORDER BY n")
    address.query("INSERT INTO audit_db.tenants SELECT * FROM numbers(5)")
    address.query("INSERT INTO audit_db.cleared SELECT * FROM numbers(5)")
    address.query("DELETE FROM audit_db.cleared WHERE 1")
    assert address.query("SELECT count() FROM audit_db.tenants") == [[0]]
    assert rows(address, "audit_db") == {"tenants": 5}
