"""Which Argo CD is asked, with whose token, and to whom that token never goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.catalog import ArgoCD
from schemas.errors import ArgoError
from tests import registries
from tests.argocd_standin.release import released
from tests.argocd_standin.server import TOKEN, serving
from tests.tools.argocd import COMMIT, IMAGE
from tools.argocd import Login, Server, login


def test_only_a_trusted_certificate_is_given_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = registries.authority()
    with serving(authority) as world:
        released(world, "cart-dev", image=IMAGE, revision=COMMIT, logs={})
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
            monkeypatch.delenv(name, raising=False)
        stranger = Server(Login(world.url, TOKEN, "X"), pause=lambda _: None)
        with pytest.raises(ArgoError, match="is not trusted") as caught:
            stranger.application("cart-dev")
        assert "SSL_CERT_FILE" in caught.value.todo
        assert world.asked == []
        stranger.close()
        authority.cert_pem.write_to_path(tmp_path / "authority.pem")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
        known = Server(Login(world.url, TOKEN, "X"))
        assert known.application("cart-dev").name == "cart-dev"
        known.close()


@pytest.fixture(name="alone")
def fixture_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in which nobody is logged in."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("ARGOCD_SERVER", "ARGOCD_AUTH_TOKEN", "ARGOCD_CONFIG_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


CONFIG = """
current-context: two
contexts:
- {name: one, server: argo.example.com, user: one}
- {name: two, server: "other.example.com:8443/argo", user: two}
users:
- {name: one, auth-token: token-of-one}
- {name: two, auth-token: token-of-two}
"""


def test_the_server_and_the_token_come_from_services_yaml_then_variables_then_the_clis_file(
    alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (alone / ".config" / "argocd").mkdir(parents=True)
    (alone / ".config" / "argocd" / "config").write_text(CONFIG)
    assert tuple(login(ArgoCD("a")))[:2] == ("https://other.example.com:8443/argo", "token-of-two")
    assert tuple(login(ArgoCD("a", "argo.example.com")))[:2] == ("https://argo.example.com", "token-of-one")
    monkeypatch.setenv("ARGOCD_SERVER", "third.example.com")
    monkeypatch.setenv("ARGOCD_AUTH_TOKEN", "token-of-a-variable")
    assert tuple(login(ArgoCD("a")))[:3] == ("https://third.example.com", "token-of-a-variable", "ARGOCD_AUTH_TOKEN")
    monkeypatch.setenv("OTHER", "token-of-another")
    assert tuple(login(ArgoCD("a", "argo.example.com", "OTHER")))[:3] == (
        "https://argo.example.com",
        "token-of-another",
        "OTHER",
    )


def test_without_a_server_or_a_token_it_says_what_to_set(alone: Path) -> None:
    with pytest.raises(ArgoError, match="nobody says where Argo CD is"):
        login(ArgoCD("a"))
    with pytest.raises(ArgoError, match=r"there is no token for argo\.example\.com") as caught:
        login(ArgoCD("a", "argo.example.com", "SHOP_TOKEN"))
    assert "export SHOP_TOKEN=TOKEN" in caught.value.todo
    assert str(alone) in caught.value.why


@pytest.mark.parametrize("server", ["http://argo.example.com", "http://10.0.0.1:8080"])
def test_a_token_never_goes_in_clear_to_another_machine(
    alone: Path, monkeypatch: pytest.MonkeyPatch, server: str
) -> None:
    monkeypatch.setenv("ARGOCD_AUTH_TOKEN", TOKEN)
    with pytest.raises(ArgoError, match="without TLS"):
        login(ArgoCD("a", server))
    assert login(ArgoCD("a", "http://127.0.0.1:8080")).url == "http://127.0.0.1:8080"
    assert alone


@pytest.mark.parametrize("server", ["ftp://a.example.com", "https://", "https://u:p@a.example.com", "a.example.com:x"])
def test_an_address_that_is_none_is_refused(alone: Path, server: str) -> None:
    with pytest.raises(ArgoError, match="cannot be used"):
        login(ArgoCD("a", server))
    assert alone


@pytest.mark.parametrize(
    "text", ["users: [", "- a", "contexts: {}", "users: 1\ncontexts: [{name: x, server: h, user: u}]"]
)
def test_a_broken_file_of_the_cli_is_named_and_its_text_is_not_shown(alone: Path, text: str) -> None:
    (alone / ".argocd").mkdir()
    (alone / ".argocd" / "config").write_text(f"{text}\ncurrent-context: x\n# s3cret")
    with pytest.raises(ArgoError) as caught:
        login(ArgoCD("a", "h"))
    assert "is no file of argocd's logins" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_token_shows_in_no_text_of_the_login() -> None:
    one = Login("https://argo.example.com", TOKEN, "X")
    assert TOKEN not in f"{one} {one!r}"
