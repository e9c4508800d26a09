"""Whether what services.yaml says makes sense: what its words refer to, entry by entry."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from schemas.catalog import ALWAYS, FACTS, EngineName
from schemas.catalog_build import ENGINES, days, engine_of, environments_of, physical_names
from schemas.errors import Mistake
from schemas.local_url import objection
from schemas.nearest import nearest
from schemas.target import LOCAL
from schemas.yaml_positions import Document, Path

__all__ = ["mistakes"]

BRACES = re.compile(r"\{[^{}]*\}|[{}]")
LONGEST = 63  # PostgreSQL cuts an identifier after 63 bytes; a Kubernetes name may have no more characters
MOST = 12  # words of a list in a message
RESERVED = {"postgres", "template0", "template1"}
Data = Mapping[str, Any]


def mistakes(document: Document, data: Data) -> Iterator[Mistake]:
    """Find every mistake of sense in data whose form is right; None and {} stand for parts that were not usable."""
    yield from _placeholders(document, ("image", "repository"), data.get("image"))
    yield from _environments(document, data)
    deployed = [name for name in environments_of(data) if name != LOCAL]
    entries: dict[str, Data] = {}
    for service, described in (data.get("services") or {}).items():
        databases = (described or {}).get("databases") or {}
        entries |= {f"{service}/{key}": entry or {} for key, entry in databases.items()}
    for service, described in (data.get("services") or {}).items():
        path: Path = ("services", service)
        yield from _placeholders(document, (*path, "image", "repository"), (described or {}).get("image"))
        databases = (described or {}).get("databases") or {}
        several = sum("owner" not in (entry or {}) for entry in databases.values()) > 1
        for key, entry in databases.items():
            inner = (*path, "databases", key)
            if engine_of(data, entry or {}) == "clickhouse" and "prisma" in entry:
                yield document.mistake(document.at_key((*inner, "prisma")), "Prisma is for PostgreSQL databases only")
            if "owner" in (entry or {}):
                yield from _reference(document, inner, entries)
            else:
                yield from _database(document, inner, entry or {}, deployed, several=several)


def _environments(document: Document, data: Data) -> Iterator[Mistake]:
    environments = environments_of(data)
    for engine in ENGINES:
        url = environments[LOCAL].get(engine)
        why = objection(engine, url) if url else ""
        if why:
            mark = document.at_value(("environments", LOCAL, engine))
            yield document.mistake(mark, f"the local {engine} server's URL is refused: {why}")
    deployed = [name for name in environments if name != LOCAL]
    for name in deployed:
        entry, path = environments[name], ("environments", name)
        after = entry.get("after")
        mark = document.at_value((*path, "after"))
        if after == LOCAL:
            yield document.mistake(mark, "nothing is deployed to `local`, so nothing can come after it")
        elif after == name:
            yield document.mistake(mark, f"`{name}` cannot come after itself")
        elif after and after not in deployed:
            others = [other for other in deployed if other != name]
            message = f"unknown environment `{after}`{nearest(after, others)}"
            yield document.mistake(mark, message, _expected(others))
        elif chain := _circle(name, lambda at: environments.get(at, {}).get("after")):
            yield document.mistake(mark, f"the environments wait for each other: {' → '.join(chain)}")
        yield from _required(document, path, entry)
        yield from _placeholders(document, (*path, "argocd", "application"), entry.get("argocd"))
        if (entry.get("argocd") or {}).get("core"):
            mark = document.at_value((*path, "argocd", "core"))
            message = (
                "`core` is not taken: without an API server a bare patch would overwrite somebody else's operation"
            )
            hint = "run argocd-server, name it as `server: HOST`, and take `core` out"
            yield document.mistake(mark, message, hint)
        for key in ("file", "key"):
            yield from _placeholders(document, (*path, "values", key), entry.get("values"))


def _required(document: Document, path: Path, entry: Data) -> Iterator[Mistake]:
    """What an environment may not leave out; a word that is no fact's is reported as one already."""
    listed = entry.get("require") or FACTS
    missing = [one for one in FACTS if one not in listed]
    named, mark = ", ".join(f"`{one}`" for one in missing), document.at_value((*path, "require"))
    if None in listed or not missing:
        return
    if entry.get("protected"):
        message = f"`{path[-1]}` is protected, so its `require` cannot leave out {named}"
        yield document.mistake(mark, message, "a protected environment is verified by all five facts: take it out")
    elif any(one in ALWAYS for one in missing):
        message = f"`require` lacks {', '.join(f'`{one}`' for one in ALWAYS if one in missing)}"
        yield document.mistake(mark, message, "only `job`, `log` and `database` may be left out")


def _reference(document: Document, path: Path, entries: Mapping[str, Data]) -> Iterator[Mistake]:
    service, key = str(path[1]), path[3]
    label = f"{service}/{key}"
    owner = entries[label]["owner"]
    mark = document.at_value((*path, "owner"))
    target = entries.get(owner) if owner else {}
    if owner == label:
        yield document.mistake(mark, f"`{label}` refers to itself", "its owner is another service's database")
    elif target is None:
        owned = [
            other for other, entry in entries.items() if "owner" not in entry and not other.startswith(f"{service}/")
        ]
        yield document.mistake(mark, f"unknown database `{owner}`{nearest(owner, owned)}", _expected(owned))
    elif "owner" in target:
        chain = _circle(label, lambda at: entries.get(at, {}).get("owner"))
        if chain:
            yield document.mistake(mark, f"the references go round in a circle: {' → '.join(chain)}")
        else:
            message = f"`{owner}` is a reference itself"
            yield document.mistake(mark, message, f"it refers to {target['owner']}" if target["owner"] else "")
    elif owner and owner.startswith(f"{service}/"):
        yield document.mistake(mark, f"`{owner}` belongs to this service already; it needs no reference")


