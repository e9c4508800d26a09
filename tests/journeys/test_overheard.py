"""No request goes to a server that services.yaml does not name, whatever a values file, an answer or a machine says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.argocd_standin.controller import acting, picks_up, well
from tests.argocd_standin.server import TOKEN, Fault
from tests.journeys.conftest import answer
from tests.journeys.syncing import LOGS
from tests.journeys.wrong import job_wrong
from tests.journeys.yard import Yard, fixture_well, fixture_yard
from tests.playground import git

__all__ = ["fixture_well", "fixture_yard"]

STRANGE = "registry.nobody-named.example"
PROXIES = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")


def overheard(
    yard: Yard, folder: Path, *words: str, **variables: str
) -> tuple[subprocess.CompletedProcess[str], set[str]]:
    """What a command says, and whom it turned to."""
    file = folder / "heard"
    file.write_text("")
    command = [sys.executable, "-W", "error", "-m", "tests.overheard", str(file), *words]
    done = answer(command, {**yard.mono.environment, **yard.variables, **variables})
    assert TOKEN not in done.stdout + done.stderr
    return done, set(file.read_text().splitlines())


def test_every_word_of_a_release_turns_to_argo_cd_alone_and_a_proxy_gets_no_token_of_this_machine(
    yard: Yard, tmp_path: Path
) -> None:
    for words in (("verify:shop@dev", "format=json"), ("logs:shop@dev",), ("history:shop@dev",), ("status@dev",)):
        done, heard = overheard(yard, tmp_path, *words, **PROXIES)
        assert done.returncode == 0, (words, done.stderr)
        assert heard == {yard.world.host}, words
    yard.world.sent.clear()
    acting(yard.world, [picks_up, well(LOGS)])
    done, heard = overheard(yard, tmp_path, "run", "-a", "-s", "sync:shop@dev", **PROXIES)
    assert (heard, len(yard.world.sent)) == ({yard.world.host}, 1), done.stderr


def test_a_node_that_names_another_digest_has_the_registry_of_services_yaml_asked(yard: Yard, tmp_path: Path) -> None:
    job_wrong(yard.place)
    done, heard = overheard(yard, tmp_path, "verify:shop@dev")
    assert (done.returncode, heard) == (1, {yard.world.host})
    assert "the Job ran another image" in done.stderr
    assert "GET " in yard.world.asked, "which is no question to Argo CD"


@pytest.mark.parametrize("words", [("verify:shop@dev",), ("run", "-s", "sync:shop@dev"), ("status@dev",)])
def test_a_registry_that_a_values_file_names_and_services_yaml_does_not_is_never_asked(
    yard: Yard, words: tuple[str, ...], tmp_path: Path
) -> None:
    root = yard.mono.root
    yard.world.sent.clear()
    image = yard.image.replace(yard.world.host, STRANGE)
    (root / "services" / "shop" / "values.yaml").write_text(f"migrations:\n  image: {image}\n")
    git(root, "commit", "--quiet", "-am", f"by hand\n\nImage: {image}\nCommit: {yard.before}")
    git(root, "push", "--quiet", "origin", "HEAD:main")
    yard.world.applications["shop-dev"]["status"]["operationState"]["syncResult"]["revision"] = git(
        root, "rev-parse", "HEAD"
    ).strip()
    for held in (yard.world.jobs, yard.world.pods):
        for one in held.values():
            spec = one["spec"].get("template", one)["spec"]
            spec["containers"][0]["image"] = image
    job_wrong(yard.place)
    try:
        done, heard = overheard(yard, tmp_path, *words)
    finally:
        git(root, "reset", "--quiet", "--hard", yard.promoted)
        git(root, "push", "--quiet", "--force", "origin", "HEAD:main")
    assert heard <= {yard.world.host}
    assert yard.world.sent == []
    if words != ("status@dev",):
        assert (
            f"dev has an image of {STRANGE}/shop/shop, and services.yaml names {yard.world.host}/shop/shop"
            in done.stderr
        )
        assert "→ doit promote:shop@dev" in done.stderr


def test_a_redirect_is_not_followed(yard: Yard, tmp_path: Path) -> None:
    yard.world.faults.append(Fault(status=307, headers={"Location": f"https://{STRANGE}/api/v1/applications/shop-dev"}))
    done, heard = overheard(yard, tmp_path, "verify:shop@dev")
    assert (done.returncode, heard) == (1, {yard.world.host})
    assert "sends us elsewhere, and the token is not sent there" in done.stderr
