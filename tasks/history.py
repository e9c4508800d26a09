"""The operation `history`: the releases of services, from what Argo CD remembers and git tells of its commits.

What was verified is read from the evidence that `verify` was told to keep: for people, and believed by nobody else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from schemas.deployment import Deployment
from schemas.errors import GanderError, Refused
from schemas.stream import version_of
from schemas.target import Target
from tasks.promote.image import Images
from tasks.promote.message import COMMIT
from tasks.promote.run import images
from tasks.promote.site import Site, line, site
from tasks.verify.evidence import told as proved
from tasks.verify.run import Servers, servers
from tasks.work import Outcome, Work
from tools.shell import redact

__all__ = ["run"]

AT_ONCE = 8
TIME = "%Y-%m-%d %H:%M:%S UTC"

Key = tuple[str, str, str, tuple[str, ...]]  # service, environment, when its operation began, the commits synced
Proofs = Mapping[Key, dict[str, Any]]


def run(work: Work) -> Outcome:
    """Print each release that Argo CD remembers, the newest first; exit code 1 where it cannot be asked."""
    shared, made, proofs = servers(work), images(work), _proofs(work)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(lambda target: _told(work, shared, made, proofs, target), work.targets))
    for target, said in zip(work.targets, found, strict=True):
        work.out(f"{target.service}@{target.environment}")
        for text in str(said).splitlines() if isinstance(said, GanderError) else said:
            work.out(redact(f"  {text}"))
    failed = sum(isinstance(said, GanderError) for said in found)
    if failed:
        return Outcome(summary=f"{failed} of {len(found)} could not be asked", exit_code=1)
    return Outcome(summary="all asked")


def _told(work: Work, shared: Servers, made: Images, proofs: Proofs, target: Target) -> list[str] | GanderError:
    environment, service = work.catalog.environments[target.environment], target.service or ""
    try:
        place = site(work.catalog, target)
        if environment.argocd is None:
            raise Refused(f"`{environment.name}` has no `argocd:`", where=work.catalog.file.name)
        place.tip()  # the branch's commits are here then
        known = shared.of(work, target).history(environment.argocd.application.format(service=service))
        lines = [text for one in reversed(known) for text in _release(place, made, proofs, one)]
    except GanderError as error:
        return error
    return lines or ["Argo CD remembers none"]


def _release(place: Site, made: Images, proofs: Proofs, one: Deployment) -> Iterator[str]:
    """A release in two lines: when, who and what; then what it holds, and whether that was proved."""
    service, environment = place.target.service or "", place.environment.name
    repository = place.remote.repository
    revision = next((commit for commit in one.revisions if repository.commit(commit)), "")
    yield f"{one.at:{TIME}}  {one.by}  {(revision or ', '.join(one.revisions))[:12]}"
    if not revision:
        yield f"  {place.called} has no such commit"
        return
    try:
        image = line(place, revision, revision[:12]).spot.text
    except GanderError as error:
        yield f"  {error.what}"
        return
    commit = repository.trailer(COMMIT, revision, image, place.file) if image else ""
    held = made.streams(service, commit) if commit else None
    tag = image.partition("@")[0].rpartition(":")[2] or "no image"
    heads = [f"{key} to {version_of(list(files)[-1])}" for key, files in (held or {}).items() if files]
    yield f"  {', '.join([tag, *([f'of {commit[:12]}'] if commit else []), *heads])}"
    proof = proofs.get((service, environment, _moment(one.started), one.revisions))
    if proof:
        yield f"  {proved(proof)}, {proof['at']:{TIME}} by {proof.get('who')}"


def _proofs(work: Work) -> Proofs:
    """The evidence in the folder that was named, the newest for each operation."""
    folder = work.variables.get("evidence")
    found: dict[Key, dict[str, Any]] = {}
    for file in sorted(Path(work.catalog.root, folder).glob("*.json")) if folder else ():
        try:
            document: dict[str, Any] = json.loads(file.read_bytes())
            operation = document["operation"]
            key = (document["service"], document["environment"], operation["started"], tuple(operation["revisions"]))
            found[key] = document | {"at": datetime.fromisoformat(document["at"]).astimezone(UTC)}
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            work.progress.line(f"{file.name} is no evidence of an operation, and passed over")
    return found


def _moment(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""
