"""Prisma Studio, a page in the browser that shows a database's rows and lets people change them.

The Studio of Prisma 6 needs a native query engine, which is downloaded; that of Prisma 7 reads the database through a
driver in JavaScript and needs no engine and no schema.prisma (measured with 7.10.1). It listens on the loopback
address alone and refuses what other web sites ask of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from schemas.errors import ToolError
from tools import ports, shell, toolchain
from tools.engine import Say

__all__ = ["serve"]

PROGRAM = Path("node_modules") / "prisma" / "build" / "index.js"
LEAST_NODE = (20, 19)  # the package's own "engines"
USUAL = 5555  # the port of every Prisma Studio
LONGEST = 14 * 24 * 3600.0  # seconds: a page that somebody has forgotten
ADDRESS = re.compile(r"http://\S+")
QUIET = {"CHECKPOINT_DISABLE": "1", "PRISMA_HIDE_UPDATE_MESSAGE": "1", "NO_COLOR": "1"}


def serve(url: str, say: Say, opened: Callable[[str], None]) -> NoReturn:
    """Show a database until this process is told to stop, which ends Studio too.

    ``opened`` is given the page's address once it is there. The URL is in the environment alone.
    Raises ToolError when Studio ends by itself, with its own words.
    """
    node, home = toolchain.node(say, least=LEAST_NODE), toolchain.studio(say)
    say("starting Prisma Studio")
    port = USUAL if ports.free(USUAL) else ports.any_port()

    def on_line(line: str) -> None:
        for address in ADDRESS.findall(line):
            opened(address)

    done = shell.run(
        [
            node,
            home / PROGRAM,
            "studio",
            "--config",
            home / "prisma.config.mjs",
            "--browser",
            "none",
            "--port",
            str(port),
        ],
        environment={**shell.inherited(), **QUIET, "GANDER_STUDIO_URL": url},
        timeout=LONGEST,
        cwd=home,
        on_line=on_line,
        bound_to_us=True,
    )
    said = [line for line in (done.out + done.err).splitlines() if line.strip()]
    raise ToolError(f"Prisma Studio ended by itself, with code {done.code}", why="\n".join(said[-8:]))
