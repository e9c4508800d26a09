"""Registries that are busy, break off, lead elsewhere or lie: asked again, gone on with, or named."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from schemas.errors import RegistryError
from tests import registries
from tools import oci
from tools.oci.door import Door
from tools.oci.registry import Registries

Reply = tuple[int, dict[str, str], bytes]


@pytest.fixture(autouse=True)
def _no_logins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "no logins"))
    for name in ("REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)


@contextmanager
def scripted(replies: list[Reply], asked: list[str]) -> Iterator[str]:
    """A server that gives these replies one after another, and the last one from then on."""

    class Handler(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            if self.path != "/v2/":  # only a look whether it speaks TLS
                asked.append(f"{self.command} {self.path}")
            status, headers, body = replies.pop(0) if len(replies) > 1 and self.path != "/v2/" else replies[0]
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                with suppress(OSError):
                    self.wfile.write(body)

        do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = _reply  # noqa: N815 - names of http.server

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def cutting(host: str, cuts: list[int]) -> Iterator[str]:
    """A line to a registry that breaks when a connection has sent so many bytes: once for each number."""
    name, _, port = host.partition(":")
    listener = socket.create_server(("127.0.0.1", 0))
    over: list[socket.socket] = [listener]

    def pump(source: socket.socket, sink: socket.socket, *, cut: bool) -> None:
        sent = 0
        with suppress(OSError):
            while data := source.recv(65536):
                sent += len(data)
                if cut and cuts and sent > cuts[0]:
                    cuts.pop(0)
                    break
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def accept() -> None:
        with suppress(OSError):
            while True:
                ours, _ = listener.accept()
                its = socket.create_connection((name, int(port)))
                over.extend((ours, its))
                threading.Thread(target=pump, args=(ours, its), kwargs={"cut": True}, daemon=True).start()
                threading.Thread(target=pump, args=(its, ours), kwargs={"cut": False}, daemon=True).start()

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        for one in over:
            one.close()


def door(host: str, pauses: list[float]) -> Door:
    return Door(host, pause=pauses.append)


def ask(host: str, pauses: list[float], tag: str = "m-1") -> str | None:
    with Registries(pause=pauses.append) as ours:
        return ours.digest(f"{host}/shop/one:{tag}")


def test_a_busy_registry_is_asked_again_after_the_time_that_it_names() -> None:
    asked: list[str] = []
    pauses: list[float] = []
    there = (200, {"Docker-Content-Digest": "sha256:abc"}, b"")
    with scripted([(429, {"Retry-After": "7"}, b""), (503, {}, b""), there], asked) as host:
        assert ask(host, pauses) == "sha256:abc"
    assert len(asked) == 3
    assert pauses[0] == 7.0
    assert 0.5 < pauses[1] < 4


def test_a_registry_that_stays_busy_is_given_up_with_its_words() -> None:
    asked: list[str] = []
    pauses: list[float] = []
    body = b'{"errors": [{"code": "TOOMANYREQUESTS", "message": "slow \\u001b[31mdown", "detail": "x"}]}'
    with scripted([(429, {}, body)], asked) as host, pytest.raises(RegistryError, match="HTTP 429"):
        ask(host, pauses)
    assert len(asked) == 6
    assert pauses == sorted(pauses) or max(pauses) <= 30


def test_without_a_digest_in_the_head_the_manifest_itself_is_hashed() -> None:
    asked: list[str] = []
    with scripted([(200, {}, b"{}"), (200, {}, b"{}")], asked) as host:
        assert ask(host, []) == f"sha256:{hashlib.sha256(b'{}').hexdigest()}"
    assert [line.split()[0] for line in asked] == ["HEAD", "GET"]


def test_nobody_listening_is_an_error_that_names_the_registry() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host = f"127.0.0.1:{listener.getsockname()[1]}"
    pauses: list[float] = []
    with pytest.raises(RegistryError, match=f"{host} cannot be reached"):
        ask(host, pauses)
    assert len(pauses) == 1


def test_a_login_is_not_sent_to_a_server_of_tokens_without_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    challenge = {"WWW-Authenticate": 'Bearer realm="http://tokens.example.com/token",service="x"'}
    with scripted([(401, challenge, b"")], asked) as host:
        (tmp_path / "config.json").write_text(f'{{"auths": {{"{host}": {{"username": "u", "password": "s3cret"}}}}}}')
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
        with pytest.raises(RegistryError, match="no server of tokens that can be trusted") as caught:
            ask(host, [])
    assert "s3cret" not in str(caught.value)


def test_an_upload_is_not_sent_where_there_is_no_tls() -> None:
    pauses: list[float] = []
    with scripted([(202, {"Location": "http://elsewhere.example.com/upload?token=s3cret"}, b"")], []) as host:
        one = door(host, pauses)
        with pytest.raises(RegistryError, match="leads to an address without TLS") as caught:
            one.ask("PATCH", "http://elsewhere.example.com/upload?token=s3cret", scopes=(), content=b"x")
        one.close()
    assert "s3cret" not in str(caught.value)


def test_an_answer_without_end_is_cut_off() -> None:
    with (
        scripted([(200, {}, b"x" * (5 << 20))], []) as host,
        pytest.raises(RegistryError, match="answers with more than 4 MiB"),
    ):
        ask(host, [])


def test_a_layer_that_lies_elsewhere_is_fetched_there(tmp_path: Path) -> None:
    image = oci.image({"amd64": [oci.layer({"/etc/a": (b"a", 0o644)}, "a")]}, {})
    (one,) = image.platforms
    (layer,) = one.layers
    with registries.registry(tmp_path / "registry") as registry:
        oci.push(f"{registry.host}/base:m-1", image, lambda _: None)
        stored = f"http://{registry.host}/v2/base/blobs"
        replies: list[Reply] = [
            (200, {}, one.manifest.data),
            (307, {"Location": f"{stored}/{one.config.digest}"}, b""),
            (302, {"Location": f"{stored}/{layer.digest}"}, b""),
            (307, {"Location": "http://store.example.com/layer?key=secret"}, b""),
        ]
        asked: list[str] = []
        with scripted(replies, asked) as host:
            base = oci.pull(f"{host}/base@{one.manifest.digest}", "amd64", lambda _: None)
            assert base.layers[0].data == layer.data
            with pytest.raises(RegistryError, match="leads to an address without TLS") as caught:
                base.layers[0].fetch()
    assert "secret" not in str(caught.value)
    assert [line.split("/")[3] for line in asked[:3]] == ["manifests", "blobs", "blobs"]


def test_an_upload_that_breaks_off_is_finished(tmp_path: Path) -> None:
    layer = oci.layer({"/goose": (os.urandom(3_000_000), 0o755)}, "goose")
    image = oci.image({"amd64": [layer]}, {})
    cuts, pauses = [1_000_000, 2_000_000], list[float]()
    with registries.registry(tmp_path / "r") as one, cutting(one.host, cuts) as host:
        with Registries(pause=pauses.append) as ours:
            assert ours.push(f"{host}/shop/one:m-1", image, lambda _line: None) == image.index.digest
        assert one.blob(layer.digest) == layer.data
        assert one.tags("shop/one") == ["m-1"]
    assert cuts == [], "both cuts were made"


def test_an_upload_that_always_breaks_off_leaves_no_tag(tmp_path: Path) -> None:
    image = oci.image({"amd64": [oci.layer({"/goose": (os.urandom(500_000), 0o755)}, "goose")]}, {})
    with (
        registries.registry(tmp_path / "r") as one,
        cutting(one.host, [100_000] * 50) as host,
        Registries(pause=lambda _seconds: None) as ours,
    ):
        with pytest.raises(RegistryError, match="broke off"):
            ours.push(f"{host}/shop/one:m-1", image, lambda _line: None)
        assert one.tags("shop/one") == []
