"""A PostgreSQL of its own for each file of tests, where the wheel that has it is installed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engines.pgvector import local
from engines.server.launched import Launched


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
