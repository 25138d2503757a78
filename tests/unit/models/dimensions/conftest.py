"""One model for all tests that only read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.dimensions.variants import Shortened
from tests.unit.models.dimensions.made import material, write_model


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("dimensions") / "tiny")


@pytest.fixture(scope="session")
def shortened(folder: Path) -> Shortened:
    return Shortened.of(material(folder))
