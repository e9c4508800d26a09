"""Real registries on loopback: Debian's docker-registry, without a login, with Basic, with tokens, and with TLS."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import trustme
import yaml
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tools.ports import any_port

__all__ = ["PASSWORD", "PROGRAM", "USER", "Registry", "TokenServer", "authority", "program", "registry", "tokens"]

PROGRAM = "docker-registry"  # Debian's package, and what it brings
USER, PASSWORD = "pusher", "correct horse"
HASHED = "$2b$04$M5OgYVqiMY3WVv2DYm0kmeIzk2nyjfJK8Dy2rbLSfhLoAmtLN3MEO"  # bcrypt of PASSWORD
TOKEN_LIFE = 300  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """A registry that answers: its name, where it keeps things, and its process."""

    host: str
    folder: Path
    process: subprocess.Popen[bytes]

    def tags(self, repository: str) -> list[str]:
        """The tags of a repository, as they lie on the disk."""
        place = self.folder / "docker" / "registry" / "v2" / "repositories" / repository / "_manifests" / "tags"
        return sorted(path.name for path in place.iterdir()) if place.is_dir() else []

    def blob(self, digest: str) -> bytes:
        """The bytes of a blob or manifest, as they lie on the disk."""
        name = digest.removeprefix("sha256:")
        return (self.folder / "docker" / "registry" / "v2" / "blobs" / "sha256" / name[:2] / name / "data").read_bytes()

    def requests(self) -> list[str]:
        """Every request since it started, ``METHOD PATH``, where it was to note them."""
        return re.findall(r'^127\.0\.0\.1 - - \[[^]]*\] "(\S+ \S+) ', (self.folder / "log").read_text(), re.MULTILINE)

    def login(self, folder: Path, **entry: str) -> Path:
        """A config.json for Docker with this registry's login."""
        auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text(json.dumps({"auths": {self.host: entry or {"auth": auth}}}))
        return folder


@dataclass(slots=True, kw_only=True)
class TokenServer:
    """Gives tokens to whoever brings the login, or the identity token, and notes what it was asked for."""

    realm: str = ""
    issuer: str = "tests"
    chain: list[str] = field(default_factory=list)  # x5c: the certificate of the key that signs
    asked: list[dict[str, Any]] = field(default_factory=list)
    given: list[str] = field(default_factory=list)


def program() -> str:
    """The registry's program; the test is skipped where there is none, and fails where CI=true."""
    found = shutil.which(PROGRAM)
    if not found:
        reason = f"a real registry: needs Debian's package {PROGRAM}"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    return found or ""


def authority() -> trustme.CA:
    """A certificate authority that nobody knows."""
    return trustme.CA()


@contextmanager
def registry(
    folder: Path, *, tls: trustme.CA | None = None, notes: bool = False, **auth: dict[str, Any]
) -> Iterator[Registry]:
    """Start a registry that keeps its files in that folder, and notes all requests where it is to.

    ``auth`` is its configuration of logins.
    """
    path, folder = program(), folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    settings: dict[str, Any] = {
        "version": 0.1,
        "log": {"level": "error", "accesslog": {"disabled": not notes}},
        "storage": {"filesystem": {"rootdirectory": str(folder)}, "delete": {"enabled": True}},
        "http": {"secret": "of the tests"},
    }
    if auth:
        settings["auth"] = auth
    verify: Any = True
    if tls:
        certificate = tls.issue_cert("localhost", "127.0.0.1")
        certificate.private_key_pem.write_to_path(folder / "key.pem")
        certificate.cert_chain_pems[0].write_to_path(folder / "certificate.pem")
        settings["http"]["tls"] = {"certificate": str(folder / "certificate.pem"), "key": str(folder / "key.pem")}
        tls.cert_pem.write_to_path(folder / "authority.pem")
        verify = ssl.create_default_context(cafile=str(folder / "authority.pem"))
    process, host = _started(path, folder, settings, "https" if tls else "http", verify)
    try:
        yield Registry(host=host, folder=folder, process=process)
    finally:
        process.kill()
        process.wait()


