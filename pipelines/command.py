"""What our doit commands have in common: options anywhere, one clear message for a mistake, and the exit codes."""

from __future__ import annotations

import traceback
from getopt import GetoptError
from typing import Any, ClassVar

from doit.cmd_base import Command
from doit.cmdparse import CmdParseError

from pipelines.display import abandon_stdout, data, say
from pipelines.ending import stopping, told_to_stop
from pipelines.loader import Loader
from pipelines.machine import trouble
from pipelines.reporter import BROKEN, BUG
from schemas.errors import GanderError, SelectionError

__all__ = ["Ours"]

HELP = {"-h", "--help"}


class Ours(Command):  # type: ignore[misc]  # doit ships no types
    """A command of ours; subclasses say what it does in `perform`."""

    variables: ClassVar[tuple[str, ...]] = ()  # name=value words that the command itself takes

    def __init__(self, task_loader: Loader, **others: Any) -> None:
        super().__init__(**others)
        self.loader = task_loader

    def perform(self, options: dict[str, Any], words: list[str]) -> int:
        """Do what the command is for and return the exit code."""
        raise NotImplementedError

    def helped(self, words: list[str]) -> str:  # noqa: ARG002 - for subclasses that take names
        """What ``--help`` shows."""
        return str(self.help())

    def parse_execute(self, in_args: list[str]) -> int:
        """Parse the arguments and perform the command; what goes wrong becomes a message and an exit code."""
        try:
            if HELP & set(in_args):
                data(self.helped([word for word in in_args if not word.startswith("-")]))
                return 0
            with stopping():
                options, words = self._parse(in_args)
                return self.perform(options, words)
        except GanderError as error:
            say(str(error))
            return error.exit_code
        except BrokenPipeError:  # the reader, such as `head`, has gone
            abandon_stdout()
            return 128 + 13
        except SystemExit as end:
            if told_to_stop():
                say(f"stopped by signal {int(end.code or 0) - 128}; finished targets are kept")
            raise
        except Exception as bug:  # noqa: BLE001 - whatever it is, it is reported with its traceback
            if known := trouble(bug):
                abandon_stdout()
                say(str(known))
                return known.exit_code
            say(traceback.format_exc() + BUG)
            return BROKEN

    def _parse(self, arguments: list[str]) -> tuple[dict[str, Any], list[str]]:
        """Part options from words, in any order; doit alone takes options before words only."""
        words: list[str] = []
        try:
            options, rest = self.cmdparser.parse(arguments)
            while rest:
                words.append(rest.pop(0))
                options, rest = self.cmdparser.parse_only(rest, options)
        except CmdParseError as error:
            cause = error.__context__
            said = cause.msg if isinstance(cause, GetoptError) else " ".join(str(error).split())
            raise SelectionError(f"doit {self.name}: {said}", todo=f"doit help {self.name}") from None
        return options, words
