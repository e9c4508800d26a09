"""AR12 migrations-in-configmap: the goose files that run are those of the migrations image.

Problem: The chart carries SQL files of its own in a ConfigMap or Secret.

Consequence: There are two histories. `doit test` and `doit lint` look at `migrations/`, and the cluster runs the other
one; sooner or later they differ, and the version table tells only numbers. A ConfigMap also ends at 1 MiB.

Solution: Take them out of the chart, and let the Job run an image that is built from `migrations/`.

Source: the house policy, "SSOT Principle"; Kubernetes 1.34, concepts/configuration/configmap (its size).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tasks.lint.finding import Flaw
from tasks.lint.release import Release, flaw
from tasks.lint.rule import Rule

__all__ = ["RULE", "check"]

RULE = Rule(code="AR12", name="migrations-in-configmap", severity="error", needs="release")
FILE = re.compile(r"\d+_.+\.sql")
UP = re.compile(r"^--[ \t]*\+goose[ \t]+Up\b", re.MULTILINE)


def check(release: Release) -> Iterator[Flaw]:
    """Each object that carries goose files, at the first of them."""
    for one in release.manifests:
        for key in ("data", "stringData", "binaryData") if one.kind in {"ConfigMap", "Secret"} else ():
            entries = one.get(key)
            files = [
                name
                for name, value in (entries.items() if isinstance(entries, dict) else ())
                if FILE.fullmatch(name) or (isinstance(value, str) and UP.search(value))
            ]
            if files:
                yield flaw(
                    one.at(key, files[0]),
                    f"The {one.kind} {one.name} carries goose files ({files[0]}): a second history beside migrations/.",
                )
