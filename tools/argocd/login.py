"""Which Argo CD is meant, and the token for it: services.yaml, then the variables of the argocd CLI, then its own file.

The order and the names are those of the CLI (cmd/argocd of Argo CD 3.2; util/localconfig).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from schemas.catalog import ArgoCD
from schemas.errors import ArgoError
from schemas.part import Part, Unreadable
from tools import shell
from tools.oci.reference import loopback

__all__ = ["Login", "login"]

SERVER, TOKEN = "ARGOCD_SERVER", "ARGOCD_AUTH_TOKEN"
LARGEST = 1024 * 1024  # bytes of the CLI's file


class Login(NamedTuple):
    """A server and the token for it."""

    url: str  # https://HOST[:PORT][/PATH]
    token: str
    source: str  # where the token comes from, for errors

    def __repr__(self) -> str:
        return f"Login(url={self.url!r}, source={self.source!r})"

    @property
    def host(self) -> str:
        """The server as messages name it."""
        return urlsplit(self.url).netloc


def login(named: ArgoCD) -> Login:
    """The server of an environment and the token for it.

    Raises ArgoError where no server is named, none can be used, or nothing holds a token for it.
    """
    file = _file()
    config = _config(file)
    given = named.server or os.environ.get(SERVER, "") or _current(config, file)
    if not given:
        raise ArgoError(
            "nobody says where Argo CD is",
            todo=f"name it in services.yaml: argocd: {{server: HOST}}\nor: export {SERVER}=HOST",
        )
    url = _url(given)
    variable = named.token_env or TOKEN
    token, source = os.environ.get(variable, "").strip(), variable
    if not token:
        token, source = _held(config, file, urlsplit(url).netloc), str(file)
    if not token:
        raise ArgoError(
            f"there is no token for {urlsplit(url).netloc}",
            why=f"{variable} is not set, and {file} has none for that server",
            todo=f"export {variable}=TOKEN   (argocd account generate-token --account NAME)\n"
            f"or: argocd login {urlsplit(url).netloc} --sso",
        )
    shell.hide(token)
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ArgoError(f"what {source} holds is no token", todo=f"export {variable}=TOKEN")
    return Login(url=url, token=token, source=source)


def _url(given: str) -> str:
    """The address of a server; plain HTTP only on this machine."""
    url = given if "://" in given else f"https://{given}"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    if not parts.hostname or parts.scheme not in {"http", "https"} or parts.username or parts.query or parts.fragment:
        raise ArgoError("the address of Argo CD cannot be used", todo="argocd: {server: HOST} or HOST:PORT")
    if parts.scheme == "http" and not loopback(parts.netloc):
        raise ArgoError(
            f"{parts.netloc} is named without TLS, and a token would go there in clear",
            why="plain HTTP is for this machine alone",
            todo=f"argocd: {{server: {parts.netloc}}}",
        )
    return url.rstrip("/")


def _file() -> Path:
    """Where the CLI keeps its logins (util/config of Argo CD)."""
    if os.environ.get("ARGOCD_CONFIG_DIR"):
        return Path(os.environ["ARGOCD_CONFIG_DIR"]) / "config"
    old = Path("~/.argocd").expanduser()
    if old.is_dir():
        return old / "config"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser()) / "argocd" / "config"


def _config(file: Path) -> Part:
    import yaml  # noqa: PLC0415 - start-up: only who asks Argo CD reads it

    try:
        with file.open("rb") as opened:
            raw = opened.read(LARGEST)
        return Part(yaml.safe_load(raw) or {})
    except (FileNotFoundError, NotADirectoryError):
        return Part({})
    except OSError as error:
        raise ArgoError("the logins of argocd cannot be read", where=str(file), why=error.strerror or "") from error
    except (yaml.YAMLError, Unreadable, RecursionError):  # their words would show the text around the mistake
        raise ArgoError("is no file of argocd's logins", where=str(file), todo="argocd login HOST") from None


def _current(config: Part, file: Path) -> str:
    context = _named(config, "contexts", "name", config.value.get("current-context"), file)
    return _text(context, "server")


def _held(config: Part, file: Path, host: str) -> str:
    """The token of the context that leads to that server: the current one, if it does."""
    current = config.value.get("current-context")
    try:
        contexts = [one for one in config.parts("contexts") if _text(one, "server").partition("/")[0] == host]
    except Unreadable:
        raise ArgoError("is no file of argocd's logins", where=str(file), todo=f"argocd login {host}") from None
    contexts.sort(key=lambda one: one.value.get("name") != current)
    user = _text(contexts[0], "user") if contexts else ""
    return _text(_named(config, "users", "name", user, file), "auth-token") if user else ""


def _named(config: Part, listed: str, key: str, wanted: Any, file: Path) -> Part:
    try:
        return next((one for one in config.parts(listed) if one.value.get(key) == wanted), Part({}))
    except Unreadable:
        raise ArgoError("is no file of argocd's logins", where=str(file), todo="argocd login HOST") from None


def _text(part: Part, key: str) -> str:
    value = part.value.get(key)
    return value if isinstance(value, str) else ""
