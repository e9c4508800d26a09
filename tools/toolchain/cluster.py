"""Kubernetes and Argo CD for tests of releases: built from Go modules, and what else of a machine they need."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from schemas.errors import ToolError
from tools import shell
from tools.toolchain.golang import go_place, installed_go, settings
from tools.toolchain.store import LOCKS, Say, environment, place, provide, step

__all__ = ["CNI", "PACKAGES", "cluster", "cluster_lacks", "cluster_place", "pinned_argocd", "pinned_kubernetes"]

MODULE = LOCKS / "cluster"
KUBERNETES, ARGOCD, HELM = "k8s.io/kubernetes", "github.com/argoproj/argo-cd/v3", "helm.sh/helm/v3"
BUILT = (
    *(f"{KUBERNETES}/cmd/{one}" for one in ("kube-apiserver", "kube-controller-manager", "kube-scheduler")),
    *(f"{KUBERNETES}/cmd/kubelet", f"{KUBERNETES}/cmd/kubectl", f"{HELM}/cmd/helm", f"{ARGOCD}/cmd"),
)
CRDS = ("application-crd.yaml", "appproject-crd.yaml", "applicationset-crd.yaml")
DEADLINE = 4 * 3600.0  # seconds, on a machine that has other things to do
CNI = Path("/usr/lib/cni")  # where Debian's containernetworking-plugins lie
PACKAGES: Mapping[str, str] = MappingProxyType(
    {
        "etcd": "etcd-server",
        "redis-server": "redis-server",
        "containerd": "containerd",
        "runc": "runc",
        "docker-registry": "docker-registry",
        str(CNI / "bridge"): "containernetworking-plugins",
        "unshare": "util-linux",
        "git": "git",
    }
)
"""Program -> Debian's package of it."""


def cluster(say: Say) -> Path:
    """The folder of the programs, and of Argo CD's definitions of resources, built when first needed.

    Always with the Go of our own lock file. Raises ToolError when that fails.
    """
    doing = (
        f"building Kubernetes {pinned_kubernetes()} and Argo CD {pinned_argocd()} "
        "(ten minutes of two processors, 7 GB in Go's caches, once)"
    )
    return provide(cluster_place(), lambda part: _build(part, say), doing=doing, say=say)


def cluster_place() -> Path:
    """The folder of the programs that we build."""
    made_of: list[str | Path] = [MODULE / "go.mod", MODULE / "go.sum", LOCKS / "go.txt", *BUILT, *_flags()]
    return place("cluster", made_of)


def cluster_lacks() -> tuple[str, ...]:
    """What keeps a cluster from running on this machine, each in a few words; empty: nothing."""
    if os.uname().sysname != "Linux":
        return ("Linux",)
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"  # where runc is, not on everybody's path
    packages = dict.fromkeys(package for program, package in PACKAGES.items() if not shutil.which(program, path=path))
    root = () if os.geteuid() == 0 else ("root",)
    return (*root, f"Debian's {', '.join(packages)}") if packages else root


def pinned_kubernetes() -> str:
    """The version of Kubernetes that go.mod asks for."""
    return _asked(KUBERNETES)


def pinned_argocd() -> str:
    """The version of Argo CD that go.mod asks for."""
    return _asked(ARGOCD)


def _asked(module: str) -> str:
    text = (MODULE / "go.mod").read_text(encoding="utf-8")
    found = re.search(rf"^\s+{re.escape(module)} v(\S+)", text, re.MULTILINE)
    assert found  # noqa: S101 - for the type checker: go.mod is ours
    return found[1]


def _flags() -> tuple[str, ...]:
    """What the programs say of themselves: a build of a module knows no version of its dependencies."""
    version, kubernetes = "k8s.io/component-base/version", pinned_kubernetes()
    major, minor, _ = kubernetes.split(".")
    said = {
        f"{version}.gitVersion": f"v{kubernetes}",
        f"{version}.gitMajor": major,
        f"{version}.gitMinor": minor,
        f"{version}.gitTreeState": "clean",
        f"{ARGOCD}/common.version": pinned_argocd(),
        f"{HELM}/internal/version.version": f"v{_asked(HELM)}",
    }
    return ("-trimpath", "-buildvcs=false", "-ldflags=-s -w " + " ".join(f"-X {k}={v}" for k, v in said.items()))


def _build(part: Path, say: Say) -> None:
    """Build all programs at once, behind whatever else the machine does, and see that one of each kind runs."""
    go = installed_go(say)
    changes = settings() | {"GOROOT": str(go_place() / "go")}
    nice = [shutil.which("nice") or "nice", "-n", "10"]
    todo = "check the network, Go's settings (GOPROXY, proxy) and the space on the disk, then run the command again"
    step(
        [*nice, go, "build", *_flags(), "-o", f"{part}{os.sep}", *BUILT],
        what="building Kubernetes and Argo CD",
        todo=todo,
        changes=changes,
        cwd=MODULE,
        timeout=DEADLINE,
    )
    (part / "cmd").rename(part / "argocd")
    where: list[str | Path] = [go, "list", "-m", "-f", "{{.Dir}}", ARGOCD]
    home = shell.run(where, environment=environment() | changes, timeout=60, cwd=MODULE).out.strip()
    for name in CRDS:
        shutil.copyfile(Path(home) / "manifests" / "crds" / name, part / name)
    for program, wanted in (("kubelet", pinned_kubernetes()), ("argocd", pinned_argocd())):
        words = ["--version"] if program == "kubelet" else ["version", "--client", "--short"]
        done = shell.run([part / program, *words], environment=shell.inherited(), timeout=60)
        if wanted not in done.out:
            raise ToolError(f"the {program} that was built is not {wanted}", why=done.out + done.err, todo=todo)
