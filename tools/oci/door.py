"""The way into one registry: TLS, the login, retries; after the distribution specification 1.1 and Docker's tokens.

Nothing of a request's query is shown, and no body that was sent: a registry puts tokens of its own there.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx

from schemas.errors import RegistryError
from tools import shell
from tools.oci.credentials import Login, find
from tools.oci.reference import loopback
from tools.oci.trust import trust
from tools.patience import Patience

__all__ = ["Answer", "Door", "Interrupted"]

ATTEMPTS = 6
LONGEST_PAUSE = 30.0  # seconds between two attempts
LONGEST = 4 * 1024 * 1024  # bytes of an answer: the specification's limit of a manifest
BUSY = frozenset((408, 429, 500, 502, 503, 504))
PARAMETER = re.compile(r'(\w+)="([^"]*)"')
CLIENT = "gander"


class Answer(NamedTuple):
    """What a registry answered."""

    status: int
    headers: httpx.Headers
    body: bytes
    url: httpx.URL


class Interrupted(Exception):
    """A request whose body could not be sent again was not answered, or with a plea to wait."""


class Door:
    """One registry; safe to use from several threads."""

    def __init__(self, host: str, *, pause: Callable[[float], None] = time.sleep) -> None:
        self.host, self.pause = host, pause
        self.client = httpx.Client(
            verify=trust(host),
            timeout=httpx.Timeout(60, connect=15),
            trust_env=not loopback(host),  # proxies
            limits=httpx.Limits(max_connections=32),
            headers={"User-Agent": CLIENT},
        )
        self.patience = self._patience()
        self._lock = threading.Lock()
        self._base = ""
        self._login: Login | None = None
        self._asked = False  # for a login
        self._headers: dict[tuple[str, ...], str] = {}  # scopes -> what to send as Authorization

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def _patience(self) -> Patience:
        return Patience(attempts=ATTEMPTS, longest=LONGEST_PAUSE, pause=self.pause)

    def url(self, path: str) -> str:
        """The address of a path below ``/v2/``."""
        return f"{self.base}/v2/{path}"

    @property
    def base(self) -> str:
        """``https://HOST``; plain HTTP only for a registry on loopback that speaks no TLS."""
        with self._lock:
            if not self._base:
                self._base = f"https://{self.host}"
                if loopback(self.host):
                    try:
                        self.client.head(f"{self._base}/v2/")
                    except httpx.ConnectError as error:
                        if "WRONG_VERSION_NUMBER" in str(error) or "record layer failure" in str(error):
                            self._base = f"http://{self.host}"
                    except httpx.HTTPError:
                        pass  # whoever asks next is told
            return self._base

    def ask(
        self,
        method: str,
        url: str,
        *,
        scopes: Sequence[str],
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        once: bool = False,
        most: int = LONGEST,
    ) -> Answer:
        """The answer to a request, whatever its status, after a login where one is wanted; of ``most`` bytes.

        A registry that is busy or cannot be reached is asked again, later and later. With ``once`` it is not, and
        Interrupted is raised. Raises RegistryError where it stays away, does not let us in, or cannot be trusted.
        """
        wanted = tuple(scopes)

        def send() -> Answer:
            return self._send(method, url, wanted, headers or {}, content, most=most)

        try:
            answer = send() if once else self.patience.answer(send, BUSY)
        except httpx.TransportError as error:
            raise Interrupted(str(error)) if once else self._unreachable(error) from error
        if once and answer.status in BUSY:
            raise Interrupted(f"HTTP {answer.status}")
        return answer

    def refused(self, what: str, answer: Answer) -> RegistryError:
        """The error for an answer that is not the hoped-for one, in the registry's words."""
        said = _words(answer.body)
        todo = "run the command again"
        if answer.status in {401, 403}:
            known = f"the login of {self._login.source} is used" if self._login else "no login for it is known"
            said, todo = f"{said}\n{known}".strip(), f"docker login {self.host}"
        return RegistryError(f"{self.host}: {what}: HTTP {answer.status}", why=shell.redact(said), todo=todo)

    def _send(
        self,
        method: str,
        url: str,
        scopes: tuple[str, ...],
        headers: Mapping[str, str],
        content: bytes | None,
        *,
        most: int,
    ) -> Answer:
        """Send it, and once more after a login where the registry wants one."""
        own = _origin(url) == _origin(self.base)
        if _insecure(url):
            raise RegistryError(
                f"{self.host} leads to an address without TLS", why=f"http://{httpx.URL(url).host}", todo=""
            )
        sent = self._headers.get(scopes, "") if own else ""
        answer = self._exchange(method, url, {**headers, **_authorization(sent)}, content, most)
        if answer.status != 401 or not own:  # noqa: PLR2004 - unauthorized
            return answer
        renewed = self._authorize(answer, scopes, but=sent)
        if not renewed:
            return answer
        return self._exchange(method, url, {**headers, **_authorization(renewed)}, content, most)

    def _exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes | None,
        most: int = LONGEST,
        **more: Any,
    ) -> Answer:
        request = self.client.build_request(method, url, headers=dict(headers), content=content, **more)
        answer = self.client.send(request, stream=True)
        body = bytearray()
        with contextlib.closing(answer):
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > most:
                    raise RegistryError(f"{self.host} answers with more than {most / (1 << 20):.0f} MiB")
        return Answer(status=answer.status_code, headers=answer.headers, body=bytes(body), url=answer.url)

    def _authorize(self, answer: Answer, scopes: tuple[str, ...], but: str) -> str:
        """What to send as Authorization by the registry's challenge; empty where nothing else is known."""
        with self._lock:
            known = self._headers.get(scopes, "")
            if known and known != but:  # another thread has been here
                return known
            if not self._asked:
                self._login, self._asked = find(self.host), True
            login = self._login
        made = ""
        for challenge in answer.headers.get_list("www-authenticate"):
            kind, _, rest = challenge.partition(" ")
            if kind.lower() == "bearer":
                made = f"Bearer {self._token(dict(PARAMETER.findall(rest)), scopes, login)}"
            elif kind.lower() == "basic" and login and (login.user or login.password):
                made = httpx.BasicAuth(login.user, login.password)._auth_header  # noqa: SLF001 - the one encoder there is
        if not made or made == but:
            return ""
        with self._lock:
            self._headers[scopes] = made
        return made

    def _token(self, challenge: Mapping[str, str], scopes: tuple[str, ...], login: Login | None) -> str:
        """A token of the server that the registry names, for what is to be done."""
        if login and login.registry_token:
            return login.registry_token
        realm = challenge.get("realm", "")
        if not realm.startswith(("https://", "http://")) or _insecure(realm):
            raise RegistryError(f"{self.host} names no server of tokens that can be trusted", why=_shown(realm))
        tokens = self._patience()  # another server than the registry's
        service = {"service": challenge["service"]} if "service" in challenge else {}
        if login and login.identity_token:  # an OAuth 2 refresh token (distribution, spec/auth/oauth)
            form = {"grant_type": "refresh_token", "refresh_token": login.identity_token, "client_id": CLIENT}
            form |= {**service, "scope": " ".join(scopes)}
            answer = tokens.answer(lambda: self._exchange("POST", realm, {}, None, data=form), BUSY)
        else:
            header = {}
            if login:
                header = _authorization(httpx.BasicAuth(login.user, login.password)._auth_header)  # noqa: SLF001
            query: list[tuple[str, str | int | float | bool | None]] = [
                *service.items(),
                *(("scope", scope) for scope in scopes),
            ]
            url = str(httpx.URL(realm).copy_merge_params(query))
            answer = tokens.answer(lambda: self._exchange("GET", url, header, None), BUSY)
        if answer.status != 200:  # noqa: PLR2004 - OK
            raise self.refused(f"its server of tokens, {_shown(realm)}, gives none", answer)
        try:
            document = json.loads(answer.body)
            token = document.get("token") or document.get("access_token")
        except (ValueError, AttributeError, RecursionError):
            token = None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise RegistryError(f"{self.host}: its server of tokens answers something else than a token")
        shell.hide(token)
        return token

    def _unreachable(self, error: httpx.TransportError) -> RegistryError:
        said = shell.redact(str(error) or type(error).__name__)
        if "CERTIFICATE_VERIFY_FAILED" in said:
            todo = (
                f"where it has a certificate of your own authority: SSL_CERT_FILE=FILE, or "
                f"~/.docker/certs.d/{self.host}/ca.crt"
            )
            return RegistryError(f"{self.host} is not trusted", why=said, todo=todo)
        return RegistryError(
            f"{self.host} cannot be reached", why=said, todo="check the network and proxies, then run the command again"
        )


def _authorization(value: str) -> dict[str, str]:
    return {"Authorization": value} if value else {}


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _insecure(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme != "https" and not loopback(parts.netloc.rpartition("@")[2])


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _words(body: bytes) -> str:
    """The registry's own words, where its answer has the specification's form."""
    try:
        errors = json.loads(body)["errors"]
        lines = [f"{one.get('code', '')}: {one.get('message', '')}" for one in errors[:5]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ""
    return "\n".join("".join(filter(str.isprintable, line))[:300] for line in lines)
