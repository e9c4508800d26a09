"""Charts in `doit lint`: rendered for each environment with their Applications, and never passed over in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journeys.conftest import Monorepo, counts

SERVICES = """\
version: 1
image: {repository: "registry.example.com/{service}-migrations"}
environments:
  local: {}
  dev:
    namespace: shop-dev
    argocd: {application: "{service}-dev"}
    gitops: {repository: ., branch: main, push: direct}
    values: {file: "services/{service}/helm/values-dev.yaml", key: migrations.image}
services:
  shop: {databases: {main: {engine: postgres, name: {dev: shop_dev}}}}
"""
JOB = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: shop-migrate
  annotations:
    argocd.argoproj.io/hook: PreSync
    argocd.argoproj.io/hook-delete-policy: BeforeHookCreation
spec:
  backoffLimit: 0
  activeDeadlineSeconds: 21600
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: migrate
          image: {{ required "promote an image first" .Values.migrations.image }}
          args: [-env=none, up]
"""
APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop-dev}
spec:
  source: {path: services/shop/helm, helm: {valueFiles: [values-dev.yaml]}}
  destination: {namespace: shop-dev}
"""
CHART = "apiVersion: v2\nname: shop\nversion: 1.0.0\n"


@pytest.fixture
def shop(tmp_path: Path) -> Monorepo:
    """A service with one file, a chart and an Application, in git."""
    monorepo = Monorepo(root=tmp_path)
    monorepo.write("shop", "20260101000000_a.sql", "CREATE TABLE a (id TEXT PRIMARY KEY);", "DROP TABLE a;")
    helm = tmp_path / "services" / "shop" / "helm"
    (helm / "templates").mkdir(parents=True)
    (helm / "Chart.yaml").write_text(CHART)
    (helm / "values-dev.yaml").write_text('migrations: {image: ""}\n')
    (helm / "templates" / "migration-job.yaml").write_text(JOB)
    (tmp_path / "gitops").mkdir()
    (tmp_path / "gitops" / "shop.yaml").write_text(APPLICATION)
    (tmp_path / "services.yaml").write_text(SERVICES)
    (tmp_path / ".gitignore").write_text(".state/\n")
    monorepo.commit()
    return monorepo


def test_a_chart_is_looked_at_again_when_it_or_its_application_has_changed(shop: Monorepo) -> None:
    assert "1 file, clean; not promoted yet: dev" in shop.fine("lint").stderr
    assert counts(shop.fine("lint")) == (0, 3, 0)
    job = shop.root / "services/shop/helm/templates/migration-job.yaml"
    (shop.root / "gitops" / "shop.yaml").write_text(APPLICATION + "  syncPolicy:\n    automated: {}\n")
    done = shop.doit("lint")
    assert done.returncode == 1
    assert "shop/main: 1 error" in done.stderr
    assert "gitops/shop.yaml:8:5 AR01 auto-sync\n  8 |     automated: {}\n    |     ^\n" in done.stdout
    job.write_text(JOB.replace("  backoffLimit: 0\n", "  backoffLimit: 0\n  ttlSecondsAfterFinished: 60\n"))
    done = shop.doit("lint")
    assert "shop/main: 2 errors" in done.stderr
    assert "services/shop/helm/templates/migration-job.yaml:10:3 AR05 ttl\n" in done.stdout
    assert "\n2 errors in 2 of 6 files\n" in done.stdout
    job.write_text(JOB)
    (shop.root / "gitops" / "shop.yaml").unlink()
    (shop.root / "more.yaml").write_text(APPLICATION)
    assert counts(shop.fine("lint")) == (3, 0, 0)


def test_what_helm_cannot_be_had_for_is_said_and_fails_where_ci_is_true(shop: Monorepo, tmp_path: Path) -> None:
    nowhere = {"GANDER_TOOLS": str(tmp_path / "tools"), "PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_RETRIES": "0"}
    nowhere |= {"PIP_NO_CACHE_DIR": "1", "PIP_CONFIG_FILE": "/dev/null"}
    done = shop.fine("lint", **nowhere)
    assert (
        "not checked: AR: what charts make of each environment: pip install -r tools/locks/helm.txt failed"
        in done.stdout
    )
    done = shop.doit("lint", **nowhere, CI="true")
    assert done.returncode == 1
    assert "nothing tells what the chart makes, as Helm is not to be had" in done.stderr
