"""What a load leaves: samples.parquet, a row for each request, and load.json, what was planned and counted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness.errors import ConfigurationError
from harness.results.files import write_json
from harness.soak.load.samples import ROW, Rows

SAMPLES, LOAD = "samples.parquet", "load.json"


def write_load(folder: Path, about: Mapping[str, Any], parts: Sequence[Rows]) -> None:
    """Both files; the folder is made where it is missing. Raises OSError and MeasurementError."""
    folder.mkdir(parents=True, exist_ok=True)
    samples = np.concatenate([np.empty(0, ROW), *parts])
    samples = samples[np.argsort(samples["due_ns"], kind="stable")]
    pq.write_table(pa.table({name: samples[name] for name in ROW.names or ()}), folder / SAMPLES)
    write_json(folder / LOAD, dict(about))


def read_load(folder: Path) -> tuple[dict[str, Any], Rows]:
    """What `write_load` wrote. Raises ConfigurationError where that is not there or damaged."""
    try:
        about = json.loads((folder / LOAD).read_text(encoding="utf-8"))
        table = pq.read_table(folder / SAMPLES)
        samples = np.empty(len(table), ROW)
        for name in ROW.names or ():
            samples[name] = table[name].to_numpy()
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise ConfigurationError(
            f"{folder}: {LOAD} and {SAMPLES} of a load cannot be read ({error}); give the folder that "
            "locustfile.py wrote with --out"
        ) from error
    if not isinstance(about, dict):
        raise ConfigurationError(f"{folder / LOAD}: must hold an object; give a folder of locustfile.py")
    return about, samples
