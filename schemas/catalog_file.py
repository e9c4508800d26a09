"""What exists, read from services.yaml: the checked `Catalog`, or every mistake in the file at once."""

from __future__ import annotations

import json
import os
from codecs import BOM_UTF8
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from stat import S_ISREG
from typing import Any

from schemas.catalog import Catalog
from schemas.catalog_build import build
from schemas.catalog_folders import objections
from schemas.errors import CatalogError, Mistake

__all__ = ["SCHEMA", "earlier", "load"]

SCHEMA = Path(__file__).with_name("services.schema.json")
CHECKS = b"2"  # grows with every check that the schema does not hold, so that what passed before is looked at again
LARGEST = 5_000_000
FIRST = "it begins with `version: 1`"


def load(path: Path, cache: Path | None = None) -> Catalog:
    """Read and check services.yaml; CatalogError (exit 3) with every mistake.

    ``cache`` is a file that keeps the plain document of a file that passed, so that the same bytes are not parsed
    and checked again; the folders are looked at each time. It is never written for a file that holds a password.
    """
    file = Path(os.path.realpath(path.parent)) / path.name
    shown = _shown(path, file)
    raw = _bytes(file, shown)
    key = sha256(b"\0".join((CHECKS, sha256(SCHEMA.read_bytes()).digest(), raw))).hexdigest()
    document = _kept(cache, key) if cache else None
    if document is not None:
        catalog = build(document, file)
        if not any(objections(catalog)):
            return catalog
    data, catalog = _checked(raw, file, shown)
    if cache:
        _keep(cache, key, data, catalog)
    return catalog


@lru_cache(maxsize=16)
def earlier(text: str, file: Path) -> Catalog | None:
    """The catalog that an earlier text of the file meant, folders not looked at; None where its form was wrong."""
    from schemas import catalog_form, yaml_positions  # noqa: PLC0415 - only a changed services.yaml is compared

    document = yaml_positions.read(text, file.name)
    if document.mistakes or not isinstance(document.data, dict):
        return None
    wrong, _ = catalog_form.mistakes(document, json.loads(SCHEMA.read_bytes()))
    return None if wrong else build(document.data, file)


def _checked(raw: bytes, file: Path, shown: str) -> tuple[dict[str, Any], Catalog]:
    from schemas import (  # noqa: PLC0415 - not needed while the file is as it was when it was last checked
        catalog_checks,
        catalog_collisions,
        catalog_form,
        yaml_positions,
    )
    from schemas.nearest import nearest  # noqa: PLC0415 - the same

    try:
        text = raw.removeprefix(BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        line, column = yaml_positions.after(error.object[: error.start].decode())
        raise _single(shown, "not UTF-8 text", line=line, column=column) from None
    document = yaml_positions.read(text, shown)
    if not isinstance(document.data, dict):
        if document.data is None:
            raise _single(shown, "the file is empty", hint=FIRST)
        line, column = document.at_value(())
        raise _single(shown, "the file is not a mapping", line=line, column=column, hint=FIRST)
    found = list(document.mistakes)
    worded = {(mistake.line, mistake.column) for mistake in found}
    form, repairs = catalog_form.mistakes(document, json.loads(SCHEMA.read_bytes()))
    found += [mistake for mistake in form if (mistake.line, mistake.column) not in worded]
    data = catalog_form.usable(document.data, repairs)
    catalog = build(data, file)
    found += catalog_checks.mistakes(document, data)
    found += catalog_collisions.mistakes(document, data, catalog)
    for service, why, way in objections(catalog):
        place = ("services", service, "folder") if service else ("root",)
        hint = way
        if service and not way:
            beside = catalog.root / catalog.services[service].folder
            with suppress(OSError):
                hint = nearest(beside.name, (entry.name for entry in beside.parent.iterdir())).removeprefix(" — ")
            hint = hint or "create it, or name another by `folder:`"
        found.append(document.mistake(document.at_value(place), why, hint))
    if found:
        raise CatalogError(tuple(sorted(found, key=lambda mistake: (mistake.line, mistake.column))))
    return data, catalog


def _bytes(file: Path, shown: str) -> bytes:
    try:
        status = file.stat()
        if not S_ISREG(status.st_mode):
            raise _single(shown, "it is a folder" if file.is_dir() else "it is not a file")
        if status.st_size > LARGEST:
            raise _single(shown, f"the file is larger than {LARGEST // 1_000_000} MB")
        return file.read_bytes()
    except FileNotFoundError:
        raise _single(shown, "there is no such file", hint="SERVICES=PATH in the environment names another") from None
    except OSError as error:
        raise _single(shown, f"the file cannot be read: {error.strerror}") from None


def _kept(cache: Path, key: str) -> Any:
    """Return the document kept under that key; None when there is none, or when it is not as it was written."""
    try:
        head, _, body = cache.read_bytes().partition(b"\n")
    except OSError:
        return None
    return json.loads(body) if head.decode(errors="replace") == f"{key} {sha256(body).hexdigest()}" else None


def _keep(cache: Path, key: str, data: dict[str, Any], catalog: Catalog) -> None:
    """Write the document, whole or not at all; it only saves time, so a full disk is nobody's error."""
    from schemas.local_url import has_password  # noqa: PLC0415 - only a file that was just checked is kept

    servers = [url for environment in catalog.environments.values() for url in environment.servers.values()]
    if any(map(has_password, servers)):
        return
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    beside = cache.with_name(f"{cache.name}.{os.getpid()}")
    with suppress(OSError):
        for left in cache.parent.glob(f"{cache.name}.*"):
            left.unlink()  # of a killed run; if of one that is writing now, that one keeps nothing
        try:
            beside.write_bytes(f"{key} {sha256(body).hexdigest()}\n".encode() + body)
            beside.replace(cache)
        finally:
            beside.unlink(missing_ok=True)


def _shown(path: Path, file: Path) -> str:
    with suppress(OSError):  # the current folder may be gone
        if file.is_relative_to(Path.cwd()):
            return str(file.relative_to(Path.cwd()))
    return str(path)


def _single(shown: str, message: str, *, line: int = 1, column: int = 1, hint: str = "") -> CatalogError:
    return CatalogError((Mistake(file=shown, line=line, column=column, message=message, hint=hint),))
