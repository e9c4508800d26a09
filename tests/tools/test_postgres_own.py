"""The user's own PostgreSQL: used when it is on this machine, refused when it may not be."""

from __future__ import annotations

import pytest

from schemas.errors import Refused, ServerError
from tests.tools.conftest import quiet
from tools.postgres import Own
from tools.postgres.server import Connected


@pytest.mark.parametrize(
    "url",
    [
        "postgres://u:topsecret@db.example.com/postgres",
        "postgres://u:topsecret@localhost.example.com:5432/postgres",
        "postgres://u:topsecret@127.0.0.1,10.0.0.1:5432/postgres",
        "postgres://u:topsecret@127.0.0.1/postgres?host=10.0.0.1",
        "postgres://u:topsecret@127.0.0.1/postgres?hostaddr=10.0.0.1",
        "postgres://u:topsecret@127.0.0.1/postgres?service=production",
        "postgres://u:topsecret@[2001:db8::1]:5432/postgres",
        "postgres:///postgres",
        "mysql://u:topsecret@127.0.0.1/postgres",
    ],
)
def test_a_url_that_may_lead_elsewhere_is_refused(url: str) -> None:
    with pytest.raises(Refused, match="must lead to this machine") as caught:
        Own(url).start(quiet)
    assert "topsecret" not in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost:1", "[::1]:1", "%2Fnowhere:1", "?host=/nowhere"])
def test_a_server_here_that_does_not_answer_is_reported_with_the_way_out(host: str) -> None:
    url = f"postgres://u:topsecret@{host}/postgres" if host[0] != "?" else f"postgres://u:topsecret@/postgres{host}"
    with pytest.raises(ServerError, match="cannot be reached") as caught:
        Own(url).start(quiet)
    assert "topsecret" not in str(caught.value)
    assert "environments.local.postgres" in caught.value.todo


@pytest.mark.parametrize("url", ["postgres://u@127.0.0.1:port/postgres", "postgres://u@[::1/postgres"])
def test_a_url_that_cannot_be_read_is_reported(url: str) -> None:
    with pytest.raises(ServerError, match="is no URL"):
        Own(url)


def test_a_server_of_the_users_own_is_used_and_left_alone(server: Connected) -> None:
    said: list[str] = []
    own = Own(server.url("postgres", application="mine"))
    with own.serve(quiet) as one:
        assert not one.embedded
        assert one.version == server.version
        one.create("test_own", None)
        with one.exclusive("test_own", quiet):
            assert one.rows("test_own") == {}
        assert "application_name=theirs" in one.url("test_own", application="theirs")
        assert "mine" not in one.url("test_own", application="theirs")
        assert one.diagnose("gander") is None
        one.drop("test_own")
    assert own.settled() is None
    assert own.running()
    assert own.stop(said.append) is False
    assert said == ["environments.local.postgres names a PostgreSQL of your own: stop it where you started it"]
