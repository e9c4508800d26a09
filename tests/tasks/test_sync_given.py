"""Which image an Application would be rendered with, whoever says so, with a real git."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.application import Application, application
from schemas.catalog import Environment
from schemas.errors import Refused
from schemas.target import Target
from tasks.promote.site import Site
from tasks.sync.given import refuse
from tests.argocd_standin.server import recorded
from tests.playground import SETTINGS, git
from tools.git.remote import Remote
from tools.git.repository import Repository

SHOWN = "registry.example.com/cart:m-1@sha256:1"
OTHER = "registry.example.com/cart:m-2@sha256:2"
HELM = "services/cart/helm"
MINE = f"{HELM}/values-prod.yaml"
SAYS: dict[str, Any] = {"migrations": {"image": SHOWN}}
ELSE: dict[str, Any] = {"migrations": {"image": OTHER}}
BOTH = {"valueFiles": ["values-prod.yaml", "more.yaml"]}
PARAMETER = {"name": "migrations.image", "value": OTHER}


@pytest.fixture(name="place")
def fixture_place(tmp_path: Path) -> Site:
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    for name, value in SETTINGS.items():
        git(tmp_path, "config", name, value)
    return Site(
        target=Target(step="sync", service="cart", environment="prod"),
        environment=Environment(name="prod", servers={}),
        remote=Remote(Repository(tmp_path), "origin", ""),
        branch="main",
        file=MINE,
        key="migrations.image",
        by_request=False,
    )


def refused(place: Site, helm: dict[str, Any], files: dict[str, Any]) -> str:
    """What is said against a commit with these files; empty where nothing is."""
    root = place.remote.repository.root
    for path, document in {MINE: SAYS, **files}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(document if isinstance(document, str) else yaml.safe_dump(document))
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "x")
    found = recorded("succeeded")
    found["metadata"]["name"] = "cart-prod"
    found["spec"]["source"] = {"path": HELM, "repoURL": "x", "helm": helm}
    there: Application = application(json.loads(json.dumps(found)))
    try:
        refuse(place, there, git(root, "rev-parse", "HEAD").strip(), SHOWN)
    except Refused as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("helm", "files", "where"),
    [
        ({"valueFiles": ["values-dev.yaml"]}, {f"{HELM}/values-dev.yaml": ELSE}, f"{HELM}/values-dev.yaml"),
        (BOTH, {f"{HELM}/more.yaml": ELSE}, f"{HELM}/more.yaml"),
        ({"valueFiles": ["values-prod.yaml", "/hot.yaml"]}, {"hot.yaml": ELSE}, "hot.yaml"),
        ({}, {f"{HELM}/values.yaml": {"migrations": {"image": ""}}}, f"{HELM}/values.yaml"),
        ({**BOTH, "parameters": [PARAMETER]}, {}, "Application cart-prod: helm.parameters"),
        ({**BOTH, "valuesObject": ELSE}, {}, "Application cart-prod: helm.valuesObject"),
        ({**BOTH, "values": yaml.safe_dump(ELSE)}, {}, "Application cart-prod: helm.values"),
        (
            BOTH,
            {f"{HELM}/.argocd-source-cart-prod.yaml": {"helm": {"parameters": [PARAMETER]}}},
            ".argocd-source-cart-prod.yaml: helm.parameters",
        ),
    ],
    ids=[
        "another environment's values file",
        "a values file after it",
        "a values file from the top",
        "the chart's own values, where it takes no file",
        "a parameter",
        "an object of values",
        "a text of values",
        "what an image updater writes",
    ],
)
def test_an_application_that_takes_another_image_than_was_shown_is_refused(
    place: Site, helm: dict[str, Any], files: dict[str, Any], where: str
) -> None:
    said = refused(place, helm, files)
    assert where in said
    assert SHOWN in said
    assert "doit sync:cart@prod" in said


@pytest.mark.parametrize(
    ("helm", "files"),
    [
        (BOTH, {f"{HELM}/values.yaml": ELSE}),
        (BOTH, {f"{HELM}/more.yaml": {"migrations": {"tag": "x"}}}),
        ({"valueFiles": ["values-dev.yaml"], "valuesObject": SAYS}, {f"{HELM}/values-dev.yaml": ELSE}),
        ({"valueFiles": ["values-dev.yaml", "values-prod.yaml"]}, {f"{HELM}/values-dev.yaml": ELSE}),
        ({"valueFiles": ["gone.yaml"]}, {}),
        ({"valueFiles": ["values-dev.yaml", "more-*.yaml"]}, {f"{HELM}/values-dev.yaml": ELSE}),
        (BOTH, {f"{HELM}/more.yaml": "{{ not YAML"}),
        ({**BOTH, "parameters": [{"name": "replicas", "value": "2"}]}, {}),
        (BOTH, {f"{HELM}/.argocd-source.yaml": "helm: &all {more: *all}"}),
        (BOTH, {f"{HELM}/.argocd-source.yaml": {"helm": {"valueFiles": 5, "values": [1], "parameters": 5}}}),
    ],
    ids=[
        "its file counts more than the chart's own values",
        "a file after it speaks of something else",
        "an object of values says the same",
        "its file is the last",
        "nobody knows of any",
        "nobody knows which files those are",
        "a file that nobody can read",
        "a parameter of something else",
        "a source that holds itself",
        "a source of no such form",
    ],
)
def test_what_says_the_same_or_cannot_be_told_is_not_refused(
    place: Site, helm: dict[str, Any], files: dict[str, Any]
) -> None:
    assert refused(place, helm, files) == ""