def _database(document: Document, path: Path, entry: Data, deployed: list[str], *, several: bool) -> Iterator[Mistake]:
    service, key, engine = str(path[1]), str(path[3]), entry.get("engine")
    name, urls = entry.get("name"), entry.get("url_env") or {}
    if name is None and engine in ENGINES and (deployed or engine == "clickhouse"):
        if not any(nearest(other, ("name",)) for other in entry):  # a mistyped key is reported as one already
            hint = "a database has an engine and a name; a reference has an owner"
            yield document.mistake(document.at_key(path), f"`{key}` lacks the key `name`", hint)
    elif isinstance(name, dict):
        yield from _unknown(document, (*path, "name"), name, [LOCAL, *deployed])
        missing = [f"`{environment}`" for environment in deployed if environment not in name]
        if missing:
            message = f"`name` lacks {', '.join(missing)}"
            hint = "it is one name, or one for each environment"
            yield document.mistake(document.at_key((*path, "name")), message, hint)
    if LOCAL in urls:
        message = "`local` takes no variable; its server is set under environments: local:"
        yield document.mistake(document.at_key((*path, "url_env", LOCAL)), message)
    yield from _unknown(document, (*path, "url_env"), {at: urls[at] for at in urls if at != LOCAL}, deployed)
    if engine in ENGINES:
        yield from _names(document, path, entry, engine, deployed)
    retention = entry.get("retention") or {}
    if retention and engine == "postgres":
        yield document.mistake(document.at_key((*path, "retention")), "`retention` is for ClickHouse databases only")
    least, most = days(retention.get("min")), days(retention.get("max"))
    if least and most and least > most:
        mark = document.at_value((*path, "retention", "max"))
        yield document.mistake(mark, f"`max` {retention['max']} is shorter than `min` {retention['min']}")
    job = f"{service}-migrate-{key}"
    if several and "job" not in entry and len(job) > LONGEST:
        message = f"the Job's name `{job}` has {len(job)} characters; Kubernetes takes {LONGEST}"
        yield document.mistake(document.at_key(path), message, "give a shorter one: `job: NAME`")


def _names(document: Document, path: Path, entry: Data, engine: EngineName, deployed: list[str]) -> Iterator[Mistake]:
    names = physical_names(str(path[1]), str(path[3]), entry, deployed)
    if names is None:
        return
    local = names.get(LOCAL)
    if local is None and not (isinstance(entry.get("name"), dict) and LOCAL in entry["name"]) and names:
        message = "`name` lacks `local`"
        hint = "the environments differ in the name that the files qualify their tables with"
        yield document.mistake(document.at_key((*path, "name")), message, hint)
    mark = document.at_value((*path, "name", LOCAL))
    if engine == "postgres" and local in RESERVED:
        yield document.mistake(mark, f"`{local}` is PostgreSQL's own database; the local one needs another name")
    if local and len(local) > LONGEST:
        message = f"the local name `{local}` has {len(local)} bytes; PostgreSQL takes {LONGEST}"
        yield document.mistake(mark, message, "give a shorter one: `name: {local: NAME, …}`")
    if engine == "clickhouse":
        for environment in [at for at, name in names.items() if "-" in name]:
            at = (*path, "name", environment) if isinstance(entry.get("name"), dict) else (*path, "name")
            message = f"`{names[environment]}` would have to be quoted in every ClickHouse statement; write _ for -"
            yield document.mistake(document.at_value(at), message)
            if not isinstance(entry.get("name"), dict):
                return


def _unknown(document: Document, path: Path, given: Data, valid: list[str]) -> Iterator[Mistake]:
    for environment in given:
        if environment not in valid:
            message = f"unknown environment `{environment}`{nearest(environment, valid)}"
            yield document.mistake(document.at_key((*path, environment)), message, _expected(valid))


def _placeholders(document: Document, path: Path, entry: Data | None) -> Iterator[Mistake]:
    text = (entry or {}).get(str(path[-1])) or ""
    for found in BRACES.findall(text):
        if found != "{service}":
            message = f"`{found}` in `{path[-1]}` stands for nothing"
            yield document.mistake(document.at_value(path), message, "only {service} is filled in")


def _circle(start: str, following: Callable[[str], str | None]) -> list[str]:
    """Return the way that leads from a word back to itself; empty when there is none."""
    chain = [start]
    while (after := following(chain[-1])) and after not in chain:
        chain.append(after)
    return [*chain, start] if after == start else []


def _expected(words: list[str]) -> str:
    if not words:
        return ""
    return f"there {'is' if len(words) == 1 else 'are'} {', '.join(words[:MOST])}{', …' if words[MOST:] else ''}"
