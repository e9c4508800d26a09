"""goose as it goes into images: built by the pinned Go alone, for Linux, to the same bytes on any machine.

Go builds the same bytes from the same source when nothing of the surroundings gets in: paths (-trimpath), version
control (-buildvcs), a C compiler (CGO_ENABLED), and the settings that choose processors and experiments.
"""

from __future__ import annotations

import json
import tempfile
from hashlib import sha256
from pathlib import Path

from schemas.errors import ToolError
from tools import shell
from tools.toolchain.golang import MODULE, PACKAGE, TAGS, installed_go, pinned_goose
from tools.toolchain.store import LOCKS, Say, environment, locked, place, provide, root, step

__all__ = ["BUILT", "certificates", "is_there", "recipe", "shipped"]

BUILT = MODULE / "built.txt"  # SHA-256 and architecture: what everyone gets who builds these sources so
FLAGS = ("-trimpath", "-buildvcs=false", "-pgo=off", "-ldflags=-s -w -buildid=", f"-tags={TAGS}")
FIXED = {
    "CGO_ENABLED": "0",  # runs without a C library
    "GOTOOLCHAIN": "local",
    "GOENV": "off",  # settings of the user's that choose what is built; those of the network are passed on
    "GOWORK": "off",
    "GO111MODULE": "on",
    "GOFLAGS": "-mod=readonly",
    "GOOS": "linux",
    "GOAMD64": "v1",
    "GOARM64": "v8.0",
    "GOEXPERIMENT": "",
    "GOFIPS140": "off",
    "GODEBUG": "",
}
NETWORK = ("GOPROXY", "GOSUMDB", "GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOINSECURE", "GOVCS", "GOAUTH")


def shipped(architecture: str, say: Say) -> Path:
    """The goose program for Linux on that architecture, built when it is first needed. Raises ToolError."""
    folder = _place(architecture)
    doing = f"building goose {pinned_goose()} for images on {architecture}"
    return provide(folder, lambda part: _build(part, architecture, say), doing=doing, say=say) / "goose"


def is_there(architecture: str) -> bool:
    """Whether that program has been built."""
    return _place(architecture).is_dir()


def certificates() -> bytes:
    """The certificates of authorities that an image gets: those of the pinned certifi."""
    import certifi  # noqa: PLC0415 - start-up: only who builds an image needs it

    return Path(certifi.where()).read_bytes()


def recipe() -> str:
    """One digest of the programs and certificates of an image: what was built once is known, so nothing is built."""
    return sha256(BUILT.read_bytes() + certificates()).hexdigest()


def main() -> None:
    """Write `BUILT` anew, after a change of goose, Go or a flag; what is built takes nothing from a cache."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for architecture in ("amd64", "arm64"):
            program = Path(folder) / "goose"
            _compile(program, architecture, lambda _line: None, GOCACHE=f"{folder}/cache-{architecture}")
            lines.append(f"{sha256(program.read_bytes()).hexdigest()}  goose-linux-{architecture}\n")
    BUILT.write_text("".join(lines), encoding="utf-8")


def _place(architecture: str) -> Path:
    return place(f"goose-linux-{architecture}", [_made_of()])


def _made_of() -> str:
    """Digest of what decides about the bytes of goose: its source, its Go, and how it is built."""
    source = [sha256((MODULE / name).read_bytes()).hexdigest() for name in ("go.mod", "go.sum")]
    return sha256(json.dumps([source, locked(LOCKS / "go.txt"), PACKAGE, FLAGS, FIXED]).encode()).hexdigest()


def _build(part: Path, architecture: str, say: Say) -> None:
    program = part / "goose"
    _compile(program, architecture, say)
    made = sha256(program.read_bytes()).hexdigest()
    if made != _known(architecture):
        raise ToolError(
            f"the goose {pinned_goose()} built for images on {architecture} is not the one that all others get",
            why=f"built here: sha256 {made}\nwanted, by tools/locks/goose/{BUILT.name}: {_known(architecture)}",
            todo="go clean -cache   (something there is damaged)\nthen run the command again",
        )


def _compile(program: Path, architecture: str, say: Say, **more: str) -> None:
    go = installed_go(say)
    changes = {**FIXED, **_network(go), **more, "GOARCH": architecture, "GOROOT": str(go.parents[1])}
    if environment()["HOME"].startswith(str(root())):
        changes["GOFLAGS"] += " -modcacherw"  # as in golang.py; it decides about nothing that is built
    step(
        [go, "build", *FLAGS, "-o", program, PACKAGE],
        what=f"building goose {pinned_goose()} for images on {architecture}",
        todo="check the network and Go's settings (GOPROXY, proxy, certificates), then run the command again",
        changes=changes,
        cwd=MODULE,
    )


def _known(architecture: str) -> str:
    """The digest that the program must have, by the lock file."""
    lines = (line.split() for line in BUILT.read_text(encoding="utf-8").splitlines())
    return next((digest for digest, name in lines if name == f"goose-linux-{architecture}"), "none")


def _network(go: Path) -> dict[str, str]:
    """The user's settings of where modules come from, kept by `go env -w` or in variables."""
    chosen = {name: value for name, value in FIXED.items() if name != "GOENV"}
    seen = {**environment(), **chosen, "GOROOT": str(go.parents[1])}
    done = shell.run([go, "env", "-json", *NETWORK, "GOCACHE", "GOMODCACHE"], environment=seen, timeout=60)
    try:
        found = json.loads(done.out)
    except ValueError:
        raise ToolError("Go does not tell its settings", why=(done.err or done.out)[-1000:]) from None
    return {name: str(value) for name, value in found.items() if value}


if __name__ == "__main__":
    main()
