"""A release that went well but for what a case changes, and the verdict on it."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from schemas.application import application
from schemas.catalog import FACTS
from schemas.goose_log import parse_log
from schemas.job import job, pod
from tasks.verify.facts import Expected, Facts, Held, Look, Part, Printed, Seen
from tasks.verify.judgement import Verdict, judge
from tests.argocd_standin.release import released
from tests.argocd_standin.server import World

IMAGE = f"registry.example.com/shop/cart:m-0123456789abcdef@sha256:{'a' * 64}"
COMMIT = "74de4fa726a32a125f73af5cb25606d9f5cf63c2"
LOG = """2026/11/23 04:56:47 OK   1_a.sql (1.95ms)
2026/11/23 04:56:47 OK   2_b.sql (1.95ms)
2026/11/23 04:56:47 goose: successfully migrated database to version: 2
"""


def part(key: str, known: tuple[int, ...] = ()) -> Part:
    name = "cart-migrate" if key == "main" else f"cart-migrate-{key}"
    return Part(label=f"cart/{key}", job=name, files={1: "1_a.sql", 2: "2_b.sql"}, known=frozenset(known))


def judged(case: dict[str, Any], parts: tuple[Part, ...] | None = None) -> Verdict:
    """The verdict on a release that went well but for what the case changes."""
    parts = (part("main", case.get("known", ())),) if parts is None else parts
    world = World()
    released(world, "cart-dev", image=IMAGE, revision=COMMIT, logs={one.job: LOG for one in parts})
    expected = Expected(
        service="cart",
        environment="dev",
        application="cart-dev",
        namespace="auth",
        image=IMAGE,
        digests=frozenset((IMAGE.partition("@")[2], f"sha256:{'b' * 64}")),
        parts=parts,
    )
    return judge(facts(case, world, parts), expected, case.get("require", FACTS))


def facts(case: dict[str, Any], world: World, parts: tuple[Part, ...]) -> Facts:
    document = world.applications["cart-dev"]
    rows = document["status"]["operationState"]["syncResult"]["resources"]
    if "row" in case:
        hook = next(one for one in rows if one["kind"] == "Job")
        rows[rows.index(hook)] = merged(hook, case["row"])
        rows[:] = filter(None, rows)
    document = merged(document, {"status": {"operationState": case.get("state", {})}})
    document = merged(document, case.get("application", {}))
    return Facts(
        application=Look(why="nobody answers") if document is None else Look(value=application(document)),
        said=Look(value=case.get("said", IMAGE)),
        jobs={one.job: seen(case, world, one) for one in parts},
        logs={one.job: Look(value=tuple(printed(case, world, one))) for one in parts},
        databases={one.label: held(case, one) for one in parts},
    )


def seen(case: dict[str, Any], world: World, part: Part) -> Look[Seen]:
    found = merged(world.jobs[part.job], case.get("job", {}))
    if found is None:
        return Look(why="it is not there")
    pods = [merged(one, case.get("pod", {})) for one in world.pods.values()]
    for one in filter(None, pods):
        status = one["status"]["containerStatuses"][0]
        one["status"]["containerStatuses"][0] = merged(status, case.get("container", {}))
    read = [pod(one) for one in pods if one]
    name = f"{part.job}-xrun-1"
    return Look(value=Seen(job=job(found), pods=tuple(one for one in read if one.name == name)))


def printed(case: dict[str, Any], world: World, part: Part) -> Iterator[Printed]:
    text = case.get(f"log of {part.label}", case.get("log", world.logs[f"{part.job}-xrun-1"]))
    if text is not None:
        yield Printed(pod=f"{part.job}-xrun-1", text=text, cut=case.get("cut", False), log=parse_log(text))


def held(case: dict[str, Any], part: Part) -> Look[Held]:
    told = case.get("database", {"versions": [1, 2]})
    if part.label == "cart/other":
        told = {"versions": case.get("other", [1, 2])}
    if told is None:
        return Look(why="a variable is not set")
    told = {key: frozenset(value) if key == "versions" else tuple(value) for key, value in told.items()}
    return Look(value=Held(**told))


def merged(document: Any, patch: Any) -> Any:
    """The document after a merge patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return deepcopy(patch)
    made = dict(document) if isinstance(document, dict) else {}
    for key, value in patch.items():
        if value is None:
            made.pop(key, None)
        else:
            made[key] = merged(made.get(key), value)
    return made
