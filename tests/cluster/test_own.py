"""People who have a cluster name it by variables."""

from __future__ import annotations

import pytest

from tests.cluster.cluster import OWN, own


def test_a_cluster_of_somebodys_own_is_named_whole_or_not_at_all() -> None:
    given = {
        f"{OWN}{name}": name.lower()
        for name in (
            "CONTEXT",
            "ARGOCD",
            "TOKEN",
            "DEPLOYER",
            "REGISTRY",
            "APPLICATION",
            "GIT",
            "POSTGRES",
            "CLICKHOUSE",
        )
    }
    with pytest.raises(ValueError, match="GANDER_TEST_POSTGRES_IN_PODS, GANDER_TEST_CLICKHOUSE_IN_PODS"):
        own(given)
    there = dict.fromkeys((f"{OWN}POSTGRES_IN_PODS", f"{OWN}CLICKHOUSE_IN_PODS"), "there")
    found = own(given | there | {f"{OWN}KUBECONFIG": "config"})
    assert found
    assert (found.context, found.kubeconfig, found.authority) == ("context", "config", "")
    assert own({f"{OWN}ARGOCD": "https://argocd.example.com"}) is None
    assert "token" not in repr(found).replace("token=", "")
