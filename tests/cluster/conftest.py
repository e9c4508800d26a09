"""The cluster of the tests of releases: brought up by the first test that asks, taken down after the last."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

from tests.cluster.cluster import Cluster, own, up
from tests.cluster.making import example
from tests.cluster.site import Site
from tests.journeys.conftest import Monorepo
from tools.toolchain.cluster import cluster_lacks


@pytest.fixture(scope="session")
def cluster(pytestconfig: pytest.Config) -> Iterator[Cluster]:
    """Kubernetes with Argo CD: somebody's own where GANDER_TEST_CONTEXT names it, else one that we bring up.

    Not run where that cannot be; where CI=true that is a failure.
    """
    theirs = own(os.environ)
    if theirs:
        yield theirs
        return
    lacks = cluster_lacks()
    if lacks:
        reason = f"a real cluster: needs {' and '.join(lacks)}"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")

    def say(line: str) -> None:
        """Show how far it is, at once; on stderr, which also reaches the terminal from a worker of pytest-xdist."""
        with capture.global_and_fixture_disabled():
            sys.stderr.write(f"\ncluster: {line}\n")
            sys.stderr.flush()

    with up(say) as ours:
        yield ours


@pytest.fixture(scope="module", name="site")
def fixture_site(
    request: pytest.FixtureRequest, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The service of the example that a module of tests names, before its first release."""
    with example(cluster, tmp_path_factory.mktemp("site"), request.module.SERVICE) as site:
        yield site


@pytest.fixture(name="mono")
def fixture_mono(site: Site, monkeypatch: pytest.MonkeyPatch) -> Monorepo:
    """Its monorepo, with the variables set that somebody has who releases it."""
    for name, value in site.variables.items():
        monkeypatch.setenv(name, value)
    return site.monorepo