def _started(
    path: str, folder: Path, settings: dict[str, Any], scheme: str, verify: Any
) -> tuple[subprocess.Popen[bytes], str]:
    """A registry that answers, on a port that nobody took before it could."""
    for _ in range(5):
        host = f"127.0.0.1:{any_port()}"
        settings["http"]["addr"] = host
        (folder / "config.yml").write_text(yaml.safe_dump(settings))
        log = (folder / "log").open("ab")
        process = subprocess.Popen([path, "serve", str(folder / "config.yml")], stdout=log, stderr=log)
        log.close()
        deadline = time.monotonic() + 30
        with httpx.Client(verify=verify, trust_env=False) as client:
            while process.poll() is None and time.monotonic() < deadline:
                try:
                    client.get(f"{scheme}://{host}/v2/")
                except httpx.TransportError:
                    time.sleep(0.02)
                else:
                    return process, host
        process.kill()
        process.wait()
    raise AssertionError((folder / "log").read_text())


def basic(folder: Path) -> dict[str, Any]:
    """The configuration of a registry that wants the login."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "htpasswd").write_text(f"{USER}:{HASHED}\n")
    return {"htpasswd": {"realm": "tests", "path": str(folder / "htpasswd")}}


@contextmanager
def tokens(folder: Path) -> Iterator[tuple[TokenServer, dict[str, Any]]]:
    """Start a server of tokens; gives it, and the configuration of a registry that believes it."""
    folder.mkdir(parents=True, exist_ok=True)
    signer = trustme.CA(key_type=trustme.KeyType.ECDSA).issue_cert("tests", key_type=trustme.KeyType.ECDSA)
    leaf = signer.cert_chain_pems[0].bytes()
    (folder / "signer.pem").write_bytes(leaf)
    state = TokenServer(chain=["".join(leaf.decode().splitlines()[1:-1])])
    key = serialization.load_pem_private_key(signer.private_key_pem.bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    with ExitStack() as closing:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(state, key))
        closing.callback(server.server_close)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        closing.callback(thread.join)
        closing.callback(server.shutdown)
        state.realm = f"http://127.0.0.1:{server.server_port}/token"
        yield (
            state,
            {
                "token": {
                    "realm": state.realm,
                    "service": "registry of the tests",
                    "issuer": state.issuer,
                    "rootcertbundle": str(folder / "signer.pem"),
                }
            },
        )


def _handler(state: TokenServer, key: ec.EllipticCurvePrivateKey) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            state.asked.append({"method": "GET", **query})
            wanted = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            self._answer(query.get("scope", []), welcome=self.headers.get("Authorization") == f"Basic {wanted}")

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            state.asked.append({"method": "POST", **form})
            scopes = form.get("scope", [""])[0].split()
            self._answer(scopes, welcome=form.get("refresh_token") == [PASSWORD])

        def _answer(self, scopes: list[str], *, welcome: bool) -> None:
            body: dict[str, Any] = {"errors": [{"code": "UNAUTHORIZED"}]}
            if welcome:
                state.given.append(_token(state, key, scopes))
                body = {"token": state.given[-1]}
            data = json.dumps(body).encode()
            self.send_response(200 if welcome else 401)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


def _token(state: TokenServer, key: ec.EllipticCurvePrivateKey, scopes: list[str]) -> str:
    """A JSON Web Token as the registry wants it (distribution, spec/auth/jwt)."""
    access = []
    for scope in scopes:
        kind, name, actions = scope.split(":")
        access.append({"type": kind, "name": name, "actions": actions.split(",")})
    now = int(time.time())
    claims = {
        "iss": state.issuer,
        "sub": USER,
        "aud": "registry of the tests",
        "exp": now + TOKEN_LIFE,
        "nbf": now - 5,
        "iat": now,
        "jti": str(now),
        "access": access,
    }
    head = {"typ": "JWT", "alg": "ES256", "x5c": state.chain}
    signed = ".".join(_encoded(json.dumps(part).encode()) for part in (head, claims))
    first, second = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signed}.{_encoded(first.to_bytes(32, 'big') + second.to_bytes(32, 'big'))}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
