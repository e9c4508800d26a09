"""Whether a URL leads to a server on this machine: a loopback host or a Unix socket, and nothing else."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import parse_qs, unquote, urlsplit

from schemas.catalog import EngineName

__all__ = ["SCHEMES", "has_password", "objection"]

SCHEMES: dict[EngineName, tuple[str, ...]] = {
    "postgres": ("postgres", "postgresql"),
    "clickhouse": ("http", "https"),
}
ELSEWHERE = {"service", "servicefile", "alt_hosts"}  # parameters that let a client take its host from another place
SECRETS = {"password", "sslpassword"}


def objection(engine: EngineName, url: str) -> str:
    """Return why the URL is not taken, without quoting it; empty when it leads to this machine only.

    PostgreSQL clients let ``?host=`` and ``?hostaddr=`` win over the host before the path, and take several hosts.
    """
    schemes = SCHEMES[engine]
    try:
        parts = urlsplit(url)
        query = parse_qs(parts.query, keep_blank_values=True)
    except ValueError:
        return "it is not a URL"
    if parts.scheme not in schemes:
        return f"it does not begin with {' or '.join(f'{scheme}://' for scheme in schemes)}"
    if parts.fragment or parts.netloc.count("@") > 1:  # programs disagree about where the host begins then
        return "a # or @ in a user's name or password has to be written %23 or %40"
    if elsewhere := sorted(ELSEWHERE & query.keys()):
        return f"the parameter {elsewhere[0]} could lead to another machine"
    hosts = [_host(place) for place in parts.netloc.rpartition("@")[2].split(",")]
    for parameter in ("host", "hostaddr"):
        hosts += [host for value in query.get(parameter, ()) for host in value.split(",")]
    named = [unquote(host) for host in hosts if host]
    if not named:
        return "it names no host; write localhost, or ?host= with the folder of the Unix socket"
    strangers = [host for host in named if not _here(host, engine)]
    return f"{strangers[0]} is not this machine" if strangers else ""


def has_password(url: str) -> bool:
    """Tell whether a password stands in the URL."""
    parts = urlsplit(url)
    return ":" in parts.netloc.rpartition("@")[0] or bool(SECRETS & parse_qs(parts.query).keys())


def _host(place: str) -> str:
    if place.startswith("["):
        return place[1:].partition("]")[0]
    return place.partition(":")[0]


def _here(host: str, engine: EngineName) -> bool:
    if host.startswith("/"):
        return engine == "postgres"
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
