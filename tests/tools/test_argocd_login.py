"""What the argocd CLI has written down of its logins, and what of it a release goes by."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.catalog import ArgoCD
from schemas.errors import ArgoError
from tests import registries
from tests.argocd_standin.release import released
from tests.argocd_standin.server import TOKEN, serving
from tools.argocd import Server, login

HOST = "argo.example.com"


@pytest.fixture(name="home", autouse=True)
def fixture_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in which nobody is logged in."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("ARGOCD_SERVER", "ARGOCD_AUTH_TOKEN", "ARGOCD_CONFIG_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def logged_in(home: Path, server: str = HOST, **more: Any) -> None:
    """What `argocd login` leaves: a context, its server and its user."""
    written = {
        "current-context": "one",
        "contexts": [{"name": "one", "server": server, "user": "one"}],
        "servers": [{"server": "another.example.com", "core": True}, {"server": server, **more}],
        "users": [{"name": "one", "auth-token": TOKEN, "refresh-token": "another"}],
    }
    (home / ".config" / "argocd").mkdir(parents=True)
    (home / ".config" / "argocd" / "config").write_text(yaml.safe_dump(written))


@pytest.mark.parametrize(
    ("server", "more", "url"),
    [
        (HOST, {}, "https://argo.example.com"),
        (HOST, {"grpc-web": True, "grpc-web-root-path": ""}, "https://argo.example.com"),
        (HOST, {"grpc-web-root-path": "/tools/argocd/"}, "https://argo.example.com/tools/argocd"),
        (f"{HOST}:8443", {"grpc-web-root-path": "argocd", "insecure": True}, "https://argo.example.com:8443/argocd"),
        ("127.0.0.1:8080", {"plain-text": True}, "http://127.0.0.1:8080"),
    ],
)
def test_the_server_of_the_current_context_is_reached_as_the_cli_reaches_it_and_always_by_checked_tls(
    home: Path, server: str, more: dict[str, Any], url: str
) -> None:
    logged_in(home, server, **more)
    assert tuple(login(ArgoCD("a")))[:2] == (url, TOKEN)


def test_a_server_of_services_yaml_is_taken_as_it_stands_there(home: Path) -> None:
    logged_in(home, **{"grpc-web-root-path": "argocd"})
    assert login(ArgoCD("a", f"{HOST}/other")).url == "https://argo.example.com/other"


@pytest.mark.parametrize("named", [HOST, f"{HOST}:443", HOST.upper(), f"https://{HOST}:443/argocd"])
def test_the_token_is_found_however_the_same_server_is_written(home: Path, named: str) -> None:
    logged_in(home)
    assert login(ArgoCD("a", named)).token == TOKEN


@pytest.mark.parametrize("named", [f"{HOST}:8443", f"x.{HOST}", "argo.example.org", f"{HOST}.evil.example"])
def test_a_token_is_for_its_server_alone(home: Path, named: str) -> None:
    logged_in(home)
    with pytest.raises(ArgoError, match="there is no token for"):
        login(ArgoCD("a", named))


@pytest.mark.parametrize(
    ("server", "more", "says"),
    [
        ("kubernetes", {"core": True}, "talks to Kubernetes alone"),
        ("port-forward", {}, "forwards a port by itself"),
        (HOST, {"plain-text": True}, "is named without TLS"),
    ],
)
def test_a_context_that_names_no_server_of_an_api_is_told(
    home: Path, server: str, more: dict[str, Any], says: str
) -> None:
    logged_in(home, server, **more)
    with pytest.raises(ArgoError) as caught:
        login(ArgoCD("a"))
    assert says in str(caught.value)
    assert "argocd: {server: " in caught.value.todo
    assert TOKEN not in str(caught.value)


def test_the_authority_that_the_cli_knows_of_a_server_is_believed_for_that_server_alone(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    authority = registries.authority()
    with serving(authority) as world, serving(authority) as other:
        for one in (world, other):
            released(one, "cart-dev", image="a", revision="0" * 40, logs={})
        pem = base64.b64encode(authority.cert_pem.bytes()).decode()
        logged_in(home, world.host, **{"certificate-authority-data": pem})
        known = Server(login(ArgoCD("a")))
        assert known.application("cart-dev").name == "cart-dev"
        known.close()
        monkeypatch.setenv("ARGOCD_AUTH_TOKEN", TOKEN)
        stranger = Server(login(ArgoCD("a", other.url)), pause=lambda _: None)
        with pytest.raises(ArgoError, match="is not trusted"):
            stranger.application("cart-dev")
        assert other.asked == []
        stranger.close()


@pytest.mark.parametrize("data", ["%%%", base64.b64encode(b"no certificate").decode()])
def test_an_authority_that_is_none_is_told(home: Path, data: str) -> None:
    logged_in(home, **{"certificate-authority-data": data})
    with pytest.raises(ArgoError, match="is no certificate"):
        Server(login(ArgoCD("a")))
