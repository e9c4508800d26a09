"""The program of the pods that do not migrate, built by Go when it is first needed."""

from __future__ import annotations

from pathlib import Path

from tools.toolchain import go
from tools.toolchain.golang import settings
from tools.toolchain.store import Say, place, provide, step

__all__ = ["pod"]

SOURCE = Path(__file__).parent


def pod(say: Say) -> Path:
    """Where the program is. Raises ToolError when it cannot be built."""
    folder = place("pod", [SOURCE / "go.mod", SOURCE / "main.go"])
    return provide(folder, lambda part: _build(part, say), doing="building the program of the pods", say=say) / "pod"


def _build(part: Path, say: Say) -> None:
    step(
        [go(say), "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", part / "pod", "."],
        what="building the program of the pods",
        todo="check Go's settings, then run the command again",
        changes=settings(),
        cwd=SOURCE,
    )
