"""Argo CD's answers gone wrong, lost, or of another form: one error with a way out, and nothing sent twice."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from schemas.errors import ArgoBusy, ArgoError, ArgoUnsure
from tests.argocd_standin.server import TOKEN, Fault, World, recorded
from tests.tools.argocd import COMMIT, fixture_pauses, fixture_server, fixture_world
from tools.argocd import Login, Server

__all__ = ["fixture_pauses", "fixture_server", "fixture_world"]


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


def test_nobody_listening_is_told_with_the_server(pauses: list[float]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    one = Server(Login(f"http://127.0.0.1:{port}", TOKEN, "X"), pause=pauses.append)
    with pytest.raises(ArgoError, match=f"127.0.0.1:{port} cannot be reached"):
        one.application("cart-dev")
    with pytest.raises(ArgoError, match="cannot be reached"):  # and not: nobody knows whether it was done
        one.sync("cart-dev", COMMIT, {})
    one.close()
