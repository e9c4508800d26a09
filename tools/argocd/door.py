"""The way into one Argo CD: TLS, the token, and retries where a repeat is safe."""

from __future__ import annotations

import contextlib
import json
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from schemas.errors import ArgoError, ArgoUnsure
from tools import shell
from tools.argocd.login import Login
from tools.argocd.refusal import Answer, refusal, told
from tools.oci.reference import loopback
from tools.oci.trust import trust
from tools.patience import Patience

__all__ = ["Door"]

ATTEMPTS = 4
LONGEST_PAUSE = 10.0  # seconds between two attempts
LONGEST = 32 * 1024 * 1024  # bytes of an answer
PATIENCE = 60.0  # seconds for a whole answer
CONNECTING = 10.0
UNSURE = frozenset((408, 500, 502, 503, 504))  # whoever answered need not be Argo CD, and it may have acted
TOO_MANY = 429  # it has not acted

Query = Mapping[str, str]


class Door:
    """One Argo CD; safe to use from several threads."""

    def __init__(
        self, login: Login, *, pause: Callable[[float], None] = time.sleep, patience: float = PATIENCE
    ) -> None:
        self.login, self.whole = login, patience
        self.asking = Patience(attempts=ATTEMPTS, longest=LONGEST_PAUSE, pause=pause)
        shell.hide(login.token)
        self.client = httpx.Client(
            verify=_trusted(login),
            timeout=httpx.Timeout(patience, connect=CONNECTING),
            trust_env=not loopback(login.host),  # proxies
            follow_redirects=False,  # the token is for this server alone
            limits=httpx.Limits(max_connections=32),
            headers={"User-Agent": "gander", "Authorization": f"Bearer {login.token}", "Accept": "application/json"},
        )

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def get(self, path: str, about: str, query: Query | None = None) -> Any:
        """The JSON document at a path; asked again where the answer broke off. Raises ArgoError."""
        return self._document(self._patiently("GET", path, about, query or {}), about)

    def text(self, path: str, about: str, query: Query) -> str:
        """The text at a path, as `get`."""
        return self._patiently("GET", path, about, query).decode(errors="replace")

    def act(self, method: str, path: str, about: str, body: Mapping[str, Any] | None = None) -> Any:
        """The answer to something that changes the world, which is sent once.

        Raises ArgoUnsure where nobody knows whether it was done, ArgoBusy where something is in its way, ArgoError.
        """
        try:
            answer = self.asking.answer(lambda: self._exchange(method, path, {}, body), {TOO_MANY}, once=True)
        except httpx.ConnectError as error:  # nothing was sent
            raise self._unreachable(error) from error
        except httpx.TransportError as error:
            raise self._unsure(about, _words(error)) from error
        if answer.status in UNSURE:
            raise self._unsure(about, f"HTTP {answer.status} {told(answer.body)[1]}".strip())
        if answer.status != httpx.codes.OK:
            raise self._refused(about, answer)
        return self._document(answer.body, about)

    def _patiently(self, method: str, path: str, about: str, query: Query) -> bytes:
        try:
            answer = self.asking.answer(lambda: self._exchange(method, path, query, None), UNSURE | {TOO_MANY})
        except httpx.TransportError as error:
            raise self._unreachable(error) from error
        if answer.status != httpx.codes.OK:
            raise self._refused(about, answer)
        return answer.body

    def _exchange(self, method: str, path: str, query: Query, body: Mapping[str, Any] | None) -> Answer:
        """One request and its whole answer; a TransportError too where it dribbles on past all patience."""
        until = time.monotonic() + self.whole
        request = self.client.build_request(method, f"{self.login.url}/api/v1/{path}", params=dict(query), json=body)
        answer = self.client.send(request, stream=True)
        held = bytearray()
        with contextlib.closing(answer):
            for chunk in answer.iter_bytes():
                held += chunk
                if len(held) > LONGEST:
                    raise ArgoError(f"{self.login.host} answers with more than {LONGEST >> 20} MiB")
                if time.monotonic() > until:
                    raise httpx.ReadTimeout(f"the answer was not whole after {self.whole:.0f} s")
        return Answer(answer.status_code, answer.headers, bytes(held))

    def _document(self, answer: bytes, about: str) -> Any:
        try:
            return json.loads(answer)
        except (ValueError, RecursionError):
            raise ArgoError(
                f"{self.login.host} answers something else than JSON about {about}",
                todo="check that the address is Argo CD's own, and not that of a login page before it",
            ) from None

    def _refused(self, about: str, answer: Answer) -> ArgoError:
        return refusal(self.login.host, self.login.source, about, answer)

    def _unsure(self, about: str, said: str) -> ArgoUnsure:
        why = shell.redact(said)
        return ArgoUnsure(f"nobody knows whether {self.login.host} did what was asked of {about}", why=why)

    def _unreachable(self, error: httpx.TransportError) -> ArgoError:
        said, host = _words(error), self.login.host
        if "CERTIFICATE_VERIFY_FAILED" in said:
            todo = "where it has a certificate of your own authority: export SSL_CERT_FILE=FILE"
            return ArgoError(f"{host} is not trusted", why=said, todo=todo)
        return ArgoError(
            f"{host} cannot be reached",
            why=said,
            todo="check the network (VPN, proxies), then run the command again",
        )


def _trusted(login: Login) -> ssl.SSLContext:
    """Whom a connection there is checked against."""
    if not login.url.startswith("https"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context = trust(login.host)
    if login.authority:
        try:
            context.load_verify_locations(cadata=login.authority)
        except ssl.SSLError:
            what = f"is no certificate: what argocd has written down as the authority of {login.host}"
            raise ArgoError(what, todo=f"argocd login {login.host}") from None
    return context


def _words(error: Exception) -> str:
    return shell.redact(str(error) or type(error).__name__)
