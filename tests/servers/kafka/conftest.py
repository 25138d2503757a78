"""A real broker for the tests of what comes from Kafka."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.kafka.broker import Broker, running
from tests.servers.launch import UnavailableError
from tests.unit.service.ingestion.shop import Shop


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """BAKEOFF_REQUIRE_KAFKA=1 makes a failure of what is missing."""
    try:
        with running(tmp_path_factory.mktemp("kafka")) as started:
            yield started
    except UnavailableError as error:
        if os.environ.get("BAKEOFF_REQUIRE_KAFKA") == "1":
            pytest.fail(f"BAKEOFF_REQUIRE_KAFKA: {error}")
        pytest.skip(str(error))


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """An empty catalogue."""
    found = Shop(tmp_path)
    yield found
    found.catalogue.close()
