"""A folder of user data, for every test of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.data.user_data import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)
