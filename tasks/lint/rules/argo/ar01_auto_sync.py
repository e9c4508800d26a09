"""AR01 auto-sync: Argo CD syncs a service with databases only when somebody says so.

Problem: The Application, or the template of an ApplicationSet, has `automated` in its syncPolicy. It is on when it is
empty, and when `enabled` is null or true; `enabled: false` turns it off since Argo CD 3.1 alone.

Consequence: Each push to the branch migrates the database, with nobody looking. A sync of a commit that was verified is
then refused, too: Argo CD takes no explicit revision while automated sync is on.

Solution: Take `automated` out of the syncPolicy.

Source: Argo CD 3.2, pkg/apis/application/v1alpha1/types.go (`SyncPolicyAutomated`, `IsAutomatedSyncEnabled`);
docs/user-guide/auto_sync.md; docs/operator-manual/applicationset/Template.md (`templatePatch`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from schemas.manifest import Manifest
from schemas.yaml_lenient import read
from tasks.lint.finding import Flaw
from tasks.lint.release import Release, flaw
from tasks.lint.rule import Rule

__all__ = ["RULE", "check"]

RULE = Rule(code="AR01", name="auto-sync", severity="error", needs="release")
ALONE = re.compile(r"^[ \t]*\{\{[^\n]*\}\}[ \t]*$", re.MULTILINE)  # a line that is an expression: if, range, end
EXPRESSION = re.compile(r"\{\{.*?\}\}")


def check(release: Release) -> Iterator[Flaw]:
    """Each place that turns automated sync on, in templates of ApplicationSets and of their generators too."""
    for manifest in release.applications:
        for path, value in _mappings(manifest.get("spec"), ("spec",)):
            if _on(value):
                yield _flaw(manifest, *path, "syncPolicy", "automated")
        patch = manifest.get("spec", "templatePatch")
        if isinstance(patch, str) and _patched(patch):
            yield _flaw(manifest, "spec", "templatePatch")


def _on(spec: dict[str, Any]) -> bool:
    policy = spec.get("syncPolicy")
    automated = policy.get("automated") if isinstance(policy, dict) else None
    return automated is not None and not (isinstance(automated, dict) and automated.get("enabled") is False)


def _patched(patch: str) -> bool:
    """Whether a patch turns it on; one that is no YAML before its expressions are filled in does when it names it."""
    found = read(EXPRESSION.sub("x", ALONE.sub("", patch)))
    if found.mistake:
        return "automated" in patch
    return any(_on(value) for document in found.documents for _, value in _mappings(document.data, ()))


def _flaw(manifest: Manifest, *path: str | int) -> Flaw:
    name = manifest.name or manifest.kind
    return flaw(
        manifest.at(*path), f"Argo CD syncs {name} by itself: a push migrates its database with nobody looking."
    )


def _mappings(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any]]]:
    if isinstance(value, dict):
        yield path, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from _mappings(one, (*path, key))
