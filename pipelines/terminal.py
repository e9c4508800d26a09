"""The live display: finished lines stay, and below them each running job with a spinner, its time and its file."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from pipelines.display import Plain, duration, redacted
from pipelines.ending import whole

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

__all__ = ["Terminal"]

FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
FRAMES_A_SECOND = 10
MARGIN = 2  # columns for the `^C` that a terminal shows: in a full line it would begin another one, which stays


class Terminal(Plain):
    """Draws with rich, which is imported when the first job begins: a run with nothing to do stays quick."""

    def __init__(self) -> None:
        super().__init__()
        self._running: dict[str, tuple[float, str]] = {}
        self._console: Console | None = None
        self._live: Live | None = None
        self._closed = False

    def line(self, text: str, style: str = "") -> None:
        """Write the line above what is running."""
        with whole(), self.lock:
            if self._console is None:
                super().line(text)
                return
            self._console.print(self._styled(redacted(text), style), soft_wrap=True)

    def begin(self, name: str) -> None:
        """Show the job until it ends."""
        with whole(), self.lock:
            self._running[name] = (time.monotonic(), "")
            self._show()

    def end(self, name: str) -> None:
        """Take the job's line away."""
        with whole(), self.lock:
            self._running.pop(name, None)
            if not self._running:
                self._hide()

    def now(self, name: str, text: str) -> None:
        """Show what the job is doing, in place of what it did before."""
        with whole(), self.lock:
            began, _ = self._running.get(name, (time.monotonic(), ""))
            self._running[name] = (began, redacted(text))
            self._show()

    def file(self, name: str, file: str, seconds: float | None, done: int, total: int) -> None:
        """Show how far the job is."""
        took = "" if seconds is None else f" ({duration(seconds)})"
        self.now(name, f"{done}/{total} {file}{took}")

    def ask(self, question: str) -> str | None:
        """Ask where the running jobs were shown."""
        with self.lock:
            self._hide()
            return super().ask(question)

    def out(self, text: str) -> None:
        """Write data; what is running is hidden first when both go to one terminal."""
        with self.lock:
            if sys.stdout.isatty():
                self._hide()
            super().out(text)

    def close(self) -> None:
        """Stop drawing for good and show the cursor again."""
        with whole(), self.lock:
            self._closed = True
            self._hide()

    def _show(self) -> None:
        if self._live is not None or self._closed:
            return
        from rich.console import Console  # noqa: PLC0415 - start-up: 60 ms that only a running job pays
        from rich.live import Live  # noqa: PLC0415

        console = self._console = self._console or Console(file=sys.stderr, highlight=False)
        self._live = Live(
            get_renderable=lambda: self._picture(max(console.width - MARGIN, 1)),
            console=console,
            refresh_per_second=FRAMES_A_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()

    def _hide(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _picture(self, width: int) -> Text:
        from rich.text import Text  # noqa: PLC0415 - the same

        now = time.monotonic()
        frame = FRAMES[int(now * FRAMES_A_SECOND) % len(FRAMES)]
        lines = []
        for name, (began, doing) in list(self._running.items()):
            line = Text.assemble((frame, "cyan"), f" {name}  {duration(now - began)}  ", (doing.split("\n")[0], "dim"))
            line.truncate(width, overflow="ellipsis")
            lines.append(line)
        return Text("\n", no_wrap=True).join(lines)

    @staticmethod
    def _styled(text: str, style: str) -> Text:
        from rich.text import Text  # noqa: PLC0415 - the same

        head, space, rest = text.partition(" ")
        return Text.assemble((head, style), space, rest)
