"""Which Argo CD is meant, and the token for it: services.yaml, then the variables of the argocd CLI, then its own file.

The order and the names are those of the CLI (cmd/argocd of Argo CD 3.2).
"""

from __future__ import annotations

import os
from typing import NamedTuple
from urllib.parse import urlsplit

from schemas.catalog import ArgoCD
from schemas.errors import ArgoError
from tools import shell
from tools.argocd.cli import logins
from tools.oci.reference import loopback

__all__ = ["Login", "login"]

SERVER, TOKEN = "ARGOCD_SERVER", "ARGOCD_AUTH_TOKEN"


class Login(NamedTuple):
    """A server and the token for it."""

    url: str  # https://HOST[:PORT][/PATH]
    token: str
    source: str  # where the token comes from, for errors
    authority: str = ""  # the certificate, in PEM, of whoever vouches for this server, beside those of the machine

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
    known = logins()
    given = named.server or os.environ.get(SERVER, "") or known.current()
    if not given:
        raise ArgoError(
            "nobody says where Argo CD is",
            todo=f"name it in services.yaml: argocd: {{server: HOST}}\nor: export {SERVER}=HOST",
        )
    url = _url(given)
    variable = named.token_env or TOKEN
    token, source = os.environ.get(variable, "").strip(), variable
    if not token:
        token, source = known.token(urlsplit(url).netloc), str(known.file)
    if not token:
        raise ArgoError(
            f"there is no token for {urlsplit(url).netloc}",
            why=f"{variable} is not set, and {known.file} has none for that server",
            todo=f"export {variable}=TOKEN   (argocd account generate-token --account NAME)\n"
            f"or: argocd login {urlsplit(url).netloc} --sso",
        )
    shell.hide(token)
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ArgoError(f"what {source} holds is no token", todo=f"export {variable}=TOKEN")
    return Login(url=url, token=token, source=source, authority=known.authority(urlsplit(url).netloc))


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
