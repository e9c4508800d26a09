"""The user's own ClickHouse: used when it is on this machine, refused when it may not be."""

from __future__ import annotations

from pathlib import Path
from socketserver import BaseRequestHandler, TCPServer
from threading import Thread

import pytest

from schemas.errors import Refused, ServerError
from tests.tools.conftest import quiet
from tools.clickhouse import Own


@pytest.mark.parametrize(
    "url",
    [
        "http://u:topsecret@db.example.com:8123",
        "http://u:topsecret@localhost.example.com:8123",
        "http://u:topsecret@[2001:db8::1]:8123",
        "http://u:topsecret@127.0.0.1,10.0.0.1:8123",
        "clickhouse://u:topsecret@127.0.0.1:9000",
        "http:///default",
    ],
)
def test_a_url_that_may_lead_elsewhere_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="must lead to this machine") as caught:
        Own(url, tmp_path).start(quiet)
    assert "topsecret" not in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost:1", "[::1]:1"])
def test_a_server_here_that_does_not_answer_is_reported_with_the_way_out(host: str, tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="cannot be reached") as caught:
        Own(f"http://u:topsecret@{host}", tmp_path).start(quiet)
    assert "topsecret" not in str(caught.value)
    assert "environments.local.clickhouse" in caught.value.todo


class Web(BaseRequestHandler):
    """Answers like some web server."""

    def handle(self) -> None:
        self.request.recv(65536)
        self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")


def test_something_else_on_the_port_is_no_clickhouse(tmp_path: Path) -> None:
    with TCPServer(("127.0.0.1", 0), Web) as web:
        Thread(target=web.handle_request, daemon=True).start()
        with pytest.raises(ServerError, match="this is no ClickHouse"):
            Own(f"http://127.0.0.1:{web.server_address[1]}", tmp_path).start(quiet)


def test_it_is_never_ours_to_stop(tmp_path: Path) -> None:
    own, said = Own("http://127.0.0.1:8123", tmp_path), list[str]()
    assert own.settled() is None
    assert own.running()
    assert own.stop(said.append) is False
    assert "stop it where you started it" in said[0]
