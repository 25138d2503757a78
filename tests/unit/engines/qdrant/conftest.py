"""A stand-in of Qdrant and an adapter to it. What needs the client is imported where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from engines.qdrant.adapter import Qdrant
    from tests.servers.qdrant_stand_in import StandIn


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    from engines.qdrant import failures
    from tests.servers.qdrant_stand_in import standing_in

    with standing_in() as servers:
        for name, value in servers.environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(failures, "_PAUSES_S", (0.0, 0.0, 0.0))
        yield servers


@pytest.fixture(params=[True, False], ids=["grpc", "rest"])
def engine(request: pytest.FixtureRequest, tmp_path: Path, stand_in: StandIn) -> Iterator[Qdrant]:
    from engines.qdrant.adapter import Qdrant
    from engines.qdrant.params import IndexParams

    made = Qdrant(tmp_path, IndexParams(prefer_grpc=request.param, batch_size=2))
    yield made
    made.close()
