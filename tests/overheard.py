"""doit as it is typed, with every server that this process turns to written down, by its address or by its name.

python -m tests.overheard FILE verify:shop@dev
"""

from __future__ import annotations

import runpy
import sys
from typing import Any

FILE = sys.argv[1]


def hook(event: str, words: tuple[Any, ...]) -> None:
    """Note whom Python's own sockets turn to (PEP 578); the clients of databases have their own."""
    if event == "socket.getaddrinfo":
        heard = f"{words[0]}:{words[1]}"
    elif event == "socket.connect" and isinstance(words[1], tuple):
        heard = f"{words[1][0]}:{words[1][1]}"
    else:
        return
    with open(FILE, "a", encoding="utf-8") as opened:  # noqa: PTH123 - less happens inside of a hook
        opened.write(f"{heard}\n")


if __name__ == "__main__":
    sys.addaudithook(hook)
    sys.argv = ["doit", *sys.argv[2:]]
    runpy.run_module("doit", run_name="__main__", alter_sys=False)
