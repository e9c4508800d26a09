from __future__ import annotations

from tests import registries
from tests.bench.conftest import Bench


def test_services_that_are_up_to_date_cost_one_question_each(bench: Bench) -> None:
    registries.program()
    words = ("image", "--services", "3", "--files", "2", "--rounds", "1")
    told = bench(*words)
    assert told.count("asked: 3 HEAD\n") == 2, "a pair to warm up and a pair that counts"
    assert "doit image, 3 services up to date" in told
