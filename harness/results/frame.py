"""A run's cells as a pandas DataFrame: the one form in which decisions, the gate, reports and exports read them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from harness.results.metrics import place
from harness.results.result import Measurement

if TYPE_CHECKING:
    import pandas as pd

# What a cell is, beside its metrics; every frame has these columns, in this order.
IDENTITY = (
    "engine",
    "adapter",
    "task",
    "kind",
    "filter",
    "executor",
    "index",
    "search",
    "load",
    "clients",
    "processes",
    "rate",
    "share",
    "trial",
    "error",
    "flags",
    "samples",
)

_JSON = json.JSONEncoder(sort_keys=True)


def canonical(params: Mapping[str, Any]) -> str:
    """Parameters as JSON with sorted keys: one text for the same parameters in whatever order."""
    return _JSON.encode(params)


class _Canonical:
    """The same, worked out once for parameters with the same keys, values and types: 1, 1.0 and True are equal."""

    def __init__(self) -> None:
        self._known: dict[Any, str] = {}

    def __call__(self, params: Mapping[str, Any]) -> str:
        values = tuple(params.values())
        key = tuple(params), values, tuple(map(type, values))
        try:
            if (text := self._known.get(key)) is None:
                text = self._known[key] = canonical(params)
        except TypeError:  # a list or a mapping is no key
            return canonical(params)
        return text


def cells_frame(measurements: Iterable[Measurement]) -> pd.DataFrame:
    """One row a cell in the order of the run: the columns IDENTITY, then one float64 column a metric that occurs.

    index, search and load hold the parameters as canonical JSON; clients, processes, rate and share are the load's;
    flags is a tuple. What a cell does not have (executor, rate, error, a metric) is missing (`isna`); `reasons_frame`
    says why a metric is missing.
    """
    import pandas as pd

    text = _Canonical()
    rows = [_row(cell, text) for cell in measurements]
    metrics = sorted(dict.fromkeys(name for _, values in rows for name in values), key=place)
    frame = pd.DataFrame([identity | values for identity, values in rows], columns=[*IDENTITY, *metrics])
    return frame.astype(
        dict.fromkeys(("clients", "processes", "rate", "share", *metrics), "float64") | {"trial": "int64"}
    )


def reasons_frame(measurements: Iterable[Measurement]) -> pd.DataFrame:
    """Why metrics are missing, one row each: `cell` (the row of `cells_frame`), `metric`, `reason`."""
    import pandas as pd

    found = [
        (number, metric, reason)
        for number, cell in enumerate(measurements)
        for metric, reason in cell.reasons.items()
    ]
    return pd.DataFrame(found, columns=["cell", "metric", "reason"])


def _row(
    cell: Measurement, text: Callable[[Mapping[str, Any]], str]
) -> tuple[dict[str, Any], dict[str, float | None]]:
    load = cell.params.get("load", {})
    identity = {
        "engine": cell.engine,
        "adapter": cell.adapter,
        "task": cell.task,
        "kind": cell.kind,
        "filter": cell.filter,
        "executor": cell.executor,
        **{part: text(cell.params.get(part, {})) for part in ("index", "search", "load")},
        **{part: load.get(part) for part in ("clients", "processes", "rate", "share")},
        "trial": cell.trial,
        "error": cell.error,
        "flags": tuple(cell.flags),
        "samples": cell.samples,
    }
    return identity, cell.metrics
