"""A comparison of dimensions from a model's folder to `dimensions.json`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.errors import ConfigurationError
from harness.progress import Progress
from harness.results.files import write_json
from models.dimensions.content import Asked, Qualities, content
from models.dimensions.quality import quality
from models.dimensions.throughput import Throughput
from models.dimensions.variants import PRECISIONS, Precision, Shortened
from models.encoding.model import DATASET
from models.features.features import Int32
from models.features.stored import read_arrays, write_arrays
from models.publishing.writing import Published, write_dataset

FILE, FOLDER = "dimensions.json", "dimensions"  # in a model's folder

# Where targets stand among the answers of each variant, by split: see `models.evaluation.recommender.places`.
Found = dict[tuple[int, Precision], dict[str, Int32]]
# (folder of the runs, dataset) -> the throughput of each engine on it
Measure = Callable[[Path, Path], list[Throughput]]


def choose_dims(wanted: tuple[int, ...], own: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The dimensions to compare, ascending and the model's own last, and those of the wanted that it does not have.

    Raises ConfigurationError where none is below its own.
    """
    below = sorted({dim for dim in wanted if dim < own})
    if not below:
        named = ", ".join(map(str, wanted))
        raise ConfigurationError(
            f"--dims: none of {named} is below the model's own {own} dimensions; name smaller ones"
        )
    return (*below, own), tuple(sorted({dim for dim in wanted if dim > own}))


def compare(shortened: Shortened, asked: Asked, measure: Measure, progress: Progress) -> dict[str, Any]:
    """Judges and measures every variant, writes `dimensions.json`, and returns what it holds.

    What an interrupted comparison has found out before is not found out again. Raises as `write_dataset` and `measure`.
    """
    found = _found(shortened, asked, progress)
    speeds = {dim: _speeds(shortened, dim, measure) for dim in asked.dims}
    qualities = _judged(shortened, asked, found, progress)
    whole = content(shortened, asked, qualities, speeds)
    write_json(shortened.material.model.folder / FILE, whole)
    return whole


def _found(shortened: Shortened, asked: Asked, progress: Progress) -> Found:
    found: Found = {}
    for precision in PRECISIONS:
        for dim in asked.dims:
            progress(
                f"asking at {dim} dimensions, {precision}", len(found), len(asked.dims) * len(PRECISIONS)
            )
            found[dim, precision] = _places(shortened, dim, precision)
    return found


def _judged(shortened: Shortened, asked: Asked, found: Found, progress: Progress) -> Qualities:
    cases, full, judged = shortened.material.cases, found[shortened.dim, "float32"], {}
    for done, (variant, own) in enumerate(found.items()):
        progress("intervals", done, len(found))
        judged[variant] = {name: quality(own[name], full[name], cases[name], asked.plan) for name in cases}
    return judged


def _places(shortened: Shortened, dim: int, precision: Precision) -> dict[str, Int32]:
    """Where targets stand, from the file that an earlier comparison has left where there is one."""
    path = _folder(shortened, dim) / f"found-{precision}.npz"
    if path.exists():
        return read_arrays(path)
    found = shortened.found(dim, precision)
    write_arrays(path, found)
    return found


def _speeds(shortened: Shortened, dim: int, measure: Measure) -> list[Throughput]:
    folder = _folder(shortened, dim)
    return measure(folder, _dataset(shortened, dim, folder))


def _dataset(shortened: Shortened, dim: int, folder: Path) -> Path:
    """The dataset of a dimension, written once: at the model's own dimension it is the model's."""
    if dim == shortened.dim:
        return shortened.material.model.folder / DATASET
    if not (folder / DATASET).exists():
        publish(folder / DATASET, shortened, dim)
    return folder / DATASET


def publish(folder: Path, shortened: Shortened, dim: int) -> Published:
    """Writes listings, and the users of the test cases as queries, at one dimension. Raises as `write_dataset`."""
    material = shortened.material
    return write_dataset(
        folder,
        material.items,
        shortened.listings(dim),
        material.test,
        shortened.queries(material.test, dim),
        user_ids=material.user_ids,
        identity=shortened.identity(dim),
        popularity=material.nearest.popularity,
        options=material.config.dataset,
    )


def _folder(shortened: Shortened, dim: int) -> Path:
    """What is kept of a dimension; vectors of another model have another folder."""
    return shortened.material.model.folder / FOLDER / f"{dim}-{shortened.identity(dim).hash[:12]}"
