"""Run doit and kill it at one moment of its own: ``doomed.py ROOT PATTERN N WORDS...`` ends at the Nth that fits.

A moment is one line, such as ``rename services/a/b.sql``: what doit is about to do to a file below ROOT, or the program
that it is about to start (``start git commit ...``). After an open and a start there is one more moment: ``opened``
when the file is there and nothing has been written, ``started`` when the program has begun. Unlike a kill after a
pause it hits what it was meant for however busy the machine is (PEP 578, audit hooks; CPython 3.11, sys.setprofile).
"""

from __future__ import annotations

import os
import re
import runpy
import signal
import sys
from types import FrameType
from typing import Any

ROOT, PATTERN, WHICH = sys.argv[1], re.compile(sys.argv[2]), int(sys.argv[3])
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
CHANGES = ("os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.truncate")
seen = 0


def moment(what: str) -> None:
    """Count a moment, and die if it is the one."""
    global seen  # noqa: PLW0603 - a hook has no other place
    if PATTERN.search(what):
        seen += 1
        if seen == WHICH:
            os.kill(os.getpid(), signal.SIGKILL)


def hook(event: str, words: tuple[Any, ...]) -> None:
    """Tell moments from what Python is about to do."""
    if event == "subprocess.Popen":
        command = " ".join(map(os.fspath, words[1]))
        moment(f"start {command}")
        _then(f"started {command}", lambda what, which: what == "c_return" and which.__name__ == "fork_exec")
    elif event == "open" and isinstance(words[0], str) and words[2] and words[2] & WRITING:
        if words[0].startswith(f"{ROOT}/"):
            moment(f"open {words[0][len(ROOT) + 1 :]}")
            _then(f"opened {words[0][len(ROOT) + 1 :]}", lambda _what, _which: True)
    elif event in CHANGES and os.fspath(words[0]).startswith(f"{ROOT}/"):
        moment(f"{event[3:]} {os.fspath(words[0])[len(ROOT) + 1 :]}")


def _then(what: str, begins: Any) -> None:
    """Count a moment at the first thing of this thread, after the hook has returned, with which it begins."""

    def look(frame: FrameType, kind: str, which: Any) -> None:
        if frame.f_code not in HOOK and begins(kind, which):
            sys.setprofile(None)
            moment(what)

    sys.setprofile(look)


HOOK = (hook.__code__, _then.__code__)
sys.argv = ["doit", *sys.argv[4:]]
sys.path[0] = os.getcwd()  # noqa: PTH109 - as `python -m doit` has it
sys.addaudithook(hook)
runpy.run_module("doit", run_name="__main__", alter_sys=True)
