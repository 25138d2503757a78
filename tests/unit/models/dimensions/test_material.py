"""A model and its data read again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from harness.errors import ConfigurationError
from models.encoding.model import MODEL
from tests.unit.models.dimensions.made import material


def test_vectors_and_cases_are_those_of_the_training(folder: Path) -> None:
    found = material(folder)
    assert set(found.cases) == {"validation", "test"}
    assert all(len(cases) for cases in found.cases.values())
    published = np.load(folder / "dataset" / "vectors.npy")
    kept = found.test.candidates
    assert kept is not None
    np.testing.assert_allclose(
        found.model.encoder.indexed(found.nearest.listings, found.ids)[kept], published, atol=1e-6
    )


def test_other_data_than_those_of_the_training_are_refused(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "tiny")
    path = tmp_path / "tiny" / MODEL
    values = json.loads(path.read_text())
    values["configuration"]["data"]["marketplace"]["users"] += 1
    path.write_text(json.dumps(values))
    with pytest.raises(ConfigurationError, match="was trained on other data than are there now"):
        material(tmp_path / "tiny")


def test_a_wrong_configuration_is_named(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "tiny")
    path = tmp_path / "tiny" / MODEL
    values = json.loads(path.read_text())
    values["configuration"]["evaluation"]["k"] = [0]
    path.write_text(json.dumps(values))
    with pytest.raises(ConfigurationError, match=r"evaluation\.k"):
        material(tmp_path / "tiny")
