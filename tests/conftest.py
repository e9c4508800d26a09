"""What every test starts from, whoever started the tests."""

from __future__ import annotations

import os
import signal

# a shell ignores SIGINT for what it runs in the background, nohup ignores SIGHUP, and programs inherit that
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_xdist_auto_num_workers() -> int:
    """Two workers a processor: most of the time a test waits for servers and programs that it has started."""
    return 2 * (os.cpu_count() or 1)
