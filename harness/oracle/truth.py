"""The oracle's answers, kept on disk by the content they depend on."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from engines.values.filter_syntax import to_json
from harness.data.dataset import Dataset
from harness.data.queries.workload import Workload
from harness.errors import MeasurementError, unwritable
from harness.oracle.exact import Truth, distinct, exact_neighbours
from harness.progress import Progress, silent

__all__ = ["ORACLE_VERSION", "Truth", "cached_truth", "truth_key"]

ORACLE_VERSION = 2  # to be raised whenever exact_neighbours could answer differently


def cached_truth(dataset: Dataset, workload: Workload, cache: Path, progress: Progress = silent) -> Truth:
    """The exact answer to `workload` over `dataset`, computed once and then read from `cache`.

    The file's name hashes everything the answer depends on. A damaged file is computed again. Raises
    MeasurementError where the cache cannot be written.
    """
    path = cache / f"truth-{truth_key(dataset, workload)}.npz"
    truth = _read(path, workload)
    if truth is None:
        truth = exact_neighbours(
            dataset.vectors,
            workload.queries,
            workload.k,
            dataset.metric,
            workload.filters,
            dataset.columns,
            progress=progress,
        )
        _write(path, truth)
    return truth


def truth_key(dataset: Dataset, workload: Workload) -> str:
    """Hash (32 hex digits) of the dataset's fingerprint, queries, filters, k and the oracle's version."""
    head = (ORACLE_VERSION, dataset.fingerprint, dataset.metric, workload.k, workload.queries.shape)
    digest = hashlib.sha256(json.dumps(head).encode())
    digest.update(np.ascontiguousarray(workload.queries).data)
    different, numbers = distinct(workload.filters)
    digest.update(json.dumps([to_json(where) for where in different]).encode())
    digest.update(numbers.data)
    return digest.hexdigest()[:32]


def _read(path: Path, workload: Workload) -> Truth | None:
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            truth = Truth(workload.k, file["ids"], file["distances"], file["matches"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    shape = (len(workload.queries), workload.k)
    whole = truth.ids.shape == shape == truth.distances.shape and truth.matches.shape == shape[:1]
    return truth if whole else None


def _write(path: Path, truth: Truth) -> None:
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            temporary = Path(file.name)
            np.savez(file, ids=truth.ids, distances=truth.distances, matches=truth.matches)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise MeasurementError(
            f"{path}: {unwritable(error)}, or set BAKEOFF_CACHE to another folder"
        ) from error
