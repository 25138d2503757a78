"""The index is built anew under load: no write is lost, and nobody is answered by one that is half built."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.service.launch import running
from tests.service.shop import vectors
from tests.service.under_load.half_built import HALF_S
from tests.service.under_load.locusts import needs_locust
from tests.service.under_load.rebuilds import Rebuilt, rebuild_under_load

KNOWN = [(f"listing/{row}", vector.tolist()) for row, vector in enumerate(vectors()[:60])]


def rebuilt(folder: Path, *options: str) -> Rebuilt:
    with running(folder, "--dataset", "shop", "--config", "service.yaml", *options) as service:
        for _ in range(2):  # the planted engine is whole some time after it was first asked
            service.ask("POST", "/v1/recommendations", {"vector": KNOWN[0][1]})
            time.sleep(HALF_S)
        return rebuild_under_load(folder / "load", service, 2, KNOWN, k=50, seconds=5, reads=20, writes=50)


@needs_locust
@pytest.mark.parametrize("half_built", [False, True])
def test_writes_and_answers_while_the_index_is_built_anew(folder: Path, half_built: bool) -> None:
    engine = ("--engine", "tests.service.under_load.half_built:HalfBuilt") if half_built else ()
    found = rebuilt(folder, *engine)
    assert len(found.took_s) == 2
    assert found.asked > 20
    assert (found.counts["lost_rows"], found.counts["not_sent"]) == (0, 0)
    assert (found.found.compared > 50, found.found.lost, found.found.differences) == (True, (), 0)
    assert bool(found.missing) == half_built
    assert found.samples["stale"].sum() == found.samples["unmet"].sum() == 0
