"""The AR rules on the example's own charts: clean as it is, and each planted mistake on its line."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from schemas.catalog_file import load
from schemas.errors import ToolError
from tasks.lint.argo import findings
from tasks.lint.releases import Releases
from tools import helm

ROOT = Path(__file__).parents[3]
SERVICE = "services/auth-service"
JOB = "charts/service-base/templates/_migration-job.tpl"
DIGEST = f"sha256:{'0' * 64}"
CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: files
data:
  20260101000000_create_users.sql: |
    -- +goose Up
"""
SECRET = """\
apiVersion: v1
kind: Secret
metadata:
  name: auth-service-databases
stringData:
  DATABASE_URL: postgres://goose:hunter2@db/girok_auth
"""
SET = """\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: services}
spec:
  generators: [{list: {elements: [{service: auth-service}]}}]
  template:
    metadata: {name: '{{service}}-dev'}
    spec:
      source: {path: 'services/{{service}}/helm'}
      syncPolicy:
        automated: {selfHeal: true}
"""
EACH = """\
{{- range .Values.services }}
---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: {{ . }}-dev}
spec:
  source: {path: services/{{ . }}/helm, helm: {valueFiles: [values-dev.yaml]}}
  {{- if $.Values.auto }}
  syncPolicy:
    automated: {}
  {{- end }}
{{- end }}
"""
OTHER = SET.replace("services/{{service}}/helm", "monitoring/{{service}}")
BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcde", "bcdef", strict=True)
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the example without its other files."""
    for folder in ("charts", SERVICE, "services/identity-service"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("prisma", "node_modules"))
    document = yaml.safe_load((ROOT / "services.yaml").read_text())
    kept = {name: document["services"][name] for name in ("auth-service", "identity-service")}
    del kept["identity-service"]["databases"]["legal"]
    (tmp_path / "services.yaml").write_text(yaml.safe_dump({**document, "services": kept}))
    return tmp_path


def plant(root: Path, changes: Mapping[str, tuple[str, str] | str]) -> None:
    """Put one text in the place of another, or write a whole file."""
    for path, change in changes.items():
        file = root / path
        if isinstance(change, str):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(change)
        else:
            before = file.read_text()
            assert before.count(change[0]) == 1, path
            file.write_text(before.replace(*change))


def told(root: Path, service: str = "auth-service") -> Iterator[str]:
    made = Releases(load(root / "services.yaml"), lambda _: None).of(service)
    assert made.unchecked is None
    for one in findings(root, made.releases):
        assert "hunter2" not in repr(one)
        yield f"{one.where} {one.code} {one.message}"


def line_of(root: Path, path: str, text: str) -> int:
    return 1 + next(number for number, line in enumerate((root / path).read_text().splitlines()) if text in line)


def test_the_example_is_clean_and_says_what_was_never_promoted(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.lint.releases.TOGETHER", 1)
    releases = Releases(load(root / "services.yaml"), lambda _: None)
    for service in ("identity-service", "auth-service"):
        made = releases.of(service)
        assert [one.environment for one in made.releases] == ["dev", "prod"]
        assert all(len(one.applications) == 1 for one in made.releases)
        assert findings(root, made.releases) == []
        assert made.unpromoted == ("dev", "prod")


def test_what_is_promoted_is_rendered_as_it_is(root: Path) -> None:
    image = f"registry.example.com/my-girok/auth-service-migrations@sha256:{'1' * 64}"
    plant(root, {f"{SERVICE}/helm/values-dev.yaml": ('image: ""', f"image: {image}")})
    made = Releases(load(root / "services.yaml"), lambda _: None).of("auth-service")
    dev, prod = made.releases
    assert (dev.image, made.unpromoted) == (image, ("prod",))
    assert prod.image.endswith(DIGEST)
    assert findings(root, made.releases) == []


PLANTED: dict[str, tuple[Mapping[str, tuple[str, str] | str], list[tuple[str, str, str]]]] = {
    "an Application that is synced automatically": (
        {
            f"{SERVICE}/argocd/dev.yaml": (
                "  destination:",
                "  syncPolicy:\n    automated:\n      prune: true\n  destination:",
            )
        },
        [("AR01", f"{SERVICE}/argocd/dev.yaml", "automated:")],
    ),
    "an ApplicationSet elsewhere": ({"gitops/all.yaml": SET}, [("AR01", "gitops/all.yaml", "automated:")]),
    "an Application that a chart of Applications makes of its values": (
        {
            "gitops/Chart.yaml": "apiVersion: v2\nname: all\nversion: 1.0.0\n",
            "gitops/values.yaml": "services: [auth-service]\n",
            "gitops/values-auto.yaml": "auto: true\n",
            "gitops/templates/all.yaml": EACH,
        },
        [("AR01", "gitops/templates/all.yaml", "automated:")],
    ),
    "an ApplicationSet of something else": ({"gitops/other.yaml": OTHER}, []),
    "a hook of the sync": ({JOB: ("hook: PreSync", "hook: Sync")}, [("AR02", JOB, "hook: Sync")]),
    "a Job that is deleted at once": (
        {JOB: ("BeforeHookCreation", "HookSucceeded")},
        [("AR03", JOB, "HookSucceeded")],
    ),
    "a time to live": (
        {JOB: ("  backoffLimit: 0", "  backoffLimit: 0\n  ttlSecondsAfterFinished: 60")},
        [("AR05", JOB, "ttlSecondsAfterFinished")],
    ),
    "tries and a short deadline": (
        {
            JOB: ("  backoffLimit: 0", "  backoffLimit: 4"),
            f"{SERVICE}/helm/values.yaml": (
                '  image: ""\n  databases',
                '  image: ""\n  deadlineSeconds: 60\n  databases',
            ),
        },
        [("AR06", JOB, "activeDeadlineSeconds:"), ("AR06", JOB, "backoffLimit: 4")],
    ),
    "an image that is not from the values": (
        {JOB: ('{{ include "service.migrations-image" $ }}', f"registry.example.com/goose@sha256:{'2' * 64}")},
        [("AR07", JOB, "registry.example.com/goose")],
    ),
    "a Secret of the chart, in clear": (
        {f"{SERVICE}/helm/templates/secret.yaml": SECRET},
        [
            ("AR08", f"{SERVICE}/helm/templates/secret.yaml", "metadata:"),
            ("AR10", f"{SERVICE}/helm/templates/secret.yaml", "DATABASE_URL"),
        ],
    ),
    "files in a ConfigMap": (
        {f"{SERVICE}/helm/templates/files.yaml": CONFIG_MAP},
        [("AR12", f"{SERVICE}/helm/templates/files.yaml", "create_users.sql")],
    ),
    "a name that services.yaml does not expect": (
        {JOB: ("-migrate{{ if", "-migration{{ if")},
        [("AR04", JOB, "  name: {{ $.Chart.Name }}-migration")],
    ),
    "no Job": (
        {f"{SERVICE}/helm/templates/migration-job.yaml": "# later\n"},
        [("AR04", f"{SERVICE}/helm/templates/migration-job.yaml", "# later")] * 2,
    ),
    "a tag in the values": (
        {f"{SERVICE}/helm/values-prod.yaml": ('image: ""', "image: registry.example.com/a:latest")},
        [("AR04", f"{SERVICE}/helm/templates/migration-job.yaml", "include")],
    ),
    "values that multiply": (
        {f"{SERVICE}/helm/values-prod.yaml": BOMB},
        [("AR04", f"{SERVICE}/helm/values-prod.yaml", "a: &a")],
    ),
    "a values file that the Application does not read": (
        {f"{SERVICE}/argocd/prod.yaml": ("values-prod.yaml", "values.yaml")},
        [("AR04", f"{SERVICE}/helm/templates/migration-job.yaml", "include")],
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_mistake_is_found_on_its_line(root: Path, name: str) -> None:
    changes, expected = PLANTED[name]
    plant(root, changes)
    found = list(told(root))
    places = sorted((one.split(" ")[1], one.split(" ")[0].rsplit(":", 1)[0]) for one in found)
    assert places == sorted((code, f"{path}:{line_of(root, path, text)}") for code, path, text in expected), found


def test_a_chart_of_applications_that_makes_nothing_is_told(root: Path) -> None:
    plant(root, {"gitops/Chart.yaml": "apiVersion: v2\nname: all\nversion: 1.0.0\n"})
    plant(root, {"gitops/templates/all.yaml": EACH.replace(".Values.services", 'required "which" .Values.services')})
    made = Releases(load(root / "services.yaml"), lambda _: None).of("auth-service")
    assert made.unread == ("gitops/templates/all.yaml:1:11: the chart does not render: which",)
    assert len(made.releases) == 2


def test_helm_that_cannot_be_installed_leaves_it_unchecked(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ToolError("pip install failed", todo="check the network")

    monkeypatch.setattr(helm, "render", fail)
    made = Releases(load(root / "services.yaml"), lambda _: None).of("auth-service")
    assert made.releases == ()
    assert made.unchecked
    assert made.unchecked.todo == "check the network"
