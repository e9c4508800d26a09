"""The error for each answer of Argo CD that is not the hoped-for one: an HTTP status, gRPC's code and a message."""

from __future__ import annotations

import json
from typing import NamedTuple

import httpx

from schemas.errors import ArgoBusy, ArgoError
from tools import shell

__all__ = ["Answer", "refusal", "told"]

PRECONDITION = 9  # gRPC's FAILED_PRECONDITION: another operation runs, or automated sync is on
RIGHTS = "applications: get and sync, logs: get"


class Answer(NamedTuple):
    """What Argo CD answered."""

    status: int
    headers: httpx.Headers
    body: bytes


def refusal(host: str, source: str, about: str, answer: Answer) -> ArgoError:
    """The error, in Argo CD's words, with the way out. ``source`` is where the token comes from."""
    code, said = told(answer.body)
    status, kind = answer.status, ArgoError
    if status == httpx.codes.UNAUTHORIZED:
        what = f"{host} does not take the token of {source}"
        todo = f"renew it: argocd login {host} --sso" if "/" in source else f"renew it: export {source}=TOKEN"
    elif status == httpx.codes.FORBIDDEN and "sync window" in said:
        what, todo, kind = f"a sync window keeps {about} closed", "run it again when the window is open", ArgoBusy
    elif status == httpx.codes.FORBIDDEN:
        what = f"{host} does not allow it, or has no {about}: it says the same of both"
        todo = f"correct `argocd: {{application: …}}` in services.yaml, or let the token do {RIGHTS}"
    elif status == httpx.codes.NOT_FOUND:
        what, todo = f"{host} has no {about}", "correct `argocd: {…}` in services.yaml"
    elif code == PRECONDITION or status == httpx.codes.CONFLICT:
        what, todo, kind = f"{about} cannot be changed now", "run it again in a while", ArgoBusy
    elif httpx.codes.is_redirect(status):
        what = f"{host} sends us elsewhere, and the token is not sent there"
        todo, said = "correct `argocd: {server: …}` in services.yaml", _place(answer.headers)
    elif status == httpx.codes.BAD_REQUEST:
        what, todo = f"{host} refuses what was asked about {about}", "run it again; if it stays so, look at Argo CD"
    else:
        what, todo = f"{host} gives no answer about {about}", "run it again in a while"
        said = f"HTTP {status} {said}".strip()
    return kind(what, why=said, todo=todo)


def told(body: bytes) -> tuple[int, str]:
    """The code of gRPC and the message, where the answer has its form; without control characters and secrets."""
    try:
        document = json.loads(body)
        code, said = document.get("code", 0), document.get("message") or document.get("error") or ""
    except (ValueError, AttributeError, RecursionError):
        return 0, ""
    clean = "".join(filter(str.isprintable, str(said).replace("\n", " ")))[:1000]
    return code if isinstance(code, int) else 0, shell.redact(clean)


def _place(headers: httpx.Headers) -> str:
    try:
        return f"to {httpx.URL(headers.get('location', '')).host or 'another path'}"
    except httpx.InvalidURL:
        return ""
