"""Where a release of a service is written down for an environment: a key of a values file, on a branch of a remote."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from schemas import values_file
from schemas.catalog import Catalog, Environment
from schemas.errors import GanderError, Refused
from schemas.target import Target
from schemas.values_file import Spot
from tools import git
from tools.git import onto, remote
from tools.git.onto import Blob
from tools.git.remote import Remote

__all__ = ["Line", "Site", "line", "site", "spotted"]


class Site(NamedTuple):
    """The place of one service's release in one environment."""

    target: Target
    environment: Environment
    remote: Remote
    branch: str
    file: str  # relative to the root of the GitOps checkout
    key: str
    by_request: bool  # a branch is pushed for a pull request; else the branch itself
    others: tuple[str, ...] = ()  # the files of other environments in that checkout, as `file` is

    @property
    def called(self) -> str:
        """The branch as messages name it: ``origin/main``."""
        return f"{self.remote.name}/{self.branch}"

    def tip(self) -> str:
        """The branch's commit, asked now. Raises Refused where there is no such branch, ToolError where git fails."""
        found = self.remote.tip(self.branch)
        if found is None:
            raise Refused(
                f"the remote `{self.remote.name}` has no branch `{self.branch}`, which {self.environment.name} follows",
                where=str(self.remote.repository.root),
                todo="name the branch that Argo CD reads in services.yaml: gitops: {branch: …}",
            )
        return found


class Line(NamedTuple):
    """The values file at a commit, and where in it the release stands."""

    file: Blob
    spot: Spot


def site(catalog: Catalog, target: Target, known: dict[Path, Remote] | None = None) -> Site:
    """Where services.yaml says that releases of this target are; ``known`` keeps the remotes of several targets.

    Raises Refused where it does not say, or where there is no checkout with a remote.
    """
    environment = catalog.environments[target.environment]
    service = target.service or ""
    lacking = [name for name in ("gitops", "values") if getattr(environment, name) is None]
    if lacking or environment.gitops is None or environment.values is None:
        raise Refused(
            f"`{environment.name}` has no {' and no '.join(f'`{name}:`' for name in lacking)}",
            where=catalog.file.name,
            why="they say where a release is written down: repository and branch, values file and key",
            todo="add them as docs/services-yaml.md shows",
        )
    if not catalog.services[service].image:
        raise Refused(
            f"`{service}` has no image repository",
            where=catalog.file.name,
            todo="add image: {repository: HOST/…/{service}-migrations}",
        )
    known = {} if known is None else known
    folder = catalog.root / environment.gitops.repository
    others = {
        one.values.file.format(service=service)
        for one in catalog.environments.values()
        if one.values and one.gitops and one.gitops.repository == environment.gitops.repository
    }
    file = environment.values.file.format(service=service)
    if folder not in known:
        known[folder] = _remote(folder, environment.gitops.repository, environment.name, catalog.file.name)
    return Site(
        target=target,
        environment=environment,
        remote=known[folder],
        branch=environment.gitops.branch,
        file=file,
        key=environment.values.key.format(service=service),
        by_request=environment.gitops.push == "pull-request",
        others=tuple(sorted(others - {file})),
    )


def _remote(folder: Path, given: str, environment: str, file: str) -> Remote:
    repository = git.find(folder) if folder.is_dir() else None
    if repository is None:
        raise Refused(
            f"{given} is no git checkout, and releases to {environment} are written there",
            where=file,
            todo=f"git clone URL {folder}\nor name another checkout: gitops: {{repository: …}}",
        )
    return remote.of(repository)


def line(place: Site, commit: str, ref: str = "") -> Line:
    """The line of the release at a commit of the branch, or of another ``ref``.

    Raises Refused where the file or the key is not there, or the key holds no plain text.
    """
    return spotted(place, onto.blobs(place.remote.repository, commit, [place.file]), ref)


def spotted(place: Site, files: Mapping[str, Blob | GanderError], ref: str = "") -> Line:
    """The line of the release in the files of a commit. Raises as `line`."""
    shown = f"{ref or place.called}:{place.file}"
    file = files.get(place.file)
    if isinstance(file, GanderError):
        raise Refused(file.what, where=shown, todo=file.todo)
    if file is None:
        raise Refused(
            "there is no such file",
            where=shown,
            why=f"services.yaml has the releases of {place.target.service} to {place.environment.name} written there",
            todo=f"commit and push it with the key {place.key}, or name another file in services.yaml",
        )
    return Line(file=file, spot=values_file.find(file.text, place.key, shown))
