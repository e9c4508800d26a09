"""AR07 image: a migration Job runs exactly the image that was built and promoted.

Problem: An image of the Job is named by a tag, or goose runs from another image than the one that the values name.

Consequence: A tag may lead to another image tomorrow: what runs in prod is then not what dev has verified. An image
that is not taken from the values is never changed by a promotion, so a release migrates nothing.

Solution: Name images by digest, `REPOSITORY@sha256:…`, and take that of goose from the key of the values file that
`values` in services.yaml names.

Source: Kubernetes 1.34, concepts/containers/images ("Image names": a digest identifies one image); OCI image-spec 1.1,
descriptor ("Digests").
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tasks.lint.finding import Flaw
from tasks.lint.release import Release, containers, flaw, migrations, runs_goose
from tasks.lint.rule import Rule

__all__ = ["RULE", "check"]

RULE = Rule(code="AR07", name="image", severity="error", needs="release")
BY_DIGEST = re.compile(r"[^\s@]+@sha256:[0-9a-f]{64}")


def check(release: Release) -> Iterator[Flaw]:
    """Each image of a migration Job that may change, or that a promotion does not reach."""
    for job in migrations(release):
        found = list(containers(job))
        for path, container in found:
            image = str(container.get("image") or "")
            place = job.at(*path, "image")
            goose = len(found) == 1 or runs_goose(container)
            if goose and release.image and image != release.image:
                yield flaw(
                    place,
                    f"The migration Job runs goose from {image or 'no image'}, whatever image a promotion names.",
                )
            elif not BY_DIGEST.fullmatch(image):
                yield flaw(
                    place,
                    f"The image {image or 'that is missing'} is not named by digest: it may be another one tomorrow.",
                )
