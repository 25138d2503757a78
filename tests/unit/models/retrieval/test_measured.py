"""What is kept of a run: a point for each setting that answered, a reason for each that did not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.errors import ConfigurationError
from models.retrieval.measured import measured
from tests.unit.models.retrieval.made import K, asked, held_out, losing, no_filters, own_filters
from tests.unit.models.retrieval.runs import IDENTITY, content_of, corpus, keep, run_of

HELD = held_out(users=120)
FREE, OWN = asked(HELD, no_filters(HELD)), asked(HELD, own_filters(HELD))


def test_points_failures_and_exact_search_are_kept_as_plain_values(tmp_path: Path) -> None:
    answers = {
        ("a", 1, "none"): losing(FREE, 0.5),
        ("a", 2, "none"): FREE,
        ("a", 1, "own:filters"): OWN,
        ("broken", 1, "none"): FREE,
    }
    content = content_of(tmp_path, HELD, answers)
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    recalls = {
        (point["engine"], point["search"]["ef"], point["filter"]): point["loss"]["recall"]["estimate"]
        for point in content["points"]
    }
    assert recalls["a", 2, "none"] == recalls["a", 1, "own:filters"] == 1.0
    assert recalls["a", 1, "none"] == pytest.approx(0.5, abs=0.05)
    assert len(recalls) == 3
    assert [(entry["engine"], entry["error"]) for entry in content["failed"]] == [("broken", "out of luck")]
    assert content["exact"]["none"]["mean_matches"] == 300
    assert content["exact"]["own:filters"]["mean_matches"] == 75
    assert content["points"][0]["version"] == "9"
    assert (content["k"], content["users"], content["targets"]) == (K, 120, 120)


def test_of_example_users_the_answers_are_kept(tmp_path: Path) -> None:
    lost = FREE.copy()
    history = HELD.cases.histories[7].tolist()
    exact = [row for row in FREE[7].tolist() if row >= 0 and row not in history][:K]
    lost[7][lost[7] == exact[1]] = -1
    content = content_of(tmp_path, HELD, {("a", 1, "none"): lost}, examples=[3, 7], first=4)
    whole, gap = content["points"][0]["examples"]
    assert (whole["lost"], whole["missing"], whole["among_first"]) == (0, [], [True] * 4)
    assert gap["first"] == [exact[0], *exact[2:5]]
    assert gap["among_first"] == [True, True, True, False]
    assert (gap["lost"], gap["missing"]) == (1, [exact[1]])


def test_answers_that_are_not_the_users_are_refused(tmp_path: Path) -> None:
    result = run_of(tmp_path, {("a", 1, "none"): FREE})
    keep(tmp_path / "samples" / "0.parquet", FREE[:50])
    with pytest.raises(ConfigurationError, match=r"0\.parquet: must have the answers to 120 users"):
        measured(tmp_path, result, corpus(HELD), HELD, identity=IDENTITY, k=K)
    (tmp_path / "samples" / "0.parquet").unlink()
    with pytest.raises(ConfigurationError, match=r"0\.parquet: is missing or damaged"):
        measured(tmp_path, result, corpus(HELD), HELD, identity=IDENTITY, k=K)
