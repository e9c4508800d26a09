"""Where the programs that we install live, and how they get there whole: built beside their place, then renamed."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from schemas.errors import ToolError
from tools import shell
from tools.lease import Lock

__all__ = ["LOCKS", "Say", "environment", "locked", "machine", "pip_install", "place", "provide", "root", "step"]

Say = Callable[[str], None]
"""Takes one line of progress for the user."""

PROJECT = Path(__file__).resolve().parents[2]
LOCKS = PROJECT / "tools" / "locks"
DEADLINE = 1800.0  # seconds for one download or build, on a slow line
PIP = (
    *("-I", "-m", "pip", "install", "--require-hashes", "--no-deps", "--only-binary=:all:"),
    *("--quiet", "--no-input", "--disable-pip-version-check"),
)
SECRET_ENDINGS = ("_URL", "_DBSTRING", "_TOKEN", "PASSWORD")
SETTINGS = ("PIP_", "NPM_")  # the package managers' own: PIP_INDEX_URL, the NPM_TOKEN that an .npmrc may name
MISLEADING = (
    *("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT"),  # would install to another place
    *("PYTHONHOME", "PYTHONPATH"),  # the user's, for another Python
)


def root() -> Path:
    """The folder of everything that we install: ``.tools`` of the project, or what GANDER_TOOLS names."""
    return Path(os.environ.get("GANDER_TOOLS") or PROJECT / ".tools").absolute()


def machine() -> str:
    """The system and processor that programs are built for, such as ``linux-x86_64``."""
    names = os.uname()
    return f"{names.sysname}-{names.machine}".lower()


def place(name: str, made_of: Sequence[str | Path]) -> Path:
    """The folder of a program made of these lock files and words on this machine: other ones, another folder."""
    key = sha256(machine().encode())
    for part in made_of:
        key.update(sha256(part.read_bytes() if isinstance(part, Path) else part.encode()).digest())
    return root() / f"{name}-{key.hexdigest()[:16]}"


def provide(folder: Path, make: Callable[[Path], None], *, doing: str, say: Say) -> Path:
    """The folder that `place` gave, filled by ``make`` when it does not exist: once, also when two runs want it.

    ``make`` fills an empty folder beside it, which is then renamed, so that what exists is whole.
    Raises what ``make`` raises, and ToolError when the folder cannot be written.
    """
    if folder.is_dir():
        return folder
    name = folder.name.rpartition("-")[0]
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = Lock(folder.parent / f"{name}.lock")
        with lock.held(waiting=lambda: say(f"waiting: somebody else is {doing}")):
            if folder.is_dir():
                return folder
            for left in folder.parent.glob(f"{name}-*.part"):
                shutil.rmtree(left, ignore_errors=True)
            say(doing)
            part = Path(tempfile.mkdtemp(prefix=f"{name}-", suffix=".part", dir=folder.parent))
            try:
                make(part)
                part.chmod(0o755)  # mkdtemp closes it to others; a server's own account must get in
                part.rename(folder)
            finally:
                shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        raise ToolError(
            f"{doing} failed: {error.filename or folder.parent} cannot be written",
            why=error.strerror or str(error),
            todo=f"make {folder.parent} writable, free some space on its disk, or name another folder in GANDER_TOOLS",
        ) from error
    return folder


def step(
    command: Sequence[str | Path],
    *,
    what: str,
    todo: str,
    changes: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float = DEADLINE,
) -> None:
    """Run one program of an installation; ToolError with the end of what it printed when it fails."""
    done = shell.run(
        command, environment=environment() | dict(changes or {}), timeout=timeout, cwd=cwd, bound_to_us=True
    )
    if done.code:
        lines = [line for line in (done.out + done.err).splitlines() if line.strip()]
        raise ToolError(f"{what} failed", why="\n".join(lines[-8:]), todo=todo)


def pip_install(lock: Path, *options: str | Path, python: str | Path = sys.executable) -> None:
    """Install exactly what a lock file holds, with the pip of a Python; ``options`` may name another place."""
    step(
        [python, *PIP, *options, "-r", lock],
        what=f"pip install -r tools/locks/{lock.name}",
        todo="check the network and pip's settings (proxy, index, certificates), then run the command again",
    )


def environment() -> dict[str, str]:
    """What a package manager or compiler may see: the user's variables without secrets that are not its own.

    Proxies, certificates and registries are the user's settings, so this is wider than `shell.inherited`.
    Where there is no home folder that can be written, downloads are kept in one of ours.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in MISLEADING and (name.upper().startswith(SETTINGS) or not name.upper().endswith(SECRET_ENDINGS))
    }
    home = kept.get("HOME", "")
    if not (home and os.access(home, os.W_OK)):
        ours = root() / "home"
        ours.mkdir(parents=True, exist_ok=True)
        kept["HOME"] = str(ours)
    return kept


def locked(lock: Path) -> str:
    """The version that a lock file of a single Python package holds."""
    return lock.read_text(encoding="utf-8").partition("==")[2].split()[0]
