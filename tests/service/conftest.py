"""One service for the tests that leave it as it is, and what they need to start others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service import shop
from tests.service.launch import Service, running


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The shop's; tests write only listings of their own."""
    folder = tmp_path_factory.mktemp("service")
    shop.write(folder)
    with running(folder, "--dataset", "shop", "--config", "service.yaml") as started:
        yield started
        # Whatever was asked, nothing was answered by a bug.
        logged = [line for line in started.said if "Traceback" in line or " service." in line]
        assert not [line for line in logged if "Traceback" in line or ": 500 " in line]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the shop's data and settings."""
    shop.write(tmp_path)
    return tmp_path
