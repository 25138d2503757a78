"""A PostgreSQL of its own for each file of tests, where the wheel that has it is installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from engines.pgvector import local
from engines.pgvector.connection import Sessions, prepare_server
from engines.server.endpoint import Endpoint
from engines.server.launched import Launched
from tests.unit.engines.pgvector.in_flight import end_backends


@pytest.fixture(scope="session")
def installed() -> None:
    """Skips where there is no PostgreSQL to start."""
    try:
        local.installed()
    except local.MissingServerError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def launched(installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launched]:
    with local.running(tmp_path_factory.mktemp("pgvector"), cpus=2, memory_bytes=512 << 20) as server:
        yield server


@pytest.fixture
def server(launched: Launched, monkeypatch: pytest.MonkeyPatch) -> Launched:
    monkeypatch.setenv("BAKEOFF_PGVECTOR_URL", launched.settings["URL"])
    return launched


@pytest.fixture
def sessions(launched: Launched) -> Iterator[Sessions]:
    with closing(Sessions(Endpoint(launched.settings["URL"]))) as made:
        prepare_server(made.mine().connection)
        made.configure({"hnsw.ef_search": "64"})
        yield made
        end_backends(
            made
        )  # some sleep on though their client has gone, and would be counted by the next test
