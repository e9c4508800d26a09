"""Whom we believe to be a registry: the certificates of this machine, and those kept for that registry alone."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from schemas.errors import RegistryError

__all__ = ["trust"]

NAMED = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
FOLDERS = (  # where Docker and Podman look, a folder a registry: HOST:PORT/*.crt
    *("/etc/docker/certs.d", "~/.docker/certs.d", "~/.config/docker/certs.d"),
    *("/etc/containers/certs.d", "~/.config/containers/certs.d"),
)


def trust(host: str) -> ssl.SSLContext:
    """What a connection to that registry is checked against; a file that a variable names takes the system's place.

    Raises RegistryError where a file of certificates cannot be read.
    """
    named = next((os.environ[name] for name in NAMED if os.environ.get(name)), None)
    try:
        if named:
            folder = Path(named).is_dir()
            context = ssl.create_default_context(cafile=None if folder else named, capath=named if folder else None)
        else:
            import certifi  # noqa: PLC0415 - start-up: only who connects needs it

            context = ssl.create_default_context()
            context.load_verify_locations(certifi.where())
    except (OSError, ssl.SSLError) as error:
        raise RegistryError("is no file of certificates that can be read", where=named or "", why=str(error)) from error
    for file in (file for place in FOLDERS for file in sorted((Path(place).expanduser() / host).glob("*.crt"))):
        try:
            context.load_verify_locations(file)
        except (OSError, ssl.SSLError) as error:
            raise RegistryError("is no certificate that can be read", where=str(file), why=str(error)) from error
    return context
