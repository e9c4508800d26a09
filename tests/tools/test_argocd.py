"""Argo CD, asked over a stand-in whose answers were recorded; and its answers gone wrong."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.catalog import ArgoCD
from schemas.errors import ArgoBusy, ArgoError, ArgoUnsure
from tests import registries
from tests.argocd_standin.release import released
from tests.argocd_standin.server import TOKEN, Fault, World, recorded, serving
from tools.argocd import Login, Server, login

COMMIT = "74de4fa726a32a125f73af5cb25606d9f5cf63c2"
IMAGE = f"registry.example.com/shop/cart:m-0123456789abcdef@sha256:{'a' * 64}"
LOG = "2026/11/23 04:56:47 goose: no migrations to run. current version: 1"


@pytest.fixture(name="world")
def fixture_world() -> Iterator[World]:
    with serving() as world:
        released(world, "cart-dev", image=IMAGE, revision=COMMIT, logs={"cart-migrate": LOG})
        yield world


@pytest.fixture(name="pauses")
def fixture_pauses() -> list[float]:
    return []


@pytest.fixture(name="server")
def fixture_server(world: World, pauses: list[float]) -> Iterator[Server]:
    one = Server(Login(world.url, TOKEN, "ARGOCD_AUTH_TOKEN"), pause=pauses.append, patience=0.5)
    yield one
    one.close()


def test_an_application_is_read_with_its_operation_and_the_hook(server: Server) -> None:
    found = server.application("cart-dev")
    assert found.state is not None
    assert (found.state.phase, found.state.revisions, found.state.request.run) == ("Succeeded", (COMMIT,), "run-1")
    assert [(row.name, row.phase) for row in found.state.rows if row.hook == "PreSync"] == [
        ("cart-migrate", "Succeeded")
    ]
    assert not found.automated
    assert found.pending is None


def test_a_job_its_pods_and_their_logs_are_read_as_they_are_in_the_cluster(server: Server) -> None:
    job = server.job("cart-dev", "auth", "cart-migrate")
    assert job is not None
    assert (job.complete, job.images) == (True, (IMAGE,))
    (pod,) = server.pods("cart-dev", "auth", job.uid)
    assert pod.containers[0].digest == f"sha256:{'a' * 64}"
    assert server.log("cart-dev", "auth", pod.name, "migrate").text == LOG


def test_a_job_that_is_not_there_is_none_and_pods_of_another_job_are_not_its(server: Server) -> None:
    assert server.job("cart-dev", "auth", "gone") is None
    assert server.pods("cart-dev", "auth", "another uid") == ()


def test_a_sync_is_of_one_whole_commit_with_all_hooks_and_says_whose_it_is(server: Server, world: World) -> None:
    server.sync("cart-dev", COMMIT, {"gander-run": "run-2"})
    (sent,) = world.sent
    assert sent == {
        "revision": COMMIT,
        "prune": False,
        "dryRun": False,
        "strategy": {"hook": {}},
        "infos": [{"name": "gander-run", "value": "run-2"}],
    }
    found = server.application("cart-dev")
    assert found.pending is not None
    assert found.pending.run == "run-2"
    assert found.state is None


def test_what_changes_something_without_a_body_says_that_it_is_json_too(server: Server) -> None:
    with pytest.raises(ArgoError) as raised:
        server.terminate("cart-dev")
    assert "No operation is in progress" in raised.value.why, "read, and not turned away for its form"


@pytest.mark.parametrize("name", ["main", COMMIT[:12], "HEAD"])
def test_nothing_but_a_whole_commit_is_ever_synced(server: Server, world: World, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        server.sync("cart-dev", name, {})
    assert world.sent == []


def test_another_operation_and_automated_sync_are_in_the_way(server: Server, world: World) -> None:
    server.sync("cart-dev", COMMIT, {})
    with pytest.raises(ArgoBusy, match="cannot be changed now") as caught:
        server.sync("cart-dev", COMMIT, {})
    assert "another operation is already in progress" in caught.value.why
    world.applications["cart-dev"].pop("operation")
    world.applications["cart-dev"]["spec"]["syncPolicy"]["automated"] = {}
    with pytest.raises(ArgoBusy) as caught:
        server.sync("cart-dev", COMMIT, {})
    assert "auto-sync currently set to main" in caught.value.why


@pytest.mark.parametrize(
    ("policy", "on"),
    [
        (None, False),
        ({}, False),
        ({"automated": None}, False),
        ({"automated": {}}, True),
        ({"automated": {"enabled": None}}, True),
        ({"automated": {"enabled": True}}, True),
        ({"automated": {"prune": True, "selfHeal": True}}, True),
        ({"automated": {"enabled": False, "prune": True}}, False),
    ],
)
def test_automated_sync_in_every_spelling(server: Server, world: World, policy: object, on: bool) -> None:  # noqa: FBT001
    world.applications["cart-dev"]["spec"]["syncPolicy"] = policy
    assert server.application("cart-dev").automated is on


@pytest.mark.parametrize(
    ("fault", "says", "todo"),
    [
        (Fault(status=401, body=json.dumps(recorded("answer_401")).encode()), "does not take the token of", "renew it"),
        (Fault(status=403, body=json.dumps(recorded("answer_403")).encode()), "does not allow it", "get and sync"),
        (Fault(status=404), "has no Application cart-dev", "services.yaml"),
        (Fault(status=409), "cannot be changed now", "again in a while"),
        (Fault(status=429, headers={"Retry-After": "3"}), "HTTP 429", "again in a while"),
        (Fault(status=500), "HTTP 500", "again in a while"),
        (Fault(status=503), "HTTP 503", "again in a while"),
        (Fault(status=302, headers={"Location": "https://login.example.com/?token=x"}), "elsewhere", "services.yaml"),
        (Fault(status=200, body=b"<html>log in</html>"), "something else than JSON", "login page"),
        (Fault(status=200, body=b"[1, 2]"), "what we do not understand", "run it again"),
        (Fault(status=200, body=b'{"metadata": {"name": "cart-dev"}}'), "what we do not understand", "run it again"),
        (Fault(reset=True), "cannot be reached", "check the network"),
        (Fault(cut=10), "cannot be reached", "check the network"),
        (Fault(dribble=0.05), "cannot be reached", "check the network"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_answer_gone_wrong_is_one_error_with_a_way_out(
    server: Server, world: World, fault: Fault, says: str, todo: str
) -> None:
    world.faults.append(fault)
    with pytest.raises(ArgoError, match=says) as caught:
        server.application("cart-dev")
    assert todo in caught.value.todo
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    "fault",
    [Fault(status=429), Fault(status=500), Fault(status=503), Fault(reset=True), Fault(cut=10)],
    ids=["429", "500", "503", "reset", "cut"],
)
def test_a_question_is_asked_again(server: Server, world: World, pauses: list[float], fault: Fault) -> None:
    fault.times = 2
    world.faults.append(fault)
    assert server.application("cart-dev").name == "cart-dev"
    assert world.asked == ["GET applications/cart-dev"] * 3
    assert len(pauses) == 2


@pytest.mark.parametrize(
    "fault",
    [Fault(status=500, after=True), Fault(status=503), Fault(reset=True, after=True), Fault(cut=10)],
    ids=["500", "503", "reset", "cut"],
)
def test_a_sync_whose_answer_is_lost_is_not_sent_twice(server: Server, world: World, fault: Fault) -> None:
    world.faults.append(fault)
    with pytest.raises(ArgoUnsure, match="nobody knows whether"):
        server.sync("cart-dev", COMMIT, {})
    assert world.asked == ["POST applications/cart-dev/sync"]


def test_a_sync_that_was_turned_away_unread_is_sent_again(server: Server, world: World, pauses: list[float]) -> None:
    world.faults.append(Fault(status=429, headers={"Retry-After": "7"}, times=1))
    server.sync("cart-dev", COMMIT, {})
    assert pauses == [7.0]
    assert world.applications["cart-dev"]["operation"]["sync"]["revision"] == COMMIT


def test_a_closed_sync_window_is_told_as_one(server: Server, world: World) -> None:
    words = {"code": 7, "message": "cannot sync: blocked by sync window"}
    world.faults.append(Fault(status=403, body=json.dumps(words).encode()))
    with pytest.raises(ArgoBusy, match="a sync window keeps Application cart-dev closed"):
        server.sync("cart-dev", COMMIT, {})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"phase": "Finished"}, "'Finished', which is none that we know"),
        ({"phase": None}, "phase is missing"),
        ({"startedAt": "yesterday"}, "is no time: 'yesterday'"),
        ({"startedAt": "2026-11-23T04:56:45"}, "is no time"),
        ({"retryCount": True}, "should be a number"),
        ({"operation": []}, "is a list, and should be an object"),
        ({"syncResult": {"resources": [{"kind": 1}]}}, "resources[0].kind is a number"),
    ],
)
def test_a_document_of_another_form_is_never_guessed_at(
    server: Server, world: World, change: dict[str, Any], says: str
) -> None:
    world.state("cart-dev").update(change)
    with pytest.raises(ArgoError) as caught:
        server.application("cart-dev")
    assert says in caught.value.why


def test_sync_windows_that_do_not_say_whether_they_are_open_are_not_guessed_at(server: Server, world: World) -> None:
    assert server.windows("cart-dev").open
    world.windows = {"activeWindows": []}
    with pytest.raises(ArgoError) as caught:
        server.windows("cart-dev")
    assert "canSync is missing" in caught.value.why


def test_only_an_event_of_pods_that_are_not_made_says_why_there_are_none(server: Server, world: World) -> None:
    job = server.job("cart-dev", "auth", "cart-migrate")
    assert job is not None
    world.events = [{"reason": "SuccessfulCreate", "message": "Created pod"}]
    assert not server.refused("cart-dev", job)
    world.events.append({"reason": "FailedCreate", "message": "exceeded quota"})
    assert server.refused("cart-dev", job) == "exceeded quota"


def test_an_operation_is_ended_and_where_none_runs_that_is_told(server: Server, world: World) -> None:
    server.sync("cart-dev", COMMIT, {})
    world.applications["cart-dev"]["status"]["operationState"] = recorded("picked_up")["status"]["operationState"]
    server.terminate("cart-dev")
    assert server.application("cart-dev").pending is None
    with pytest.raises(ArgoError) as caught:
        server.terminate("cart-dev")
    assert "No operation is in progress" in caught.value.why


def test_nobody_listening_is_told_with_the_server(pauses: list[float]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    one = Server(Login(f"http://127.0.0.1:{port}", TOKEN, "X"), pause=pauses.append)
    with pytest.raises(ArgoError, match=f"127.0.0.1:{port} cannot be reached"):
        one.application("cart-dev")
    with pytest.raises(ArgoError, match="cannot be reached"):  # and not: nobody knows whether it was done
        one.sync("cart-dev", COMMIT, {})
    one.close()


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
