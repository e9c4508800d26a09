"""A daemon that answers: which images it has, and how it gets one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from schemas.errors import Refused, ToolError
from tools.docker import container
from tools.docker.container import Mount
from tools.docker.reach import GLANCE, address, answering, knock, refusal
from tools.shell import Finished, redact

if TYPE_CHECKING:
    from docker import APIClient

__all__ = ["Docker", "Held", "usable"]

PATIENCE = 600  # seconds within which it answers anything but who it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An image as the daemon has it: what it is made of, so that it can be compared with one made here."""

    id: str  # digest of its config, or of its manifest where the daemon keeps images in containerd
    architecture: str  # as Go names it: amd64, arm64
    layers: tuple[str, ...]  # the digest of each, not compressed
    settings: Mapping[str, Any]  # ``User``, ``Entrypoint`` …: those that say anything


def usable() -> Docker | Refused:
    """The daemon of ``DOCKER_HOST``, of the current context, or at the usual socket; to be closed after use.

    Where none can be used, the refusal says why and what to do; it is for the caller to raise.
    """
    from docker import APIClient  # noqa: PLC0415 - start-up: only who asks for Docker loads its SDK
    from docker.errors import DockerException  # noqa: PLC0415
    from requests import RequestException  # noqa: PLC0415

    where = "the usual place"
    try:
        where, arguments = address()
        knock(arguments["base_url"])
        return Docker(APIClient(timeout=GLANCE, **arguments), where)
    except (DockerException, RequestException, OSError, ValueError, KeyError) as error:
        return refusal(where, error)


class Docker:
    """A connection to a daemon. Every method raises ToolError, in the daemon's words, where it cannot do its part."""

    def __init__(self, client: APIClient, where: str) -> None:
        about = client.version()
        client.timeout = PATIENCE
        self._client, self.where = client, where
        self.version, self.architecture = str(about["Version"]), str(about["Arch"])
        self.here = where.startswith("unix:")  # a socket's other end is on this machine

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    @property
    def rootless(self) -> bool:
        """Whether it runs as a user, in a network of its own: the host's is not its containers' then."""
        with answering("Docker does not tell how it runs"):
            return any("name=rootless" in one for one in self._client.info().get("SecurityOptions") or ())

    def held(self, name: str) -> Held | None:
        """The image of that ``REPOSITORY:TAG`` or id; None where there is none."""
        from docker.errors import NotFound  # noqa: PLC0415 - as in `usable`

        with answering(f"Docker does not tell whether it has {name}"):
            try:
                found = self._client.inspect_image(name)
            except NotFound:
                return None
            return Held(
                id=found["Id"],
                architecture=found["Architecture"],
                layers=tuple(found["RootFS"].get("Layers") or ()),
                settings={key: value for key, value in (found.get("Config") or {}).items() if value},
            )

    def has(self, name: str) -> bool:
        """Whether there is an image of that id, or of that ``REPOSITORY:TAG``."""
        return self.held(name) is not None

    def load(self, tar: Iterable[bytes]) -> None:
        """Load the image of a tar as `tools.oci.archive` writes it; the name that it carries becomes this image's."""
        with answering("Docker does not take the image"):
            for line in self._client.load_image(tar):
                if "error" in line:
                    raise ToolError("Docker does not take the image", why=redact(str(line["error"])))

    def run(
        self,
        image: str,
        command: Sequence[str] = (),
        *,
        entrypoint: Sequence[str] = (),
        environment: Mapping[str, str],
        user: str = "",
        folder: str = "",
        read_only: bool = True,
        writable: Iterable[str] = (),
        drop: Iterable[str] = (),
        no_more_rights: bool = False,
        network: str = "none",
        mounts: Iterable[Mount] = (),
        deadline: float,
        on_line: Callable[[str], None] = lambda _line: None,
    ) -> Finished:
        """Run an image that the daemon has, in a container of its own that is removed whatever happens.

        ``command``, ``entrypoint``, ``user`` and the working ``folder`` take the place of the image's own where they
        are given. ``writable`` are folders in memory that everybody may write to, ``drop`` capabilities that it loses;
        with ``no_more_rights`` no program in it gets more. ``network`` is one of the daemon's: ``none``, ``host``,
        ``bridge``. ``on_line`` gets each redacted line of both outputs as it comes; `Finished.out` has them all.
        Secrets belong into ``environment``; the caller hides them (`tools.shell.hide`). An exit code that is not 0 is
        for the caller to judge.

        Nothing ends the container silently: at the deadline it is stopped and ToolTimeout says so, after a signal
        to us ToolError does, and where the caller's own code raises, ``on_line`` is told. Where we are killed it
        runs on, and the daemon removes it when it has ended. ToolError too where it cannot be started.
        """
        with answering(f"Docker does not start {image}"):
            host = self._client.create_host_config(
                auto_remove=True,
                read_only=read_only,
                tmpfs=dict.fromkeys(writable, "mode=1777"),
                cap_drop=list(drop),
                security_opt=["no-new-privileges"] if no_more_rights else None,
                network_mode=network,
                binds=[f"{one.source}:{one.target}:{'ro' if one.read_only else 'rw'}" for one in mounts],
            )
            made = self._client.create_container(
                image,
                list(command) or None,
                entrypoint=list(entrypoint) or None,
                environment=dict(environment),
                user=user or None,
                working_dir=folder or None,
                host_config=host,
                labels={container.LABEL: image},
                use_config_proxy=False,  # the proxies of the user's config.json are none of the image's
            )
        return container.follow(self._client, made["Id"], image, deadline, on_line)
