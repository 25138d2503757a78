"""Datasets on disk: built under a lock in a partial folder, renamed when whole, opened memory-mapped.

A folder holds `dataset.json` (what it is, written last), `vectors.npy`, `queries.npy`, a `.npy` for each
array of a column, `vocabularies.json`, `filters.json` and `ids.json`.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from engines.base import Metric
from engines.columns import Column, Keywords, Tags, arrays_of
from engines.filters import Filter
from engines.values.filter_syntax import parse, to_json
from harness.data.dataset import Attribute, Dataset
from harness.data.identity import ModelIdentity
from harness.data.stored.arrays import StoredArray
from harness.data.stored.mapped import MappedColumns, mapped, objects
from harness.errors import DatasetError, unwritable
from harness.progress import Progress

FORMAT = 2  # part of every cache key: raise it when the layout or a generator changes


def throttled(progress: Progress, interval_s: float = 0.2) -> Progress:
    """Passes on at most one report an interval, and the last one (done == total)."""
    last_ns = -(10**18)

    def report(what: str, done: float, total: float | None) -> None:
        nonlocal last_ns
        now_ns = time.perf_counter_ns()
        if now_ns - last_ns >= interval_s * 1e9 or done == total:
            last_ns = now_ns
            progress(what, done, total)

    return report


@dataclass(frozen=True, slots=True)
class DatasetParts:
    """A dataset about to be saved; see Dataset for the meaning of each part."""

    name: str
    metric: Metric
    vectors: StoredArray
    queries: StoredArray
    attributes: tuple[Attribute, ...] = ()
    columns: Mapping[str, Column] = field(default_factory=dict)
    filters: Mapping[str, tuple[Filter | None, ...]] = field(default_factory=dict)
    ids: list[str | int] | None = None
    description: str = ""
    model: ModelIdentity | None = None


def save(folder: Path, parts: DatasetParts) -> None:
    """Writes everything but the two arrays (ArrayWriter's work), `dataset.json` last."""
    vocabularies = {}
    digests: list[object] = [parts.metric, parts.vectors.digest, parts.queries.digest]
    for number, attribute in enumerate(parts.attributes):
        column = parts.columns[attribute.name]
        words = column.vocabulary.tolist() if isinstance(column, Keywords | Tags) else None
        if words is not None:
            vocabularies[attribute.name] = words
        digest: list[object] = [attribute.name, attribute.kind]  # whether it is optional shows in its arrays
        for part, values in arrays_of(column).items():
            np.save(folder / _file(number, part), values)
            digest.append(_sha256(np.ascontiguousarray(values).data))
        digests.append([*digest, _sha256(json.dumps(words).encode())])
    filters = {name: [to_json(where) for where in wheres] for name, wheres in parts.filters.items()}
    digests.append(filters)
    model = None if parts.model is None else asdict(parts.model)
    if model is not None:
        digests.append(model)
    _write_json(folder / "vocabularies.json", vocabularies)
    _write_json(folder / "filters.json", filters)
    if parts.ids is not None:
        _write_json(folder / "ids.json", parts.ids)
    about = {
        "name": parts.name,
        "metric": parts.metric,
        "description": parts.description,
        "fingerprint": _sha256(json.dumps(digests).encode()),
        "vectors": parts.vectors.path,
        "queries": parts.queries.path,
        "attributes": [asdict(attribute) for attribute in parts.attributes],
        "arrays": [list(arrays_of(parts.columns[attribute.name])) for attribute in parts.attributes],
        "model": model,
    }
    _write_json(folder / "dataset.json", about)


def open_dataset(folder: Path) -> Dataset:
    """A saved dataset, its arrays memory-mapped. Raises DatasetError if it is damaged."""
    try:
        about = _read_json(folder / "dataset.json")
        vocabularies = _read_json(folder / "vocabularies.json")
        attributes = tuple(Attribute(**attribute) for attribute in about["attributes"])
        files = {
            a.name: {part: folder / _file(number, part) for part in about["arrays"][number]}
            for number, a in enumerate(attributes)
        }
        for file in chain.from_iterable(own.values() for own in files.values()):
            mapped(file)  # damaged ones are found now, not in the middle of a run
        ids = folder / "ids.json"
        return Dataset(
            name=about["name"],
            metric=about["metric"],
            vectors=mapped(folder / about["vectors"]),
            queries=mapped(folder / about["queries"]),
            fingerprint=about["fingerprint"],
            attributes=attributes,
            columns=MappedColumns(files, vocabularies),
            filters={
                name: tuple(_shared(wheres)) for name, wheres in _read_json(folder / "filters.json").items()
            },
            ids=objects(_read_json(ids)) if ids.exists() else None,
            description=about["description"],
            model=ModelIdentity(**model) if (model := about.get("model")) else None,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(
            f"{folder}: damaged ({error}); delete this folder, it is then built again"
        ) from error


def cached(
    cache: Path, key: str, build: Callable[[Path], None], progress: Progress, *, marker: str = "dataset.json"
) -> Path:
    """The folder `cache/key`, made by `build` if `marker` is not in it yet.

    Builders of the same key wait for each other; one that is killed leaves a partial folder, which the next
    removes. Raises DatasetError where the disk is full or the cache cannot be written.
    """
    folder = cache / key
    if (folder / marker).exists():
        return folder
    partial = cache / f".{key}.partial"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _lock(cache / f".{key}.lock", key, progress):
            if not (folder / marker).exists():
                shutil.rmtree(partial, ignore_errors=True)
                partial.mkdir()
                try:
                    build(partial)
                    shutil.rmtree(folder, ignore_errors=True)
                    partial.rename(folder)
                finally:
                    shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        raise no_room(error, folder) from error
    return folder


def no_room(error: OSError, folder: Path) -> DatasetError:
    """The error that reports an OSError raised while writing below `folder`."""
    return DatasetError(f"{folder}: {unwritable(error)}, or set BAKEOFF_CACHE to another folder")


@contextmanager
def _lock(path: Path, what: str, progress: Progress) -> Iterator[None]:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress(f"{what}: waiting for another process that builds it", 0, None)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield  # closing releases the lock, and so does the end of the process


def _shared(wheres: list[Any]) -> Iterator[Filter | None]:
    """Parses each distinct JSON form once: 10,000 queries tend to share a few hundred filters."""
    seen: dict[str, Filter | None] = {}
    for where in wheres:
        text = json.dumps(where)
        if text not in seen:
            seen[text] = parse(where)
        yield seen[text]


def _file(number: int, part: str) -> str:
    """The file of one of the arrays of a column."""
    return f"column-{number}-{part}.npy" if part else f"column-{number}.npy"


def _sha256(data: bytes | memoryview) -> str:
    return hashlib.sha256(data).hexdigest()


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _write_json(path: Path, data: object) -> None:
    path.write_text(json.dumps(data), encoding="utf-8")


def key_of(*parts: object) -> str:
    """A short name for a cache entry that depends on all of `parts` and on the layout's version."""
    text = json.dumps([FORMAT, *parts], sort_keys=True, default=os.fspath)
    return _sha256(text.encode())[:16]
