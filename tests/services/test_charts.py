"""What the example's charts promise: rendered by Helm for each environment, against what services.yaml expects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.catalog import Catalog, Database, Environment, Service
from schemas.catalog_file import load
from tools.helm import Chart, Rendering, render

ROOT = Path(__file__).parents[2]
DIGEST = f"sha256:{'0' * 64}"
ENVIRONMENTS = ("dev", "prod")
SERVICES = tuple(load(ROOT / "services.yaml").services)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load(ROOT / "services.yaml")


def asked(service: Service, environment: Environment, **sets: str) -> Chart:
    assert environment.values
    assert environment.namespace
    values = environment.values.file.replace("{service}", service.name)
    return Chart(f"{service.folder}/helm", (values,), sets, service.name, environment.namespace)


@pytest.fixture(scope="module")
def rendered(catalog: Catalog) -> dict[tuple[str, str], Rendering]:
    names = [(service, environment) for service in SERVICES for environment in ENVIRONMENTS]
    charts = [
        asked(
            catalog.services[service],
            catalog.environments[environment],
            **{"migrations.image": f"{catalog.services[service].image}@{DIGEST}"},
        )
        for service, environment in names
    ]
    return dict(zip(names, render(ROOT, charts, lambda _: None), strict=True))


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("service", SERVICES)
def test_each_own_database_has_its_job_before_the_sync(
    service: str, environment: str, catalog: Catalog, rendered: dict[tuple[str, str], Rendering]
) -> None:
    rendering = rendered[service, environment]
    assert (rendering.error, rendering.unreadable) == (None, ())
    jobs = {one.name: one for one in rendering.manifests if one.kind == "Job"}
    own = [one for one in catalog.services[service].databases if isinstance(one, Database)]
    assert sorted(jobs) == sorted(database.job for database in own)
    for database in own:
        job = jobs[database.job]
        assert dict(job.annotations) == {
            "argocd.argoproj.io/hook": "PreSync",
            "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation",
        }
        assert job.get("spec", "backoffLimit") == 0
        assert job.get("spec", "activeDeadlineSeconds") >= 3600
        assert job.get("spec", "ttlSecondsAfterFinished") is None
        pod = job.get("spec", "template", "spec")
        assert (pod["restartPolicy"], pod["automountServiceAccountToken"]) == ("Never", False)
        (container,) = pod["containers"]
        assert (container["name"], container["args"]) == ("migrate", ["-env=none", "up"])
        assert container["image"] == f"{catalog.services[service].image}@{DIGEST}"
        variables = {one["name"]: one.get("value") for one in container["env"]}
        alone = len(own) == 1
        assert variables == {
            "GOOSE_DRIVER": database.engine,
            "GOOSE_DBSTRING": None,
            "GOOSE_MIGRATION_DIR": "/migrations" if alone else f"/migrations/{database.key}",
            "GOOSE_TABLE": database.table,
        }
        key = "CLICKHOUSE_URL" if database.engine == "clickhouse" else "DATABASE_URL"
        reference = {"name": f"{service}-databases", "key": key if alone else f"{database.key.upper()}_{key}"}
        assert container["env"][1] == {"name": "GOOSE_DBSTRING", "valueFrom": {"secretKeyRef": reference}}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("service", SERVICES)
def test_no_pod_has_more_rights_than_it_needs(
    service: str, environment: str, rendered: dict[tuple[str, str], Rendering]
) -> None:
    pods: list[dict[str, Any]] = [
        one.get("spec", "template", "spec") for one in rendered[service, environment].manifests
    ]
    assert len(pods) == (3 if service == "identity-service" else 2)
    for pod in pods:
        assert pod["securityContext"] == {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "runAsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        }
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


@pytest.mark.parametrize("service", SERVICES)
def test_the_application_reads_every_database_of_its_service(
    service: str, catalog: Catalog, rendered: dict[tuple[str, str], Rendering]
) -> None:
    (deployment,) = (one for one in rendered[service, "prod"].manifests if one.kind == "Deployment")
    assert deployment.get("spec", "replicas") == 3
    selected = deployment.get("spec", "selector", "matchLabels")
    assert selected == deployment.get("spec", "template", "metadata", "labels")
    jobs = [one for one in rendered[service, "prod"].manifests if one.kind == "Job"]
    assert all(one.get("spec", "template", "metadata", "labels") != selected for one in jobs)
    (container,) = deployment.get("spec", "template", "spec", "containers")
    urls = [one["name"] for one in container["env"] if one["name"].endswith("_URL")]
    assert len(urls) == len(catalog.services[service].databases)
    schemas = (ROOT / catalog.services[service].folder).glob("prisma/**/schema.prisma")
    assert all(any(f'env("{url}")' in schema.read_text() for url in urls) for schema in schemas)


@pytest.mark.parametrize(
    ("image", "why"),
    [
        ("", "migrations.image is empty: no image of its migrations was promoted to this environment yet"),
        ("registry.example.com/a:latest", 'migrations.image is "registry.example.com/a:latest": name it by digest'),
        (
            f"registry.example.com/a@{DIGEST[:-1]}",
            f'migrations.image is "registry.example.com/a@{DIGEST[:-1]}": name it',
        ),
    ],
)
def test_nothing_is_deployed_without_a_promoted_image(catalog: Catalog, image: str, why: str) -> None:
    service = catalog.services["auth-service"]
    chart = asked(service, catalog.environments["dev"], **({"migrations.image": image} if image else {}))
    (rendering,) = render(ROOT, [chart], lambda _: None)
    assert rendering.error
    assert rendering.manifests == ()
    assert f"auth-service: {why}" in str(rendering.error)
    assert rendering.error.where == f"{service.migration_job}:1:4"


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("service", SERVICES)
def test_an_application_deploys_the_chart_and_is_synced_by_hand(
    service: str, environment: str, catalog: Catalog
) -> None:
    manifest = yaml.safe_load((ROOT / "services" / service / "argocd" / f"{environment}.yaml").read_text())
    there = catalog.environments[environment]
    assert there.argocd
    assert there.gitops
    assert there.values
    chart = catalog.services[service].folder + "/helm"
    assert manifest["metadata"]["name"] == there.argocd.application.replace("{service}", service)
    assert "syncPolicy" not in manifest["spec"]
    source = manifest["spec"]["source"]
    assert source["path"] == chart
    assert source["targetRevision"] == there.gitops.branch
    assert [f"{chart}/{file}" for file in source["helm"]["valueFiles"]] == [
        there.values.file.replace("{service}", service)
    ]
    assert manifest["spec"]["destination"] == {"name": there.kube_context, "namespace": there.namespace}
