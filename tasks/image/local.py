"""``push=false``: an image in the Docker of this machine, known by what it is made of and not by its name alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from threading import Lock

from schemas.answer import Answer
from schemas.errors import Refused, ToolError
from schemas.image import Content, Identity
from tasks.image.build import Builder
from tools import docker
from tools.docker import Docker, Held
from tools.oci import Platform
from tools.oci.archive import archive
from tools.toolchain import shipped

__all__ = ["Local", "architecture", "same"]


class Local:
    """The daemon, found when it is first needed; safe to use from any thread."""

    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        self._lock = Lock()
        self._found: Docker | Refused | None = None

    @property
    def daemon(self) -> Docker:
        """Docker, where it can be used. Raises Refused where not."""
        with self._lock:
            if self._found is None:
                self._found = docker.usable()
                if isinstance(self._found, Refused):
                    self._found.todo += "\nor leave push=false out: to push an image takes no Docker"
        if isinstance(self._found, Refused):
            raise self._found
        return self._found

    def answer(self, name: Identity, content: Content, platforms: Sequence[str]) -> Answer:
        """Whether the daemon has this very image under its name; nothing is compiled to find out.

        Raises as `id`.
        """
        held = self.daemon.held(name.reference)
        if held is None:
            return Answer(up_to_date=False, because=f"Docker has no {name.reference}")
        chosen = architecture(platforms, self.daemon.architecture)
        if not shipped.is_there(chosen):
            return Answer(up_to_date=None, because="not known: goose for images is not built here yet")
        if same(held, self._made(content, chosen)):
            return Answer(up_to_date=True, because=f"Docker has {name.reference}")
        return Answer(up_to_date=False, because=f"Docker calls another image {name.reference}")

    def id(self, name: Identity, content: Content, platforms: Sequence[str]) -> str | None:
        """The id that the daemon gives this image; None where it has none, or another one by its name.

        Raises Refused without a daemon, ToolError where it does not answer or goose cannot be built.
        """
        held = self.daemon.held(name.reference)
        if held and same(held, self._made(content, architecture(platforms, self.daemon.architecture))):
            return held.id
        return None

    def load(self, name: Identity, content: Content, platforms: Sequence[str]) -> str:
        """Load the image, and its id then, which the daemon was asked for. Raises as `id`."""
        made = self._made(content, architecture(platforms, self.daemon.architecture))
        self.daemon.load(archive(made, name.reference))
        there = self.id(name, content, platforms)
        if there is None:
            raise ToolError(
                f"{name.reference} was loaded, and Docker has no such image, or another one by that name",
                todo="run the command again; if it stays so, look who else loads images there",
            )
        return there

    def close(self) -> None:
        """Let go of the daemon."""
        if isinstance(self._found, Docker):
            self._found.close()

    def _made(self, content: Content, architecture: str) -> Platform:
        (made,) = self._builder.build(content, [f"linux/{architecture}"]).platforms
        return made


def architecture(platforms: Sequence[str], daemon: str) -> str:
    """Which of an image's architectures a daemon gets: its own, or else the first, which it may emulate."""
    listed = [one.removeprefix("linux/") for one in platforms]
    return daemon if daemon in listed else listed[0]


def same(held: Held, made: Platform) -> bool:
    """Whether an image that a daemon has is the one that was made here.

    Its id is the digest of its config; where the daemon keeps images in containerd it is another one, and what the
    image is made of has to do.
    """
    if held.id == made.config.digest:
        return True
    wanted = json.loads(made.config.data)["config"]
    return (
        held.architecture == made.architecture
        and held.layers == tuple(one.unpacked for one in made.layers)
        and all(held.settings.get(key) == value for key, value in wanted.items() if value)
    )
