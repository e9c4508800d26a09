"""The name of an image: ``HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]``."""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple

from schemas.errors import RegistryError

__all__ = ["Reference", "loopback", "parse"]

FORM = re.compile(
    r"(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*(?::\d{1,5})?|\[[0-9a-fA-F:]+\](?::\d{1,5})?)/"
    r"(?P<repository>[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?",
    re.ASCII,
)
"""As the distribution specification 1.1 has it, with the host that the container runtimes put before."""


class Reference(NamedTuple):
    """The parts of an image's name."""

    host: str  # with its port
    repository: str
    tag: str = ""
    digest: str = ""


def parse(text: str) -> Reference:
    """The parts of a name. Raises RegistryError where it is none, or names no host: there is no default registry."""
    found = FORM.fullmatch(text)
    host = found["host"] if found else ""
    if found is None or not (host == "localhost" or set(host) & set(".:")):
        raise RegistryError(
            f"`{text}` does not name an image in a registry",
            why="it must be HOST/REPOSITORY, in small letters; a tag and a digest may follow",
            todo="correct `image` in services.yaml: {repository: HOST/…/{service}-migrations}",
        )
    return Reference(host=host, repository=found["repository"], tag=found["tag"] or "", digest=found["digest"] or "")


def loopback(host: str) -> bool:
    """Whether a host, with or without a port, is this machine itself."""
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
