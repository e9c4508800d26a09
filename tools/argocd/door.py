"""The way into one Argo CD: TLS, the token, and retries where a repeat is safe."""

from __future__ import annotations

import contextlib
import json
import random
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from schemas.errors import ArgoError, ArgoUnsure
from tools import shell
from tools.argocd.login import Login
from tools.argocd.refusal import Refusal, refusal, told
from tools.oci.reference import loopback
from tools.oci.trust import trust

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
        self.login, self.pause, self.patience = login, pause, patience
        shell.hide(login.token)
        self.client = httpx.Client(
            verify=trust(login.host) if login.url.startswith("https") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
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
        for trial in range(1, ATTEMPTS + 1):
            try:
                status, headers, answer = self._exchange(method, path, {}, body)
            except httpx.ConnectError as error:  # nothing was sent
                raise self._unreachable(error) from error
            except httpx.TransportError as error:
                raise self._unsure(about, _words(error)) from error
            if status == TOO_MANY and trial < ATTEMPTS:
                self.pause(_delay(trial, headers.get("retry-after", "")))
                continue
            if status in UNSURE:
                raise self._unsure(about, f"HTTP {status} {told(answer)[1]}".strip())
            if status != httpx.codes.OK:
                raise self._refused(about, Refusal(status, headers, answer))
            return self._document(answer, about)
        raise AssertionError("the last trial returns or raises")

    def _patiently(self, method: str, path: str, about: str, query: Query) -> bytes:
        for trial in range(1, ATTEMPTS + 1):
            last = trial == ATTEMPTS
            try:
                status, headers, answer = self._exchange(method, path, query, None)
            except httpx.TransportError as error:
                if last or "CERTIFICATE_VERIFY_FAILED" in str(error):
                    raise self._unreachable(error) from error
                self.pause(_delay(trial, ""))
                continue
            if status in UNSURE | {TOO_MANY} and not last:
                self.pause(_delay(trial, headers.get("retry-after", "")))
                continue
            if status != httpx.codes.OK:
                raise self._refused(about, Refusal(status, headers, answer))
            return answer
        raise AssertionError("the last trial returns or raises")

    def _exchange(
        self, method: str, path: str, query: Query, body: Mapping[str, Any] | None
    ) -> tuple[int, httpx.Headers, bytes]:
        """One request and its whole answer; a TransportError too where it dribbles on past all patience."""
        until = time.monotonic() + self.patience
        request = self.client.build_request(method, f"{self.login.url}/api/v1/{path}", params=dict(query), json=body)
        answer = self.client.send(request, stream=True)
        held = bytearray()
        with contextlib.closing(answer):
            for chunk in answer.iter_bytes():
                held += chunk
                if len(held) > LONGEST:
                    raise ArgoError(f"{self.login.host} answers with more than {LONGEST >> 20} MiB")
                if time.monotonic() > until:
                    raise httpx.ReadTimeout(f"the answer was not whole after {self.patience:.0f} s")
        return answer.status_code, answer.headers, bytes(held)

    def _document(self, answer: bytes, about: str) -> Any:
        try:
            return json.loads(answer)
        except (ValueError, RecursionError):
            raise ArgoError(
                f"{self.login.host} answers something else than JSON about {about}",
                todo="check that the address is Argo CD's own, and not that of a login page before it",
            ) from None

    def _refused(self, about: str, answer: Refusal) -> ArgoError:
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


def _words(error: Exception) -> str:
    return shell.redact(str(error) or type(error).__name__)


def _delay(trial: int, asked: str) -> float:
    """Seconds to wait: what the server asks for, else twice as long each time, never all at the same moment."""
    if asked.isdigit():
        return min(float(asked), LONGEST_PAUSE)
    return min(0.5 * 2.0**trial, LONGEST_PAUSE) * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing
