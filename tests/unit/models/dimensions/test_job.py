"""A comparison from a model's folder to its file, interrupted and gone on with."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.data.catalogue import load_dataset
from harness.errors import ConfigurationError
from harness.progress import silent
from harness.scenario.specs import Scenario
from models.dimensions.content import Asked
from models.dimensions.job import FILE, choose_dims, compare
from models.dimensions.throughput import Throughput
from models.dimensions.variants import Shortened
from models.evaluation.cells import Plan
from tests.unit.models.dimensions.made import material

SCENARIO = Scenario.model_validate(
    {"name": "made", "dataset": None, "engines": [{"engine": "bruteforce"}], "tasks": [{"task": "index"}]}
)


def asked(**changes: Any) -> Asked:
    given = {"dims": (2, 5, 8), "left_out": (16,), "tolerance": 0.02, "scenario": SCENARIO}
    return Asked(**given | {"plan": Plan((50, 5), "8, float32", draws=200)} | changes)


class Measured:
    """Stands in for runs: remembers the datasets that it was asked for, and breaks off before one of them."""

    def __init__(self, breaks_at: int | None = None) -> None:
        self.dims: list[int] = []
        self.models: list[str] = []
        self._breaks_at = breaks_at

    def __call__(self, runs: Path, dataset: Path) -> list[Throughput]:
        found = load_dataset(str(dataset), cache=runs / "cache")
        dim = found.vectors.shape[1]
        if dim == self._breaks_at:
            raise KeyboardInterrupt
        assert found.model is not None
        self.dims.append(dim)
        self.models.append(found.model.version)
        rates = (1000.0 / dim, 1010.0 / dim, 990.0 / dim)
        return [
            Throughput("made", "float32", {"ef": 1}, rates, 0.99),
            Throughput("made", "int8", {}, (), None, "it cannot"),
        ]


@pytest.fixture
def fresh(folder: Path, tmp_path: Path) -> Shortened:
    shutil.copytree(folder, tmp_path / "tiny")
    return Shortened.of(material(tmp_path / "tiny"))


def test_everything_is_in_the_file(fresh: Shortened) -> None:
    measured = Measured()
    told = compare(fresh, asked(), measured, silent)
    assert json.loads((fresh.material.model.folder / FILE).read_text()) == told
    assert (measured.dims, measured.models) == ([4, 7, 10], ["1-2d", "1-5d", "1"])
    assert (told["dims"], told["left_out"], told["dim"]) == ([2, 5, 8], [16], 8)
    variants = {(one["dim"], one["precision"]): one for one in told["variants"]}
    assert {key: one["bytes"] for key, one in variants.items()} == {
        (2, "float32"): 16,
        (5, "float32"): 28,
        (8, "float32"): 40,
        (2, "int8"): 4,
        (5, "int8"): 7,
        (8, "int8"): 10,
    }
    full, least = variants[8, "float32"], variants[2, "float32"]
    assert full["quality"]["test"]["hits_lost"] == []
    assert [one["k"] for one in least["quality"]["validation"]["hits_lost"]] == [50, 5]
    assert least["throughput"][0]["ratio"]["value"] == pytest.approx(10 / 4)
    assert full["throughput"][0]["ratio"] is None
    assert variants[2, "int8"]["throughput"][0]["missing"] == "it cannot"
    assert set(told["enough"]) == {"float32", "int8"}


def test_the_validation_cases_choose(fresh: Shortened) -> None:
    """Where the test cases lose nothing the choice stays; where the validation cases lose nothing it changes."""
    strict = compare(fresh, asked(tolerance=0.2), Measured(), silent)
    assert strict["enough"]["float32"] == 8
    path = next((fresh.material.model.folder / "dimensions").glob("5-*/found-float32.npz"))
    places = dict(np.load(path))
    full = dict(np.load(next((fresh.material.model.folder / "dimensions").glob("8-*/found-float32.npz"))))
    for split, expected in (("test", 8), ("validation", 5)):
        np.savez(path, **{**places, split: full[split]})
        again = compare(fresh, asked(tolerance=0.2), Measured(), silent)
        assert again["enough"]["float32"] == expected


def test_what_was_found_is_not_found_again(fresh: Shortened, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyboardInterrupt):
        compare(fresh, asked(), Measured(breaks_at=7), silent)
    assert not (fresh.material.model.folder / FILE).exists()
    dataset = next((fresh.material.model.folder / "dimensions").glob("2-*/dataset"))
    written = (dataset / "vectors.npy").stat().st_mtime_ns

    def never(*_: Any) -> None:
        raise AssertionError("asked again")

    monkeypatch.setattr(Shortened, "found", never)
    told = compare(fresh, asked(), Measured(), silent)
    assert len(told["variants"]) == 6
    assert (dataset / "vectors.npy").stat().st_mtime_ns == written
    with pytest.raises(AssertionError, match="asked again"):  # of another dimension nothing is known
        compare(fresh, asked(dims=(3, 8)), Measured(), silent)


@pytest.mark.parametrize(
    ("wanted", "dims", "left_out"),
    [((32, 64, 128, 256), (32, 64, 128), (256,)), ((64, 32, 64), (32, 64, 128), ()), ((2,), (2, 128), ())],
)
def test_dimensions_are_those_that_the_model_has(
    wanted: tuple[int, ...], dims: tuple[int, ...], left_out: tuple[int, ...]
) -> None:
    assert choose_dims(wanted, 128) == (dims, left_out)


def test_without_a_smaller_dimension_there_is_nothing_to_compare() -> None:
    with pytest.raises(ConfigurationError, match="none of 128, 256 is below the model's own 128 dimensions"):
        choose_dims((128, 256), 128)
