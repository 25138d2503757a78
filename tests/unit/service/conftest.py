"""A database for the tests of stores."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers import pgvector
from tests.servers.launch import UnavailableError


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real PostgreSQL's URL."""
    try:
        with pgvector.running(tmp_path_factory.mktemp("postgres")) as url:
            yield url
    except UnavailableError as error:
        pytest.skip(str(error))
