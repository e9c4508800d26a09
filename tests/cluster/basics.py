"""What a cluster's node and Argo CD find beside them: a registry with images, git, Redis, and databases for pods."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cluster.asking import asked
from tests.cluster.kubernetes import GATEWAY
from tools import clickhouse as engine
from tools import oci
from tools.account import choose
from tools.clickhouse.config import LOOPBACK, USER, Ports, server_xml, users_xml
from tools.clickhouse.home import Home, python
from tools.toolchain.golang import ARCHITECTURES

if TYPE_CHECKING:
    from tests.cluster.inside import Inside

__all__ = ["APPLICATION", "REDIS", "clickhouse", "facts", "git", "images", "postgres", "redis", "registry"]

REDIS = 6379
APPLICATION = "application:1"
SUPERUSER = "tests"
NATIVE = 9000  # the port of ClickHouse's native protocol, by which it reaches itself as a shard
CLUSTER = "my_cluster"  # of the example's migrations; this server is all of it
SERVE = Path(engine.__file__).parent / "serve.py"


def registry(inside: Inside) -> None:
    """The registry that the tests push to and the node pulls from."""
    run = inside.settings.run
    config = {
        "version": 0.1,
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(run / "registry")}, "delete": {"enabled": True}},
        "http": {"addr": _registry(inside), "secret": "of the tests"},
    }
    (run / "registry.yml").write_text(json.dumps(config))
    inside.start("docker-registry", ["docker-registry", "serve", run / "registry.yml"])


def git(inside: Inside) -> None:
    """The server of repositories."""
    folder = inside.settings.run / "git"
    folder.mkdir()
    command = [sys.executable, "-m", "tests.cluster.git_server", inside.settings.ports["git"], folder]
    inside.start("git", [str(word) for word in command], PYTHONPATH=str(Path.cwd()))


def redis(inside: Inside) -> None:
    """Argo CD's cache."""
    options = ["--bind", "127.0.0.1", "--port", str(REDIS), "--save", "", "--appendonly", "no"]
    inside.start("redis", ["redis-server", *options, "--dir", inside.settings.run / "tmp"])


def postgres(inside: Inside) -> dict[str, str]:
    """A PostgreSQL server that pods reach at their gateway; its URLs for tests and for pods, without a database."""
    run, home, port = inside.settings.run, inside.settings.postgres, inside.settings.ports["postgres"]
    password, data = secrets.token_hex(16), run / "postgres"
    programs = [home / "bin" / name for name in ("initdb", "postgres")]
    account = choose(data, programs, title="PostgreSQL", named="postgres")
    assert account
    data.mkdir(mode=0o700)
    account.own(data)
    (run / "password").write_text(password)
    account.own(run / "password")
    options = [f"--pgdata={data}", f"--username={SUPERUSER}", "--auth=scram-sha-256", f"--pwfile={run / 'password'}"]
    words = (str(programs[0]), *options, "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
    subprocess.run(account.command(words), env=inside.environment, check=True, capture_output=True)
    with (data / "pg_hba.conf").open("a") as access:
        access.write("host all all all scram-sha-256\n")
    settings = {"port": port, "listen_addresses": "*", "unix_socket_directories": "", "fsync": "off"}
    words = (str(programs[1]), "-D", str(data), *(f"--{name}={value}" for name, value in settings.items()))
    inside.start("postgres", account.command(words))
    return {
        "postgres": f"postgresql://{SUPERUSER}:{password}@127.0.0.1:{port}",
        "postgres_in_pods": f"postgresql://{SUPERUSER}:{password}@{GATEWAY}:{port}",
    }


def clickhouse(inside: Inside) -> dict[str, str]:
    """A ClickHouse server that pods reach at their gateway; its URLs for tests and for pods, without a database."""
    package, port = inside.settings.clickhouse, inside.settings.ports["clickhouse"]
    home = Home(path=inside.settings.run / "clickhouse")
    home.path.mkdir()
    home.prepare(package, "0")
    account, password = home.account(package), home.password()
    server = server_xml(home.run, Ports(http=port, tcp=NATIVE), token=SUPERUSER, password=password, clusters=[CLUSTER])
    users = users_xml(password).split(f"<{USER}>")
    texts = {
        "config.xml": server.replace(f"<listen_host>{LOOPBACK}<", "<listen_host>0.0.0.0<"),
        "users.xml": f"<{USER}>".join([users[0], users[1].replace(f"<ip>{LOOPBACK}<", "<ip>::/0<")]),
        SERVE.name: SERVE.read_text(),
    }
    for name, text in texts.items():
        (home.run / name).write_text(text)
        if account:
            account.own(home.run / name)
    words = tuple(map(str, (python(), "-I", "-S", home.run / SERVE.name, package, home.data, home.run)))
    inside.start("clickhouse", account.command(words) if account else words, TMPDIR=str(home.run))
    login = f"http://{USER}:{password}@"
    return {"clickhouse": f"{login}{LOOPBACK}:{port}", "clickhouse_in_pods": f"{login}{GATEWAY}:{port}"}


def images(inside: Inside) -> None:
    """Push the image that is every pod's first container, and the one that stands for an application."""
    inside.until("docker-registry", lambda: asked(f"http://{_registry(inside)}/v2/"))
    program = oci.layer({"/pod": (inside.settings.pod.read_bytes(), 0o755)}, "the program of the pods")
    image = oci.image({ARCHITECTURES[os.uname().machine]: [program]}, {"Entrypoint": ["/pod"], "User": "65532:65532"})
    for name in ("pod:1", APPLICATION):
        oci.push(f"{_registry(inside)}/{name}", image, lambda _: None)


def facts(inside: Inside) -> dict[str, str]:
    """How to reach registry and git."""
    host = _registry(inside)
    url = f"http://127.0.0.1:{inside.settings.ports['git']}/{{name}}.git"
    return {"registry": host, "application": f"{host}/{APPLICATION}", "git": url}


def _registry(inside: Inside) -> str:
    return f"127.0.0.1:{inside.settings.ports['registry']}"
