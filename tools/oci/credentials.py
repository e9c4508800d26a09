"""The login for a registry, from where Docker and Podman keep it: config.json and the credential helpers that it names.

Docker's own order: a helper for this registry, the helper for all, what the file itself holds.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from schemas.errors import RegistryError
from tools import shell

__all__ = ["Login", "find"]

LONGEST = 4 * 1024 * 1024  # bytes of config.json
PATIENCE = 60.0  # seconds: a helper may have to ask a cloud
HELPERS = ("HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DBUS_SESSION_BUS_ADDRESS", "GNUPGHOME", "GPG_TTY", "DISPLAY")
CLOUDS = ("AWS_", "GOOGLE_", "CLOUDSDK_", "AZURE_", "ECR_", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy")
IS_TOKEN = "<token>"  # noqa: S105 - the user name with which a helper marks an identity token
NONE_HELD = "credentials not found"  # what helpers say then (docker-credential-helpers, credentials/error.go)


class Login(NamedTuple):
    """A user and password, or the token that stands for both; and where they come from, for errors."""

    source: str
    user: str = ""
    password: str = ""
    identity_token: str = ""  # to be exchanged for a token of the registry
    registry_token: str = ""  # already one


def find(host: str) -> Login | None:
    """The login for a registry; None where nothing holds one. Raises RegistryError where a file or helper is broken."""
    for file in _files():
        config = _read(file)
        if config is None:
            continue
        helper = _text(config.get("credHelpers"), host) or config.get("credsStore")
        login = _helped(str(helper), host) if helper else None
        login = login or _held(config.get("auths"), host, file)
        if login:
            for secret in (login.password, login.identity_token, login.registry_token):
                shell.hide(secret)
            return login
    return None


def _files() -> Iterator[Path]:
    if os.environ.get("REGISTRY_AUTH_FILE"):  # Podman's, Buildah's, Skopeo's
        yield Path(os.environ["REGISTRY_AUTH_FILE"])
    yield Path(os.environ.get("DOCKER_CONFIG") or Path("~/.docker").expanduser()) / "config.json"
    if os.environ.get("XDG_RUNTIME_DIR"):
        yield Path(os.environ["XDG_RUNTIME_DIR"]) / "containers" / "auth.json"


def _read(file: Path) -> dict[str, Any] | None:
    try:
        with file.open("rb") as opened:
            raw = opened.read(LONGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise RegistryError(
            "the logins of registries cannot be read", where=str(file), why=error.strerror or ""
        ) from error
    try:
        config = json.loads(raw) if len(raw) <= LONGEST else None
    except (ValueError, RecursionError):  # its words would show the text around the mistake
        config = None
    if not isinstance(config, dict):
        raise RegistryError(
            "is no JSON document of registries' logins", where=str(file), todo="mend it, or log in anew: docker login"
        )
    return config


def _held(auths: Any, host: str, file: Path) -> Login | None:
    """What the file itself holds; Docker writes a registry's name with or without a scheme and a version."""
    if not isinstance(auths, dict):
        return None
    for name, entry in auths.items():
        plain = str(name).partition("://")[2] or str(name)
        if plain.partition("/")[0] != host or not isinstance(entry, dict):
            continue
        user, password = _text(entry, "username"), _text(entry, "password")
        if _text(entry, "auth"):
            try:
                user, _, password = base64.b64decode(_text(entry, "auth"), validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                raise RegistryError(
                    f"the login for {host} is not readable", where=str(file), todo=f"docker login {host}"
                ) from None
        login = Login(
            source=str(file),
            user=user,
            password=password.strip("\0"),
            identity_token=_text(entry, "identitytoken"),
            registry_token=_text(entry, "registrytoken"),
        )
        if any(login[1:]):
            return login
    return None


def _helped(helper: str, host: str) -> Login | None:
    """What a credential helper answers; it is asked on its standard input, and by no argument."""
    name = f"docker-credential-{helper}"
    if os.sep in helper or not shutil.which(name):
        raise RegistryError(
            f"the login for {host} is kept by {name}, which is not on the PATH",
            todo=f"install {name}, or take it out of Docker's config.json and log in anew: docker login {host}",
        )
    given = {key: value for key, value in os.environ.items() if key in HELPERS or key.startswith(CLOUDS)}
    done = shell.converse([name, "get"], host.encode(), environment={**shell.inherited(), **given}, timeout=PATIENCE)
    said = done.out.decode(errors="replace").strip()
    if done.code:
        if NONE_HELD in said or NONE_HELD in done.err:
            return None
        raise RegistryError(
            f"{name} gives no login for {host}",
            why=(done.err.strip() or f"it ended with {done.code}")[-1000:],  # never its output: it may hold the secret
            todo=f"docker login {host}",
        )
    try:
        answer = json.loads(said)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise RegistryError(f"{name} answers something else than a login", todo=f"docker login {host}")
    user, secret = _text(answer, "Username"), _text(answer, "Secret")
    if user == IS_TOKEN:
        return Login(source=name, identity_token=secret)
    return Login(source=name, user=user, password=secret) if user or secret else None


def _text(entry: Any, key: str) -> str:
    value = entry.get(key) if isinstance(entry, dict) else None
    return value if isinstance(value, str) else ""
