"""What a Parquet file of vectors says of itself: which model made them, of what, and how they are compared."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from engines.base import Metric
from harness.data.identity import ModelIdentity
from harness.data.manifest import ModelManifest
from harness.data.user.tables.parquet_files import open_parquet
from harness.errors import ConfigurationError
from harness.scenario.strict import StrictModel

METADATA = b"bakeoff"  # the key under which it stands, as JSON, in the metadata of the file's schema


class VectorMark(StrictModel):
    """id: the column of ids. metric: one that the vectors are meant for."""

    kind: Literal["bakeoff-vectors"] = "bakeoff-vectors"
    of: Literal["listings", "users"]
    id: str
    metric: Metric = "cosine"
    model: ModelManifest


def mark_of(path: Path) -> VectorMark | None:
    """What a file says; None where it says nothing. Raises ConfigurationError where that cannot be understood."""
    with open_parquet(path) as file:
        about = (file.schema_arrow.metadata or {}).get(METADATA)
    if about is None:
        return None
    try:
        return VectorMark.model_validate_json(about)
    except ValidationError as error:
        places = ", ".join(".".join(map(str, fault["loc"])) or "all of it" for fault in error.errors())
        raise ConfigurationError(
            f"{path}: what it says of its model ('bakeoff' in its schema's metadata) cannot be understood ({places}); "
            "write the file again with bakeoff encode"
        ) from error


def agreed_model(
    marks: Mapping[Path, VectorMark | None], sidecar: Path, declared: ModelManifest | None
) -> ModelIdentity | None:
    """The one model that files of vectors and the manifest beside them name; None where nothing is named.

    marks: of each file, what it says. Raises ConfigurationError where they name several, or where the manifest names
    none and one file but not the other does.
    """
    named = {path: mark.model.identity() for path, mark in marks.items() if mark is not None}
    if declared is not None:
        named[sidecar] = declared.identity()  # last, for its hash may be cut short
    if not named:
        return None
    first, model = next(iter(named.items()))
    problems = [
        f"{path}: names model {other.label}, but {first} is of model {model.label}, and vectors of different models "
        "cannot be compared; encode both with one model"
        for path, other in named.items()
        if not model.is_same(other)
    ]
    if declared is None:
        problems += [
            f"{path}: does not say which model its vectors are of, but {first} is of model {model.label}; encode both "
            f"with one model, or name it in {sidecar}"
            for path, mark in marks.items()
            if mark is None
        ]
    if problems:
        raise ConfigurationError(problems)
    return model
