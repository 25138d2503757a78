"""Plain files for what was learnt: values in JSON, arrays in NumPy's npz, and a hash over both."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.errors import ConfigurationError, MeasurementError, unwritable
from harness.paths import read_file

Arrays = Mapping[str, npt.NDArray[Any]]


def digest(values: Mapping[str, Any], arrays: Arrays) -> str:
    """SHA-256 of the content, in hex: of the values in their order, and of each array's type, shape and bytes.

    It does not depend on how files are written, nor on the order of the arrays.
    """
    whole = hashlib.sha256(json.dumps(values, allow_nan=False).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        whole.update(json.dumps([name, array.dtype.str, array.shape]).encode())
        whole.update(array.reshape(-1).view(np.uint8).data)
    return whole.hexdigest()


def write_values(path: Path, values: Mapping[str, Any]) -> None:
    """Writes JSON, whole or not at all. Raises MeasurementError."""
    _write(path, (json.dumps(values, indent=1, allow_nan=False) + "\n").encode())


def write_arrays(path: Path, arrays: Arrays) -> None:
    """Writes an npz file without pickles, whole or not at all. Raises MeasurementError."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **dict(arrays))
    _write(path, buffer.getbuffer())


def read_values(path: Path) -> dict[str, Any]:
    """The keys of a JSON file. Raises ConfigurationError where it is none."""
    try:
        values = json.loads(read_file(path))
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path}: is damaged or no JSON ({error})") from error
    if not isinstance(values, dict):
        raise ConfigurationError(f"{path}: must hold keys and values, holds {type(values).__name__}")
    return values


def read_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """All arrays of an npz file; pickles are not read. Raises ConfigurationError where it is none."""
    try:
        with np.load(io.BytesIO(read_file(path)), allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (
        ValueError,
        KeyError,
        EOFError,
        TypeError,  # a single array, which is no context manager
        AttributeError,
        zipfile.BadZipFile,
        NotImplementedError,  # a compression that Python does not know
        RuntimeError,  # encrypted
        MemoryError,  # a damaged shape
    ) as error:
        raise ConfigurationError(f"{path}: is damaged or no file of arrays ({error})") from error


def _write(path: Path, content: bytes | memoryview) -> None:
    temporary = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise MeasurementError(f"{path}: {unwritable(error)}") from error
