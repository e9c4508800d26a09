"""What every test starts from, whoever started the tests."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.daemons import daemon

if TYPE_CHECKING:
    from xdist.remote import Producer

# a shell ignores SIGINT for what it runs in the background, nohup ignores SIGHUP, and programs inherit that
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_xdist_auto_num_workers() -> int:
    """Two workers a processor: most of the time a test waits for servers and programs that it has started."""
    return 2 * (os.cpu_count() or 1)


class OneCluster(LoadScopeScheduling):
    """A worker a module, as ``--dist loadscope`` does; but one worker, and so one cluster, for all of tests/cluster.

    Clusters side by side would take the memory and the processors of all other tests.
    """

    def _split_scope(self, nodeid: str) -> str:
        """What goes to one worker together; the method that xdist's own schedulers override."""
        folder = "tests/cluster/"
        return folder if nodeid.startswith(folder) else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneCluster:
    """Who gives the workers their tests."""
    return OneCluster(config, log)


@pytest.fixture(autouse=True)
def _folder_goes_last(request: pytest.FixtureRequest) -> None:
    """Have a test's folder, which goes when the test has passed, go after all that may still run in it."""
    if "tmp_path" in request.fixturenames:
        request.getfixturevalue("tmp_path")


@pytest.fixture(scope="module", name="docker_host")
def fixture_docker_host() -> Iterator[str]:
    """A Docker daemon for the tests of one module."""
    with daemon() as host:
        yield host


@pytest.fixture(name="host")
def fixture_host(docker_host: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """That daemon, found by whatever the test runs; empty for the one of the machine."""
    if docker_host:
        monkeypatch.setenv("DOCKER_HOST", docker_host)
    return docker_host
