"""The table of metrics: in step with the documentation, and asked by whoever has to know a metric."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.results.metrics import TABLE, charted, find, gated, place, spec

DOCUMENTATION = Path(__file__).parents[3] / "docs" / "metrics.md"


def documented() -> list[str]:
    """Every name in the first column of the table of docs/metrics.md."""
    cells = re.findall(r"^\| (`.+?) \|", DOCUMENTATION.read_text(encoding="utf-8"), re.MULTILINE)
    names = []
    for cell in cells:
        first, *others = re.findall(r"`(\w+)`", cell)
        names.append(first)
        # `latency_p50_ms` `_p90_`: the second stands for the first with its percentile replaced.
        names += [
            re.sub(r"_p\d+_(ms|us)$", rf"_{again[1]}_\1", first)
            if (again := re.match(r"_(p\d+)_", other))
            else other
            for other in others
        ]
    return [name.replace("_K", "_{k}") for name in names]


def test_the_documentation_names_every_metric_and_no_other() -> None:
    assert sorted(documented()) == sorted(known.name for known in TABLE)


def test_names_are_unique() -> None:
    names = [known.name for known in TABLE]
    assert len(set(names)) == len(names)


def test_recall_is_found_at_any_k() -> None:
    assert spec("recall_at_37").label == "recall@37"
    assert spec("exact_recall_at_5").better == "higher"
    assert place("recall_at_37") == 0
    assert find("recall_at_{k}") is None


@pytest.mark.parametrize("name", ["recall_at_x", "throughput", "latency_p42_ms", ""])
def test_what_is_in_no_row_is_not_found_but_can_be_shown(name: str) -> None:
    assert find(name) is None
    assert spec(name).label == name.replace("_", " ")
    assert place(name) == len(TABLE)


def test_the_gate_compares_under_each_load_what_that_load_gives() -> None:
    for load, task in (
        ("closed_loop", "search"),
        ("arrival_rate", "search"),
        ("index", "index"),
        ("updates", "updates"),
    ):
        compared = gated(load, 10)
        assert compared
        assert all(task in known.tasks for known in compared)
        assert all(known.better is not None for known in compared)


def test_what_is_charted_has_a_direction() -> None:
    for section in {known.chart for known in TABLE} - {None}:
        assert charted(str(section))
        assert all(spec(name).better for name in charted(str(section)))


def test_counts_are_shares_of_something_that_is_measured() -> None:
    for known in TABLE:
        assert known.out_of is None or find(known.out_of) is not None
