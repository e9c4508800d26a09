"""Which Applications deploy a service, and how they have its chart rendered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.catalog import ArgoCD, Environment, Service, Values
from schemas.manifest import Manifest, manifests
from tasks.lint.applications import deploying, deployment, indexed

CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parents[1] / "cases" / "applications.yaml").read_text())
CHART = "services/shop/helm"
SHOP = Service(
    name="shop",
    folder="services/shop",
    migration_job=f"{CHART}/templates/migration-job.yaml",
    image="registry.example.com/shop",
    databases=(),
)
DEV = Environment(
    name="dev",
    servers={},
    namespace="shop",
    argocd=ArgoCD(application="{service}-dev"),
    values=Values(file="services/{service}/helm/values-dev.yaml", key="migrations.image"),
)


@pytest.mark.parametrize("name", CASES)
def test_what_deploys_a_service_and_how(name: str) -> None:
    case = CASES[name]
    there = tuple(one for one in manifests(case["manifests"], "x.yaml") if isinstance(one, Manifest))
    found = deploying(indexed(there), SHOP, CHART, DEV)
    assert bool(found) == case["deploys"]
    if found:
        how = deployment(found, SHOP, CHART, DEV)
        assert (how.release, list(how.values), dict(how.sets)) == (
            case["release"],
            case["values"],
            case.get("sets", {}),
        )
