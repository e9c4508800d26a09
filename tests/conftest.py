"""What every test starts from, whoever started the tests."""

from __future__ import annotations

import os
import signal
from typing import Any

from xdist.scheduler import LoadScopeScheduling

# a shell ignores SIGINT for what it runs in the background, nohup ignores SIGHUP, and programs inherit that
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_xdist_auto_num_workers() -> int:
    """Two workers a processor: most of the time a test waits for servers and programs that it has started."""
    return 2 * (os.cpu_count() or 1)


def pytest_xdist_make_scheduler(config: Any, log: Any) -> LoadScopeScheduling:
    """A worker a module, as ``--dist loadscope`` does; but one worker, and so one cluster, for all of tests/cluster.

    Clusters side by side would take the memory and the processors of all other tests.
    """
    scheduler, folder = LoadScopeScheduling(config, log), "tests/cluster/"
    of_module = scheduler._split_scope
    scheduler._split_scope = lambda nodeid: folder if nodeid.startswith(folder) else of_module(nodeid)
    return scheduler
