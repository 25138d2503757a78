"""A server engine is killed under load: questions are answered meanwhile, and no acknowledged write is lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engines.pgvector import local
from harness.soak.judging.figures import reads
from harness.soak.load.samples import ANSWERED, FALLBACK, LOST, WRONG
from tests.service.launch import running
from tests.service.shop import vectors
from tests.service.under_load.engine_kills import kill_under_load
from tests.service.under_load.locusts import needs_locust

KILLS = 2


@needs_locust
def test_an_engine_that_is_killed_and_comes_back(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    try:
        local.installed()
    except local.MissingServerError as error:
        pytest.skip(str(error))
    with local.running(tmp_path_factory.mktemp("postgres"), cpus=2, memory_bytes=1 << 29) as server:
        options = ("--dataset", "shop", "--config", "service.yaml", "--engine", "pgvector")
        with running(folder, *options, BAKEOFF_PGVECTOR_URL=server.settings["URL"]) as service:
            question = {"vector": vectors()[0].tolist(), "k": 5}
            killed = kill_under_load(folder / "load", service, server, KILLS, question, reads=30, writes=20)
    samples, asked = killed.samples, reads(killed.samples)
    assert killed.counts["lost_rows"] == killed.counts["not_sent"] == 0
    assert len(killed.recovered_s) == KILLS
    outcomes = samples["outcome"]
    # Nothing hangs or breaks; while the engine was away popular listings stood in for it, and afterwards no longer.
    assert not np.isin(outcomes[asked], (LOST, WRONG)).any()
    assert np.sum(outcomes[asked] == FALLBACK) > 0
    assert np.sum(outcomes[asked] == ANSWERED) > np.sum(outcomes[asked]) / 4
    assert (samples["stale"].sum(), samples["unmet"].sum()) == (0, 0)
    assert (killed.found.compared > 10, killed.found.lost, killed.found.differences) == (True, (), 0)
