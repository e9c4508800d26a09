"""The live display: finished lines stay, and below them each running job with a spinner, its time and its file."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from pipelines.display import Plain, duration, redacted

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

__all__ = ["Terminal"]

FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
FRAMES_A_SECOND = 10


class Terminal(Plain):
    """Draws with rich, which is imported when the first job begins: a run with nothing to do stays quick."""

    def __init__(self) -> None:
        super().__init__()
        self._running: dict[str, tuple[float, str]] = {}
        self._console: Console | None = None
        self._live: Live | None = None

    def line(self, text: str, style: str = "") -> None:
        """Write the line above what is running."""
        with self.lock:
            if self._console is None:
                super().line(text)
                return
            self._console.print(self._styled(redacted(text), style), soft_wrap=True)

    def begin(self, name: str) -> None:
        """Show the job until it ends."""
        with self.lock:
            self._running[name] = (time.monotonic(), "")
            self._show()

    def end(self, name: str) -> None:
        """Take the job's line away."""
        with self.lock:
            self._running.pop(name, None)
            if not self._running:
                self._hide()

    def now(self, name: str, text: str) -> None:
        """Show what the job is doing, in place of what it did before."""
        with self.lock:
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
        """Stop drawing and show the cursor again."""
        with self.lock:
            self._hide()

    def _show(self) -> None:
        if self._live is not None:
            return
        from rich.console import Console  # noqa: PLC0415 - start-up: 60 ms that only a running job pays
        from rich.live import Live  # noqa: PLC0415

        self._console = self._console or Console(file=sys.stderr, highlight=False)
        self._live = Live(
            get_renderable=self._picture,
            console=self._console,
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

    def _picture(self) -> Text:
        from rich.text import Text  # noqa: PLC0415 - the same

        now = time.monotonic()
        frame = FRAMES[int(now * FRAMES_A_SECOND) % len(FRAMES)]
        picture = Text(no_wrap=True, overflow="ellipsis")
        for position, (name, (began, doing)) in enumerate(list(self._running.items())):
            picture.append("\n" if position else "")
            picture.append(frame, style="cyan")
            picture.append(f" {name}  {duration(now - began)}  ")
            picture.append(doing.split("\n")[0], style="dim")
        return picture

    @staticmethod
    def _styled(text: str, style: str) -> Text:
        from rich.text import Text  # noqa: PLC0415 - the same

        head, space, rest = text.partition(" ")
        return Text.assemble((head, style), space, rest)
