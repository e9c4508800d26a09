"""How a sync is asked for: once, with a run id of its own by which it is found again, whoever looks."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import NamedTuple

from schemas.application import IMAGE, RUN
from schemas.errors import ArgoBusy, ArgoUnsure, NotVerified
from tools.argocd import Server

__all__ = ["Request", "ask", "new"]

TRIES = 3  # times that a request is made: again only where it is seen not to have been taken
LOOKS = 5  # after each of which nobody has seen it


class Request(NamedTuple):
    """One operation that is wanted, or that runs."""

    application: str
    image: str
    commit: str  # in full
    run: str


def new(application: str, image: str, commit: str) -> Request:
    """A request with a run id that no other has."""
    return Request(application, image, commit, f"{commit[:12]}-{secrets.token_hex(8)}")


def ask(server: Server, request: Request, pause: Callable[[], None], say: Callable[[str], None]) -> ArgoBusy | None:
    """Ask Argo CD for it; what was in its way where nothing was asked for, else None.

    Where nobody knows whether it was taken, its run id is looked for before it is asked for again: a second one with
    the same id finds nothing left to run. Raises NotVerified where it stays unknown, ArgoError.
    """
    for trial in range(1, TRIES + 1):
        try:
            server.sync(request.application, request.commit, {RUN: request.run, IMAGE: request.image})
        except ArgoBusy as busy:
            return None if _there(server, request) else busy
        except ArgoUnsure as unsure:
            say(f"{unsure.what}: looking for run {request.run}")
            if _found(server, request, pause):
                return None
            if trial == TRIES:
                raise NotVerified(
                    f"nobody knows whether {server.host} took the request for {request.application}",
                    why=unsure.why,
                    todo="run it again: what was taken is taken up, by its run id",
                ) from unsure
        else:
            return None
    raise AssertionError("the last trial returns or raises")


def _found(server: Server, request: Request, pause: Callable[[], None]) -> bool:
    for _ in range(LOOKS):
        if _there(server, request):
            return True
        pause()
    return False


def _there(server: Server, request: Request) -> bool:
    application = server.application(request.application)
    pending, state = application.pending, application.state
    return (pending is not None and pending.run == request.run) or (
        state is not None and state.request.run == request.run
    )
