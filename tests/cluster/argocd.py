"""Argo CD beside the cluster that it looks after: repo server, controller, and its API server with TLS."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.cluster.asking import asked
from tests.cluster.basics import REDIS
from tools.toolchain.cluster import CRDS

if TYPE_CHECKING:
    from tests.cluster.inside import Inside

__all__ = ["up"]

ACCOUNT = "deployer"
RIGHTS = Path(__file__).parents[2] / "docs" / "ci" / "argocd-rbac.csv"  # those that the documentation gives to releases
HERE = "127.0.0.1"
REPOSITORIES = f"{HERE}:8081"
KINDS = ("applications", "appprojects", "applicationsets")


def up(inside: Inside) -> dict[str, str]:
    """Start it, wait until it answers, and say how to reach it: as the administrator, and with the least rights."""
    run, programs = inside.settings.run, inside.settings.programs
    files = [f"-f={programs / name}" for name in CRDS]
    inside.kubectl("create", *files)
    inside.kubectl("create", "-f=-", given={"apiVersion": "v1", "kind": "List", "items": _objects(inside)})
    crds = [f"crd/{kind}.argoproj.io" for kind in KINDS]
    inside.kubectl("wait", "--for=condition=Established", *crds, "--timeout=30s")
    for name in ("argocd/tls", "argocd/ssh", "argocd/assets", "home/.kube", "bin"):
        (run / name).mkdir(parents=True, exist_ok=True)
    # taken for a pod of the cluster, it reads the configuration of its home folder
    (run / "home" / ".kube" / "config").symlink_to(inside.settings.folder / "kubeconfig")
    redis, repositories = f"--redis={HERE}:{REDIS}", [f"--repo-server={REPOSITORIES}", "--repo-server-plaintext"]
    itself = [f"--address={HERE}", f"--metrics-address={HERE}", redis]
    _start(inside, "argocd-repo-server", *itself, "--disable-tls")
    _start(inside, "argocd-application-controller", redis, *repositories)
    port, assets = inside.settings.ports["argocd"], f"--staticassets={run / 'argocd' / 'assets'}"
    _start(inside, "argocd-server", *itself, *repositories, f"--port={port}", f"--dex-server=http://{HERE}:1", assets)
    url = f"https://{HERE}:{port}"
    authority = inside.settings.folder / "authority.pem"
    inside.until("argocd-server", lambda: asked(f"{url}/healthz", authority))
    secret = inside.kubectl("get", "secret", "argocd-initial-admin-secret", "-o=jsonpath={.data.password}")
    login = {"username": "admin", "password": base64.b64decode(secret).decode()}
    admin = json.loads(asked(f"{url}/api/v1/session", authority, given=login))["token"]
    path = f"{url}/api/v1/account/{ACCOUNT}/token"
    deployer = json.loads(asked(path, authority, token=admin, given={"name": ACCOUNT}))["token"]
    return {"argocd": url, "token": admin, "deployer": deployer, "authority": str(authority)}


def _start(inside: Inside, name: str, *options: str) -> None:
    """Start the program under the name that tells it which of them to be."""
    run = inside.settings.run
    link = run / "bin" / name
    link.symlink_to(inside.settings.programs / "argocd")
    inside.start(
        name,
        [link, *options],
        ARGOCD_FAKE_IN_CLUSTER="true",
        ARGOCD_GPG_ENABLED="false",
        ARGOCD_TLS_DATA_PATH=str(run / "argocd" / "tls"),
        ARGOCD_SSH_DATA_PATH=str(run / "argocd" / "ssh"),
    )


def _objects(inside: Inside) -> list[dict[str, Any]]:
    run = inside.settings.run
    certificate = {
        "tls.crt": base64.b64encode((run / "server.pem").read_bytes()).decode(),
        "tls.key": base64.b64encode((run / "server.key").read_bytes()).decode(),
    }
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}},
        _object("ConfigMap", "argocd-cm", {f"accounts.{ACCOUNT}": "apiKey"}),
        _object("ConfigMap", "argocd-rbac-cm", {"policy.csv": RIGHTS.read_text(encoding="utf-8")}),
        {**_object("Secret", "argocd-secret", certificate), "type": "Opaque"},
    ]


def _object(kind: str, name: str, data: dict[str, str]) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "argocd"}
    return {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "argocd", "labels": labels},
        "data": data,
    }
