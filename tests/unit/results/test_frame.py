"""The cells of a run as a DataFrame."""

from __future__ import annotations

import numpy as np

from harness.results.frame import IDENTITY, canonical, cells_frame, reasons_frame
from harness.results.result import Measurement


def cell(**changes: object) -> Measurement:
    values: dict[str, object] = {"engine": "a", "adapter": "faiss", "task": "closed", "kind": "search"}
    return Measurement.model_validate(values | changes)


def test_a_row_a_cell_and_a_column_a_metric_in_the_order_of_the_table() -> None:
    load = {"executor": "arrival_rate", "clients": 4, "rate": 50.0}
    frame = cells_frame(
        [
            cell(
                metrics={"errors": 0, "recall_at_10": 0.5}, params={"search": {"b": 1, "a": 2}, "load": load}
            ),
            cell(metrics={"own_metric": 3.0}, flags=["steal 7 %"], trial=1, error="went wrong"),
        ]
    )
    assert list(frame.columns) == [*IDENTITY, "recall_at_10", "errors", "own_metric"]
    assert frame["search"][0] == '{"a": 2, "b": 1}'
    assert (frame["clients"][0], frame["rate"][0]) == (4.0, 50.0)
    assert np.isnan(frame["rate"][1])
    assert np.isnan(frame["share"][0])
    assert np.isnan(frame["recall_at_10"][1])
    assert frame["flags"][1] == ("steal 7 %",)
    assert frame["error"].isna().tolist() == [True, False]
    assert frame["error"][1] == "went wrong"
    assert frame["trial"].dtype == np.int64


def test_parameters_are_the_same_in_whatever_order_and_differ_by_type() -> None:
    orders = [{"a": 1, "b": [2]}, {"b": [2], "a": 1}, {"a": 1, "b": 2}, {"b": 2, "a": 1}]
    types = [{"a": value} for value in (1, 1.0, True, "1", None, [1], {"c": 1})]
    frame = cells_frame([cell(params={"index": params}) for params in orders + types])
    assert frame["index"].tolist() == [canonical(params) for params in orders + types]
    assert frame["index"].nunique() == 2 + len(types)


def test_a_missing_value_is_missing_and_its_reason_is_kept() -> None:
    cells = [cell(), cell(metrics={"latency_p99_ms": None}, reasons={"latency_p99_ms": "12 samples"})]
    assert cells_frame(cells)["latency_p99_ms"].isna().all()
    assert reasons_frame(cells).to_dict("records") == [
        {"cell": 1, "metric": "latency_p99_ms", "reason": "12 samples"}
    ]


def test_a_run_without_cells_has_the_same_columns() -> None:
    assert list(cells_frame([]).columns) == list(IDENTITY)
    assert len(reasons_frame([])) == 0
