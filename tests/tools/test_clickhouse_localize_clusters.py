"""The clusters that migrations name, found without a server."""

from __future__ import annotations

import pytest

from tools.clickhouse.clusters import clusters

CASES = {
    "DROP TABLE a ON CLUSTER plain": {"plain"},
    "DROP TABLE a on\n  /* ON CLUSTER no */ Cluster -- 'no'\n 'quoted' SYNC": {"quoted"},
    'DROP TABLE a ON CLUSTER "double" ': {"double"},
    "DROP TABLE a ON CLUSTER`back-quoted`": {"back-quoted"},
    "DROP TABLE a ON CLUSTER 'it\\'s'": {"it's"},
    "DROP TABLE a ON CLUSTER '{cluster}'": set(),
    "CREATE TABLE a AS b ENGINE = Distributed('one', 'd', 'b')": {"one"},
    "CREATE TABLE a AS b ENGINE = Distributed( two, d, b)": {"two"},
    "CREATE VIEW v AS SELECT * FROM cluster('three', a.b) JOIN clusterAllReplicas(four, a.b) USING k": {
        "three",
        "four",
    },
    "INSERT INTO a VALUES ('x ON CLUSTER no'), ('it''s ON CLUSTER no'), ('\\' ON CLUSTER no')": set(),
    'SELECT $t$ ON CLUSTER no $t$, `ON CLUSTER no`, "ON CLUSTER no" -- ON CLUSTER no': set(),
    "SELECT mycluster('no'), 1 # cluster('no')": set(),
}


@pytest.mark.parametrize("sql", CASES)
def test_the_clusters_of(sql: str) -> None:
    data = f"-- +goose Up\n-- +goose StatementBegin\n{sql}\n;\n-- +goose StatementEnd\n".encode()
    assert clusters([data]) == CASES[sql] | {"default"}


def test_both_directions_of_all_files_count_and_variables_are_put_in() -> None:
    files = [
        b"-- +goose Up\nDROP TABLE a ON CLUSTER x;\n-- +goose Down\nDROP TABLE a ON CLUSTER y;\n",
        b"-- +goose ENVSUB ON\n-- +goose Up\nDROP TABLE a ON CLUSTER '${NAME}';\n",
    ]
    assert clusters(files, {"NAME": "z"}) == {"default", "x", "y", "z"}


def test_no_file_needs_the_default_cluster_alone() -> None:
    assert clusters([]) == {"default"}
