"""Prisma, pull only: `db pull` by the monorepo's own packages or the pinned ones, `generate` by its own.

Prisma 6.19.3's commands download native engines first, unless a configuration names a driver adapter and the engine
"js" (its ensureNeededBinariesExist); then the WebAssembly engine of the `prisma` package does the work.
"""

from __future__ import annotations

import os
from pathlib import Path

from schemas.errors import ToolError
from tools import shell, toolchain
from tools.engine import Say
from tools.node_modules import Installed

__all__ = ["generate", "pull"]

DEADLINE = 600.0  # seconds: hundreds of tables take ten
QUIET = {
    "CHECKPOINT_DISABLE": "1",  # no look-up of newer versions
    "PRISMA_HIDE_UPDATE_MESSAGE": "1",
    "NO_COLOR": "1",
    "CI": "1",  # no question is asked
}
MOST, LONGEST = 24, 300  # lines that are shown, and characters of one
MEND = "correct what Prisma names, then run the command again"
NOISE = (  # what it says of our way to run it, and advice that loses the schema
    *("Prisma schema loaded", "Loaded Prisma config", "Prisma config detected", "Datasource ", "warn "),
    *("WARNING: Your schema specifies the following datasource", "- url", "The values from your schema will NOT be"),
    *("We recommend you to remove those properties", "- Introspecting", "✖ Introspecting"),
    *("Please fix your current schema manually", "Or run this command with the --force flag"),
)
PROGRAM = Path("node_modules") / "prisma" / "build" / "index.js"
CONFIGURATION = "prisma.config.mjs"


def pull(
    schema: Path, url: str, variable: str, say: Say, *, shown: str, own: Path | None = None, native: bool = False
) -> None:
    """Have Prisma write what the database holds into a schema file, which also says what to keep.

    ``variable`` is the one that the schema's datasource names; the URL is in the environment alone. ``shown`` is the
    path that the user knows the schema by. ``own`` has the monorepo's Prisma do it: with the engine of its package, or
    with the ``native`` one that it has downloaded. Raises ToolError with Prisma's own words.
    """
    home = None if native else toolchain.prisma(say)
    program = own or toolchain.prisma(say) / PROGRAM
    command: list[str | Path] = [toolchain.node(say), program, "db", "pull", "--schema", schema]
    environment = {**shell.inherited(), **QUIET, "DATABASE_URL": url, variable: url}
    environment["PRISMA_QUERY_ENGINE_LIBRARY"] = str(program)  # a pull asks none, but would download one without a file
    if home:
        command += ["--config", home / CONFIGURATION]
        environment["GANDER_PULL_URL"] = url
    before = schema.stat().st_mtime_ns
    done = shell.run(command, environment=environment, timeout=DEADLINE, cwd=home or schema.parent, bound_to_us=True)
    if done.code or schema.stat().st_mtime_ns == before:  # one that says it is done and wrote nothing has not pulled
        said = _said(done).replace(os.fspath(schema), shown)
        raise ToolError("prisma db pull failed", where=shown, why=said, todo=MEND)


def generate(found: Installed, schema: Path, variable: str, say: Say) -> None:
    """Have the monorepo's Prisma generate the client that the schema asks for; ToolError with Prisma's own words."""
    assert found.program  # noqa: S101 - for the type checker: the caller has looked
    command: list[str | Path] = [toolchain.node(say), found.program, "generate", "--no-hints", "--schema", schema]
    nowhere = "postgresql://nobody@127.0.0.1:1/nothing"  # it must be set, and is not connected to
    environment = {**shell.inherited(), **QUIET, variable: nowhere, "DATABASE_URL": nowhere}
    if not found.native:
        environment["PRISMA_CLIENT_ENGINE_TYPE"] = "client"
        command += ["--config", toolchain.prisma(say) / CONFIGURATION]
    done = shell.run(command, environment=environment, timeout=DEADLINE, cwd=schema.parent, bound_to_us=True)
    if done.code:
        raise ToolError("prisma generate failed", where=os.fspath(schema), why=_said(done), todo=MEND)


def _said(done: shell.Finished) -> str:
    """The lines of Prisma's output that say something, from the first: later ones follow from it."""
    lines = [line.strip() for line in (done.err + "\n" + done.out).splitlines()]
    said = [line for line in lines if line and not line.startswith(NOISE)]
    more = [f"and {len(said) - MOST} lines more"] if len(said) > MOST else []  # one mistake has many consequences
    return "\n".join([*(line[:LONGEST] for line in said[:MOST]), *more])
