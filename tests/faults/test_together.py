"""Several `doit migrate` at once from a cold start: databases are shared out or waited for, all runs end well."""

from __future__ import annotations

import pytest

from tests.faults.monorepo import Monorepo, clean


@pytest.mark.parametrize("count", [2, 5])
def test_runs_at_once_all_finish_and_apply_each_file_once(cold: Monorepo, count: int) -> None:
    runs = [cold.start("migrate") for _ in range(count)]
    ends = [run.end() for run in runs]
    for end in ends:
        clean(end)
        assert end.code == 0, end.err
    said = "\n".join(end.err for end in ends)
    assert said.count("creating the data directory") == 1
    assert said.count("starting the local PostgreSQL") >= 1
    assert sum(line.endswith("s") and " 8 files applied" in line for line in said.splitlines()) == 4
    cold.whole()
    again = cold.doit("migrate")
    assert (again.code, again.finished) == (0, set()), again.err
    assert cold.doit("status").code == 0
