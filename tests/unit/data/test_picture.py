"""Vectors that are pictures: manifests say it, and nothing is built anew for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.data.catalogue import load_dataset, picture_of
from harness.data.picture import Picture
from harness.errors import ConfigurationError
from tests.service import shop


def test_manifests_say_how_vectors_are_shown(tmp_path: Path) -> None:
    assert picture_of("fashion-mnist") == Picture(pixels=(28, 28))
    assert picture_of("synthetic") is None
    data = shop.write(tmp_path)
    assert picture_of(str(data)) is None
    before = load_dataset(str(data), cache=tmp_path / "cache")
    manifest = data / "dataset.yaml"
    manifest.write_text(manifest.read_text() + "picture: {pixels: [2, 4]}\n")
    assert picture_of(str(data)) == Picture(pixels=(2, 4))
    built = sorted((tmp_path / "cache").iterdir())
    assert load_dataset(str(data), cache=tmp_path / "cache").fingerprint == before.fingerprint
    assert sorted((tmp_path / "cache").iterdir()) == built
    manifest.write_text("metric: cosine\npicture: {pixels: [2]}\n")
    with pytest.raises(ConfigurationError, match=r"dataset.yaml: picture.pixels"):
        picture_of(str(data))


def test_pixels_must_be_as_many_as_dimensions() -> None:
    assert Picture(pixels=(28, 28)).problem(784) == ""
    assert "28 x 28 are 784 values, the vectors have 128" in Picture(pixels=(28, 28)).problem(128)
