"""Prisma, pull only: `db pull` through the pinned packages, `generate` through the monorepo's own.

Prisma 6.19.3's commands download native engines first, unless a configuration names a driver adapter and the engine
"js" (its ensureNeededBinariesExist); then the WebAssembly engine of the `prisma` package does the work.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

from schemas.errors import ToolError
from tools import shell, toolchain
from tools.engine import Say

__all__ = ["Own", "generate", "own", "pull"]

DEADLINE = 600.0  # seconds: hundreds of tables take ten
QUIET = {
    "CHECKPOINT_DISABLE": "1",  # no look-up of newer versions
    "PRISMA_HIDE_UPDATE_MESSAGE": "1",
    "NO_COLOR": "1",
    "CI": "1",  # no question is asked
}
MAJOR = "6."
PROGRAM = Path("node_modules") / "prisma" / "build" / "index.js"


class Own(NamedTuple):
    """The monorepo's own Prisma: its folder of node_modules, its version, and whether its client is there."""

    modules: Path
    version: str
    client: bool


def own(folder: Path, root: Path) -> Own | None:
    """The Prisma that a package manager has installed for a folder, looked for upwards to the root; None without."""
    for place in (folder, *folder.parents):
        manifest = place / "node_modules" / "prisma" / "package.json"
        if manifest.is_file():
            version = str(json.loads(manifest.read_text(encoding="utf-8")).get("version", ""))
            client = (place / "node_modules" / "@prisma" / "client" / "package.json").is_file()
            return Own(modules=place / "node_modules", version=version, client=client)
        if place == root:
            break
    return None


def pull(schema: Path, url: str, variable: str, say: Say) -> None:
    """Have Prisma write what the database holds into a schema file, which also says what to keep.

    ``variable`` is the one that the schema's datasource names; the URL is in the environment alone.
    Raises ToolError with Prisma's own words.
    """
    home = toolchain.prisma(say)
    command: list[str | Path] = [toolchain.node(say), home / PROGRAM, "db", "pull"]
    before = schema.stat().st_mtime_ns
    environment = {**shell.inherited(), **QUIET, "GANDER_PULL_URL": url, variable: url}
    # a pull asks no query engine, but would download one unless a file is named
    environment |= {"DATABASE_URL": url, "PRISMA_QUERY_ENGINE_LIBRARY": str(home / "prisma.config.mjs")}
    done = shell.run(
        [*command, "--schema", schema], environment=environment, timeout=DEADLINE, cwd=home, bound_to_us=True
    )
    if done.code or schema.stat().st_mtime_ns == before:  # one that says it is done and wrote nothing has not pulled
        raise ToolError("prisma db pull failed", why=_said(done))


def generate(found: Own, schema: Path, variable: str, say: Say) -> None:
    """Generate the client that the schema asks for. Raises ToolError with Prisma's own words."""
    if not found.version.startswith(MAJOR):
        raise ToolError(
            f"the monorepo's Prisma is {found.version or 'of no version'}, and only Prisma 6 is known to do this",
            where=str(found.modules / "prisma"),
            todo=f"pin it: prisma and @prisma/client {toolchain.pinned_prisma()}",
        )
    command: list[str | Path] = [toolchain.node(say), found.modules.parent / PROGRAM, "generate", "--no-hints"]
    nowhere = "postgresql://nobody@127.0.0.1:1/nothing"  # it must be set, and is not connected to
    environment = {**shell.inherited(), **QUIET, variable: nowhere, "DATABASE_URL": nowhere}
    if not list((found.modules / "@prisma" / "engines").glob("schema-engine*")):  # installed without its scripts
        environment["PRISMA_CLIENT_ENGINE_TYPE"] = "client"
        command += ["--config", toolchain.prisma(say) / "prisma.config.mjs"]
    done = shell.run(
        [*command, "--schema", schema],
        environment=environment,
        timeout=DEADLINE,
        cwd=schema.parent,
        bound_to_us=True,
    )
    if done.code:
        raise ToolError("prisma generate failed", where=os.fspath(schema), why=_said(done))


def _said(done: shell.Finished) -> str:
    """The lines of Prisma's output that say something."""
    noise = ("Prisma schema loaded", "Loaded Prisma config", "Prisma config detected", "Datasource ", "warn ")
    lines = [line.strip() for line in (done.err + "\n" + done.out).splitlines()]
    return "\n".join(line for line in lines if line and not line.startswith(noise))[-2000:]
