"""What the configuration files of an embedded ClickHouse say."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from pathlib import Path

from schemas.errors import ServerError

__all__ = ["LOOPBACK", "USER", "Ports", "server_xml", "users_xml"]

LOOPBACK = "127.0.0.1"
USER = "gander"
LAUNCH = 3  # statements with which the server starts itself, see serve.py
FOREVER = 2**31 - 1  # seconds: the longest interval of a quota
NAME = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)  # a cluster's name becomes an XML element


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where a server listens: for HTTP, and for ClickHouse's native protocol."""

    http: int
    tcp: int


def server_xml(run: Path, ports: Ports, *, token: str, password: str, clusters: Iterable[str]) -> str:
    """config.xml: loopback only, each cluster one shard on this server; ``token`` tells this launch from any other.

    Raises ServerError for a cluster name that ClickHouse's configuration cannot hold.
    """
    names = sorted(clusters)
    if odd := [name for name in names if not NAME.fullmatch(name)]:
        raise ServerError(f"no ClickHouse cluster can be named {odd[0]!r}", todo="correct the name in the migrations")
    node = _tags(host=LOOPBACK, port=ports.tcp, user=USER, password=password)
    shards = "".join(f"<{name}><shard><replica>{node}</replica></shard></{name}>" for name in names)
    users = escape(str(run / "users.xml"))
    return (
        "<clickhouse>"
        + _tags(listen_host=LOOPBACK, http_port=ports.http, tcp_port=ports.tcp, display_name=token)
        + f"<users_config>{users}</users_config>"
        + f"<user_directories><users_xml><path>{users}</path></users_xml></user_directories>"
        + f"<macros>{_tags(cluster='default', shard='01', replica='r1')}</macros>"
        + f"<remote_servers>{shards}</remote_servers></clickhouse>\n"
    )


def users_xml(password: str) -> str:
    """users.xml: our user, and the passwordless `default`, which the engine itself needs to launch the server.

    Both come from the same address, so `default` is cut down by its rights to what launching needs, and by a quota
    to the three statements of it.
    """
    # clickhouse-local's own default would let a word be a statement
    profile = _tags(implicit_select=0, allow_introspection_functions=0)
    rights = ("SYSTEM LISTEN ON *.*", "READ ON FILE", "CREATE TEMPORARY TABLE ON *.*")
    grants = "".join(f"<query>GRANT {right}</query>" for right in rights)
    here = f"<networks><ip>{LOOPBACK}</ip></networks><profile>default</profile>"
    ours = _tags(password_sha256_hex=sha256(password.encode()).hexdigest(), named_collection_control=1)
    once = _tags(duration=FOREVER, queries=LAUNCH)
    return (
        f"<clickhouse><profiles><default>{profile}</default></profiles>"
        f"<quotas><default></default><launch><interval>{once}</interval></launch></quotas>"
        f"<users><default><password></password>{here}<quota>launch</quota><grants>{grants}</grants></default>"
        f"<{USER}>{ours}{here}<quota>default</quota></{USER}></users></clickhouse>\n"
    )


def _tags(**values: str | int) -> str:
    return "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in values.items())
