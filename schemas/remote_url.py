"""Whether the URL of another environment's database can be used: whole, of the right kind, to the right database."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from schemas.catalog import EngineName
from schemas.local_url import SCHEMES

__all__ = ["form", "objection"]

ESCAPING = "in a user's name or password # / ? @ : % are written %23 %2F %3F %40 %3A %25"
NAMING = ("dbname", "database")  # parameters that clients of both engines let win over the path
PATHS: dict[EngineName, str] = {
    "postgres": "postgres://USER:PASSWORD@HOST:5432",
    "clickhouse": "https://USER:PASSWORD@HOST:8443",
}


def form(engine: EngineName, database: str) -> str:
    """How such a URL looks."""
    return f"{PATHS[engine]}/{database}"


def objection(engine: EngineName, url: str, database: str) -> str:
    """Return why the URL cannot be used for that database, without showing any secret of it; empty when it can."""
    try:
        parts = urlsplit(url)
        query = parse_qs(parts.query, keep_blank_values=True)
        _ = "," in parts.netloc or parts.port
    except ValueError:
        return f"it is not a URL; {ESCAPING}"
    # nothing is quoted before it is sure that no password is cut in the middle
    return _kind(engine, parts) or _shape(parts, query) or _aim(parts, query, database)


def _kind(engine: EngineName, parts: SplitResult) -> str:
    schemes = " or ".join(f"{scheme}://" for scheme in SCHEMES[engine])
    if engine == "clickhouse" and parts.scheme in {"clickhouse", "tcp"}:
        return f"it is of the native protocol; give that of the HTTP interface, {schemes}, which goose takes too"
    return "" if parts.scheme in SCHEMES[engine] else f"it does not begin with {schemes}"


def _shape(parts: SplitResult, query: Mapping[str, list[str]]) -> str:
    if parts.fragment or "@" in parts.path + parts.query or parts.netloc.count("@") > 1:
        return ESCAPING
    if "service" in query or "servicefile" in query:
        return "a service file could lead to another database"
    named = parts.netloc.rpartition("@")[2] or query.get("host") or query.get("hostaddr")
    return "" if named else "it names no host"


def _aim(parts: SplitResult, query: Mapping[str, list[str]], database: str) -> str:
    named = {unquote(parts.path.strip("/"))} - {""}
    named |= {name for key in NAMING for name in query.get(key, ())}
    if not named:
        return f"it names no database; services.yaml says {database}"
    wrong = " and ".join(sorted(named - {database}))
    return f"it leads to the database {wrong}; services.yaml says {database}" if wrong else ""
