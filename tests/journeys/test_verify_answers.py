"""`doit verify` of an Argo CD that lies, fails, or is not heard: the verdict that fits, and no secret shown."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from schemas.errors import GanderError
from tests.argocd_standin.server import TOKEN, Fault
from tests.journeys.yard import Yard, fixture_well, fixture_yard

__all__ = ["fixture_well", "fixture_yard"]


FAULTS: dict[str, tuple[Fault, bool]] = {  # and whether a repeat gets over it
    "connection reset": (Fault(reset=True, times=1), True),
    "connection always reset": (Fault(reset=True), False),
    "401": (Fault(status=401), False),
    "403": (Fault(status=403), False),
    "409": (Fault(status=409), False),
    "429 once": (Fault(status=429, times=1), True),
    "500 once": (Fault(status=500, times=1), True),
    "503": (Fault(status=503), False),
    "truncated JSON": (Fault(cut=40), False),
    "a login page": (Fault(status=200, body=b"<html>"), False),
    "an empty object": (Fault(status=200, body=b"{}"), False),
}
PLACES = ("GET applications/shop-dev", "/resource-tree", "/resource", "/logs")


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("name", FAULTS)
def test_an_argo_cd_that_answers_badly_is_got_over_or_verifies_nothing(
    yard: Yard, name: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.patience.Patience._delay", lambda *_: 0.0)
    fault, over = deepcopy(FAULTS[name])
    fault.on = where
    yard.world.faults.append(fault)
    if over:
        assert yard.verify(monkeypatch).summary.startswith("verified")
        return
    with pytest.raises(GanderError) as caught:
        yard.verify(monkeypatch)
    assert TOKEN not in str(caught.value) + "".join(yard.said.lines)


def test_no_secret_is_written_or_shown_anywhere(yard: Yard, tmp_path: Path) -> None:
    shown = []
    for words in (("verify:shop@dev",), ("verify:shop@dev", "format=json"), ("logs:shop@dev",), ("history:shop@dev",)):
        done = yard.mono.doit(
            *words, *((f"evidence={tmp_path}/kept",) if "verify" in words[0] else ()), **yard.variables
        )
        shown.append(done.stdout + done.stderr)
    yard.world.faults.append(Fault(status=500, body=f'{{"message": "echo {TOKEN}"}}'.encode()))
    done = yard.mono.doit("verify:shop@dev", **yard.variables)
    assert done.returncode == 1
    shown.append(done.stdout + done.stderr)
    files = [file for folder in (yard.mono.root, tmp_path) for file in folder.rglob("*") if file.is_file()]
    assert any(file.name == "state.db" for file in files)
    password = urlsplit(yard.url).password
    assert password
    for secret in (TOKEN, password):
        assert not [text for text in shown if secret in text]
        assert not [file for file in files if secret.encode() in file.read_bytes()]
