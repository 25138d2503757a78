"""The dataset cache: whole or not there, also after a kill, on a full disk and with several builders."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engines.columns import Column, Keywords, Nullable, Tags, decoded
from engines.filters import And, Eq, In, Not, Or, Range
from harness.data.catalogue import load_dataset
from harness.data.dataset import Attribute, Dataset
from harness.data.stored.arrays import ArrayWriter
from harness.data.stored.store import DatasetParts, open_dataset, save, throttled
from harness.errors import DatasetError

ROOT = Path(__file__).parents[3]
REF = "synthetic:rows=20000,dim=64"


def python(code: str, cache: Path) -> subprocess.Popen[str]:
    """A new process with `load_dataset` and `cache` at hand."""
    start = f"from pathlib import Path; from harness.data.catalogue import load_dataset; cache = Path({str(cache)!r})\n"
    return subprocess.Popen([sys.executable, "-c", start + code], stdout=subprocess.PIPE, text=True, cwd=ROOT)


def write(folder: Path, values: np.ndarray, **changes: object) -> Dataset:
    folder.mkdir()
    stored = []
    for name in ("vectors.npy", "queries.npy"):
        with ArrayWriter(folder, name, *values.shape) as writer:
            writer.append(values)
        stored.append(writer.stored())
    parts: dict[str, object] = {
        "name": "n",
        "metric": "ip",
        "attributes": (
            Attribute("w", "keyword", "real"),
            Attribute("i", "integer", "generated"),
            Attribute("f", "float", "real"),
            Attribute("b", "boolean", "real"),
        ),
        "columns": {
            "w": Keywords.encode(["ü", 'q"', "ü"]),
            "i": np.array([2**62, -1, 0]),
            "f": np.array([0.1, 1e300, -2.0]),
            "b": np.array([True, False, True]),
        },
        "filters": {
            "own": (None, And((Eq("b", True), Not(In("w", ("ü",))))), Or((Range("f", gte=0.1, lt=3),)))
        },
        "ids": [7, "x", 9],
    }
    save(folder, DatasetParts(vectors=stored[0], queries=stored[1], **(parts | changes)))  # type: ignore[arg-type]
    return open_dataset(folder)


VALUES = np.array([[1, 2], [3, 4], [5, 6]], dtype=np.float32)


def test_what_is_saved_is_read_back(tmp_path: Path) -> None:
    dataset = write(tmp_path / "a", VALUES)
    np.testing.assert_array_equal(dataset.vectors, VALUES)
    assert dataset.columns["w"].decode() == ["ü", 'q"', "ü"]  # type: ignore[union-attr]
    assert dataset.columns["i"].tolist() == [2**62, -1, 0]  # type: ignore[union-attr]
    assert dataset.columns["f"].tolist() == [0.1, 1e300, -2.0]  # type: ignore[union-attr]
    assert dataset.columns["b"].dtype == np.bool_  # type: ignore[union-attr]
    assert dataset.filters["own"][1] == And((Eq("b", True), Not(In("w", ("ü",)))))
    assert dataset.ids is not None and dataset.ids.tolist() == [7, "x", 9]
    assert not dataset.vectors.flags.writeable


@pytest.mark.parametrize(
    "change",
    [
        {"metric": "l2"},
        {"filters": {}},
        {"attributes": (Attribute("w", "text", "real"),)},
        {
            "columns": {
                "w": Keywords.encode(["ü", "q", "ü"]),
                "i": np.arange(3),
                "f": np.ones(3),
                "b": np.ones(3, bool),
            }
        },
    ],
)
def test_the_fingerprint_follows_every_part(change: dict[str, object], tmp_path: Path) -> None:
    first = write(tmp_path / "a", VALUES)
    assert write(tmp_path / "b", VALUES).fingerprint == first.fingerprint
    assert write(tmp_path / "c", VALUES, **change).fingerprint != first.fingerprint
    assert write(tmp_path / "d", VALUES * 2).fingerprint != first.fingerprint


def test_tags_and_missing_values_are_read_back(tmp_path: Path) -> None:
    columns: dict[str, Column] = {
        "tags": Tags.encode([["q", "ü"], [], ["q"]]),
        "word": Keywords.encode(["a", None, "b"]),
        "number": Nullable(np.array([0, 3, 4]), np.array([False, True, True])),
    }
    attributes = (
        Attribute("tags", "tags", "real"),
        Attribute("word", "keyword", "real", optional=True),
        Attribute("number", "integer", "real", optional=True),
    )
    given = {"attributes": attributes, "filters": {}, "ids": None}
    read = write(tmp_path / "one", VALUES, columns=columns, **given)
    for name, column in columns.items():
        assert decoded(read.columns[name]) == decoded(column)
        assert decoded(pickle.loads(pickle.dumps(read.columns))[name]) == decoded(column)
    assert [field.can_lack for field in read.schema.fields] == [True, True, True]
    zero = columns | {"number": Nullable(np.array([0, 3, 4]), np.ones(3, np.bool_))}
    other = write(tmp_path / "two", VALUES, columns=zero, **given)
    assert other.fingerprint != read.fingerprint  # which values are missing is part of the content


def test_the_name_and_ids_leave_the_fingerprint_alone(tmp_path: Path) -> None:
    first = write(tmp_path / "a", VALUES)
    assert (
        write(tmp_path / "b", VALUES, name="other", ids=None, description="d").fingerprint
        == first.fingerprint
    )


def test_a_killed_build_leaves_nothing_that_looks_whole(tmp_path: Path) -> None:
    kill = f"import os; load_dataset({REF!r}, cache=cache, progress=lambda *_: os.kill(os.getpid(), 9))"
    process = python(kill, tmp_path)
    process.communicate()
    assert process.returncode == -9
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == []
    assert list(tmp_path.glob(".*.partial"))
    assert load_dataset(REF, cache=tmp_path).vectors.shape == (20_000, 64)
    assert not list(tmp_path.glob(".*.partial"))


def test_of_several_builders_one_builds_and_all_get_it(tmp_path: Path) -> None:
    code = (
        "seen = []\n"
        f"dataset = load_dataset({REF!r}, cache=cache, progress=lambda what, *_: seen.append(what))\n"
        "print(dataset.fingerprint, any('vectors' in what for what in seen))"
    )
    answers = [process.communicate()[0].split() for process in [python(code, tmp_path) for _ in range(3)]]
    assert len({fingerprint for fingerprint, _ in answers}) == 1
    assert sorted(built for _, built in answers) == ["False", "False", "True"]


def test_a_full_disk_names_the_folder_and_the_remedy(tmp_path: Path) -> None:
    # A limit on file sizes stands in for the disk: the write fails in the same place.
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))\n"
        "from harness.errors import DatasetError\n"
        f"try: load_dataset({REF!r}, cache=cache)\n"
        "except DatasetError as error: print(error)"
    )
    told = python(code, tmp_path).communicate()[0]
    assert str(tmp_path) in told and "free some space" in told and "BAKEOFF_CACHE" in told
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def test_a_cache_that_cannot_be_made_names_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatasetError, match="BAKEOFF_CACHE"):
        load_dataset(REF, cache=tmp_path / "file" / "cache")


@pytest.mark.parametrize("damage", ["vectors.npy", "dataset.json", "column-0.npy"])
def test_a_damaged_cache_says_what_to_delete(damage: str, tmp_path: Path) -> None:
    write(tmp_path / "a", VALUES)
    os.truncate(tmp_path / "a" / damage, 20)
    with pytest.raises(DatasetError, match="delete this folder"):
        open_dataset(tmp_path / "a")


def test_progress_is_thinned_out_but_ends() -> None:
    seen: list[float] = []
    report = throttled(lambda _what, done, _total: seen.append(done), interval_s=3600)
    for done in range(1001):
        report("w", done, 1000)
    assert seen == [0, 1000]


def test_a_wide_table_does_not_use_up_the_open_files(tmp_path: Path) -> None:
    folder = tmp_path / "wide"
    folder.mkdir()
    names = [f"c{number}" for number in range(300)]
    np.save(folder / "vectors.npy", np.ones((20, 3), np.float32))
    np.save(folder / "queries.npy", np.ones((5, 3), np.float32))
    table = {name: np.arange(20) + number for number, name in enumerate(names)}
    pq.write_table(
        pa.table(table | {"word": [f"w{row}" for row in range(20)]}), folder / "attributes.parquet"
    )
    (folder / "dataset.yaml").write_text("metric: l2\n")
    before = len(list(Path("/proc/self/fd").iterdir()))
    dataset = load_dataset(str(folder), cache=tmp_path / "cache").head(10, None)
    for _ in range(2):  # the second time, the first columns have been let go of
        for number, name in enumerate(names):
            np.testing.assert_array_equal(dataset.columns[name], np.arange(10) + number)
    assert dataset.columns["word"].decode() == [f"w{row}" for row in range(10)]  # type: ignore[union-attr]
    assert list(dataset.columns) == [*names, "word"]
    assert len(dataset.columns) == 301
    assert len(list(Path("/proc/self/fd").iterdir())) - before < 100
    with pytest.raises(KeyError):
        dataset.columns["nobody"]
    sent = pickle.dumps(dataset.columns)  # to another process: where the columns are, not their values
    assert pickle.loads(sent)["word"].decode() == dataset.columns["word"].decode()  # type: ignore[union-attr]
    assert len(sent) < 100_000
