"""AR10 dsn-in-clear: no password stands in a manifest, in values or in a command line.

Problem: A URL with a password, or a password by itself, is written into the chart, its values or an Application; or a
command line is put together from one.

Consequence: Whoever can read the repository, the Application or the Job has the database. A command line is shown to
everybody who may list processes, and is part of crash reports and logs.

Solution: Keep the whole URL in a Secret that is not made from this repository, and give it to goose as `GOOSE_DBSTRING`
with `valueFrom.secretKeyRef`. goose reads it from there: its command is `-env=none up`.

Source: Kubernetes 1.34, concepts/security/secrets-good-practices, and tasks/inject-data-application/
define-command-argument-container (`$(NAME)` is filled in before the program starts); goose 3.27, cmd/goose.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any

from schemas.manifest import Manifest
from tasks.lint.finding import Flaw
from tasks.lint.release import Release, commands, containers, flaw, listed
from tasks.lint.rule import Rule

__all__ = ["RULE", "check"]

RULE = Rule(code="AR10", name="dsn-in-clear", severity="error", needs="release")
URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@\"']*:(?P<password>[^\s/@\"']+)@")
WORD = re.compile(r"(?<![A-Za-z])(?:password|passwd|pwd)=(?P<password>[^\s&;'\"]+)", re.IGNORECASE)
NAMED = re.compile(r"(?:^|[_.-])(?:PASSWORD|PASSWD|PGPASSWORD|PASS|SECRET|TOKEN|URL|DSN|DBSTRING)$", re.IGNORECASE)
KEY = re.compile(r"(?:^|[_.-])(?:PASSWORD|PASSWD|PGPASSWORD)$", re.IGNORECASE)
STAND_IN = re.compile(r"\$[({A-Za-z_].*|<[^>]*>|\*+|\{\{.*")  # a reference to a variable, or no password at all
EXPANDED = re.compile(r"\$\((?P<name>[A-Za-z_]\w*)\)")  # by Kubernetes
SHELL = re.compile(r"\$\{?(?P<name>[A-Za-z_]\w*)")
ASSIGNED = re.compile(r"(?<!\S)(?:export\s+)?[A-Za-z_]\w*=(?:\"[^\"]*\"|'[^']*'|[^\s;&|]*)")


def check(release: Release) -> Iterator[Flaw]:
    """Each text with a password in it; the message never repeats it."""
    for manifest in (*release.manifests, *release.applications):
        for path, text in _texts(manifest.data, ()):
            if _has_password(text):
                yield flaw(manifest.at(*path), f"A password stands in this {manifest.kind}: all who read it have it.")
        yield from _given(manifest)
    for manifest in release.manifests:
        for path, container in containers(manifest):
            yield from _composed(manifest, path, container)


def _given(manifest: Manifest) -> Iterator[Flaw]:
    """Passwords that are values by themselves: of variables, and of the Secrets that a chart makes."""
    for path, container in containers(manifest):
        for number, one in enumerate(listed(container.get("env"))):
            if isinstance(one, dict) and KEY.search(str(one.get("name"))) and _literal(one.get("value")):
                place = manifest.at(*path, "env", number, "value")
                yield flaw(
                    place, f"The password {one['name']} stands in this {manifest.kind}: all who read it have it."
                )
    for key in ("data", "stringData") if manifest.kind == "Secret" else ():
        entries = manifest.get(key)
        for name, value in entries.items() if isinstance(entries, dict) else ():
            plain = _decoded(value) if key == "data" else value
            if NAMED.search(name) and _literal(plain) and not (key == "stringData" and _has_password(str(value))):
                message = f"The chart makes the Secret {manifest.name} from plain values: {name} is in the repository."
                yield flaw(manifest.at(key, name), message)


def _composed(manifest: Manifest, path: tuple[str | int, ...], container: dict[str, Any]) -> Iterator[Flaw]:
    """Command lines into which a secret variable is put, by Kubernetes or by a shell."""
    variables = [one for one in listed(container.get("env")) if isinstance(one, dict)]
    secret = {str(one.get("name")) for one in variables if "secretKeyRef" in (one.get("valueFrom") or ())}
    for word in commands(container):
        found = [one["name"] for one in EXPANDED.finditer(word)]
        found += [one["name"] for one in SHELL.finditer(ASSIGNED.sub("", word))]
        names = [name for name in found if name in secret or NAMED.search(name)]
        if names:
            message = f"{names[0]} is put into a command line: it is shown to all who may list processes."
            yield flaw(manifest.at(*path, "args" if word in listed(container.get("args")) else "command"), message)
            return


def _texts(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str):
        yield path, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from _texts(one, (*path, key))


def _has_password(text: str) -> bool:
    return any(not STAND_IN.fullmatch(found["password"]) for pattern in (URL, WORD) for found in pattern.finditer(text))


def _literal(value: Any) -> bool:
    return isinstance(value, str | int) and bool(str(value)) and not STAND_IN.fullmatch(str(value))


def _decoded(value: Any) -> str:
    try:
        return base64.b64decode(str(value), validate=True).decode(errors="replace")
    except (binascii.Error, ValueError):
        return ""
