"""`engines.json`: what was measured stays until the same is measured again, of the same model and users."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.errors import ConfigurationError
from models.retrieval.engines_file import ENGINES, read_engines, write_engines


def point(engine: str, recall: float, **search: int) -> dict[str, Any]:
    loss = {"recall": {"estimate": recall}}
    return {"engine": engine, "index": {}, "search": search, "filter": "none", "loss": loss}


def failure(engine: str, **search: int) -> dict[str, Any]:
    return {"engine": engine, "index": {}, "search": search, "filter": "none", "error": "out of luck"}


def content(*points: dict[str, Any], failed: Any = (), **changes: Any) -> dict[str, Any]:
    about = {"model": {"hash": "a"}, "dataset": {"fingerprint": "f"}, "k": 10, "level": 0.95}
    return about | {"exact": {"none": {"hits": 3}}, "points": list(points), "failed": list(failed)} | changes


def test_another_engine_is_added_and_the_same_point_replaced(tmp_path: Path) -> None:
    write_engines(tmp_path, content(point("b", 0.5, ef=2), point("b", 0.9, ef=1)))
    whole, dropped = write_engines(tmp_path, content(point("b", 0.6, ef=2), point("a", 0.7)))
    told = [(entry["engine"], entry["loss"]["recall"]["estimate"]) for entry in whole["points"]]
    assert told == [("a", 0.7), ("b", 0.6), ("b", 0.9)]
    assert dropped == 0
    assert read_engines(tmp_path) == whole


def test_a_failure_takes_no_point_away_and_goes_when_the_point_is_measured(tmp_path: Path) -> None:
    write_engines(tmp_path, content(point("a", 0.7)))
    failed, _ = write_engines(tmp_path, content(failed=[failure("a"), failure("b")]))
    assert [entry["engine"] for entry in failed["points"]] == ["a"]
    assert [entry["engine"] for entry in failed["failed"]] == ["a", "b"]
    again, _ = write_engines(tmp_path, content(point("b", 0.8)))
    assert [entry["engine"] for entry in again["failed"]] == ["a"]


@pytest.mark.parametrize(
    "other", [{"model": {"hash": "b"}}, {"dataset": {"fingerprint": "g"}}, {"k": 5}, {"level": 0.9}]
)
def test_points_of_anything_else_do_not_stand_beside(tmp_path: Path, other: dict[str, Any]) -> None:
    write_engines(tmp_path, content(point("a", 0.7), failed=[failure("c")]))
    whole, dropped = write_engines(tmp_path, content(point("b", 0.8), **other))
    assert [entry["engine"] for entry in whole["points"]] == ["b"]
    assert whole["failed"] == []
    assert dropped == 1


def test_filters_measured_before_keep_their_exact_figures(tmp_path: Path) -> None:
    write_engines(tmp_path, content(exact={"own": {"hits": 2}}))
    whole, _ = write_engines(tmp_path, content())
    assert whole["exact"] == {"own": {"hits": 2}, "none": {"hits": 3}}


def test_a_file_of_another_form_is_refused(tmp_path: Path) -> None:
    assert read_engines(tmp_path) is None
    (tmp_path / ENGINES).write_text(json.dumps({"kind": "bakeoff-engines", "format": 99}))
    with pytest.raises(ConfigurationError, match=r"engines\.json: must be of kind bakeoff-engines, format 1"):
        write_engines(tmp_path, content())
