"""The logins that the argocd CLI has written down (util/config and util/localconfig of Argo CD 3.2)."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from schemas.errors import ArgoError
from schemas.part import Part, Unreadable

__all__ = ["Logins", "logins"]

LARGEST = 1024 * 1024  # bytes of the file
NAME_IT = "name the server in services.yaml: argocd: {server: HOST}"


class Logins(NamedTuple):
    """The contexts, servers and users of a file; empty where there is none. Everything raises ArgoError."""

    file: Path
    held: Part

    def current(self) -> str:
        """The URL of the server that the current context names; empty without."""
        context = next(self._where("contexts", "name", str(self.held.value.get("current-context"))), Part({}))
        named = self._text(context, "server")
        about = next(self._where("servers", "server", named), Part({}))
        if self._flag(about, "core") or named == "kubernetes":
            raise self._unusable("talks to Kubernetes alone (argocd login --core)")
        if named == "port-forward":
            raise self._unusable("forwards a port by itself (argocd --port-forward)")
        root = self._text(about, "grpc-web-root-path").strip("/")
        scheme = "http" if self._flag(about, "plain-text") else "https"
        return f"{scheme}://{named}{f'/{root}' if root else ''}" if named else ""

    def token(self, host: str) -> str:
        """The token of the context that leads to that server: the current one, if it does; empty without."""
        current = self.held.value.get("current-context")
        found = [one for one in self._listed("contexts") if _plain(self._text(one, "server")) == _plain(host)]
        found.sort(key=lambda one: one.value.get("name") != current)
        user = self._text(found[0], "user") if found else ""
        return self._text(next(self._where("users", "name", user), Part({})), "auth-token") if user else ""

    def authority(self, host: str) -> str:
        """The certificate, in PEM, of whoever vouches for that server alone; empty without."""
        found = [one for one in self._listed("servers") if _plain(self._text(one, "server")) == _plain(host)]
        data = next(filter(None, (self._text(one, "certificate-authority-data") for one in found)), "")
        try:
            return base64.b64decode(data, validate=True).decode("ascii")
        except (binascii.Error, UnicodeDecodeError):
            what = f"is no certificate: certificate-authority-data of {host}"
            raise ArgoError(what, where=str(self.file), todo=f"argocd login {host}") from None

    def broken(self) -> ArgoError:
        """The error for a file that is none of the CLI; its text is not shown."""
        return ArgoError("is no file of argocd's logins", where=str(self.file), todo="argocd login HOST")

    def _unusable(self, how: str) -> ArgoError:
        return ArgoError(f"the current context of argocd {how}", where=str(self.file), todo=NAME_IT)

    def _where(self, listed: str, key: str, wanted: str) -> Iterator[Part]:
        return (one for one in self._listed(listed) if one.value.get(key) == wanted)

    def _listed(self, name: str) -> list[Part]:
        try:
            return list(self.held.parts(name))
        except Unreadable:
            raise self.broken() from None

    def _flag(self, part: Part, key: str) -> bool:
        try:
            return part.flag(key)
        except Unreadable:
            raise self.broken() from None

    def _text(self, part: Part, key: str) -> str:
        value = part.value.get(key)
        return value if isinstance(value, str) else ""


def logins() -> Logins:
    """Those of whoever runs this. Raises ArgoError where the file cannot be read."""
    import yaml  # noqa: PLC0415 - start-up: only who asks Argo CD reads it

    file = _file()
    try:
        with file.open("rb") as opened:
            raw = opened.read(LARGEST)
        return Logins(file, Part(yaml.safe_load(raw) or {}))
    except (FileNotFoundError, NotADirectoryError):
        return Logins(file, Part({}))
    except OSError as error:
        raise ArgoError("the logins of argocd cannot be read", where=str(file), why=error.strerror or "") from error
    except (yaml.YAMLError, Unreadable, RecursionError):  # their words would show the text around the mistake
        raise Logins(file, Part({})).broken() from None


def _file() -> Path:
    """Where the CLI keeps them."""
    if os.environ.get("ARGOCD_CONFIG_DIR"):
        return Path(os.environ["ARGOCD_CONFIG_DIR"]) / "config"
    old = Path("~/.argocd").expanduser()
    if old.is_dir():
        return old / "config"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser()) / "argocd" / "config"


def _plain(server: str) -> str:
    """A server as it is compared: HOST, or HOST:PORT where that is not HTTPS' own."""
    return server.partition("/")[0].lower().removesuffix(":443")
