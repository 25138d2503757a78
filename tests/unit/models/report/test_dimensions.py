"""The section on dimensions: what dimensions.json says, and nothing else."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from models.report.dimensions import quality_rows, section, speed_rows, verdicts
from models.report.figures import Shown
from tests.unit.reports.page.parsed import Page


def bounds(value: float | None, half: float = 0.01) -> dict[str, float | None]:
    if value is None:
        return {"value": None, "low": None, "high": None}
    return {"value": value, "low": value - half, "high": value + half}


def variant(dim: int, precision: str, lost: float | None, speed: dict[str, Any]) -> dict[str, Any]:
    figures = [
        {"figure": figure, "k": k, **bounds(value), "difference": None}
        for k in (100, 10)
        for figure, value in (("recall", 0.4 * k / 100), ("ndcg", 0.2))
    ]
    losses = [] if lost is None else [{"k": k, **bounds(lost)} for k in (100, 10)]
    return {
        "dim": dim,
        "precision": precision,
        "bytes": (dim + 2) * (4 if precision == "float32" else 1),
        "kept": dim / 128,
        "quality": {name: {"figures": figures, "hits_lost": losses} for name in ("validation", "test")},
        "throughput": [speed],
    }


def speed(rate: float | None, ratio: float | None, **changes: Any) -> dict[str, Any]:
    return {
        "engine": "fast",
        "search": {"ef": 100},
        "queries_per_s": None if rate is None else bounds(rate, 10),
        "by_trial": [],
        "recall": None if rate is None else 0.96,
        "ratio": None if ratio is None else bounds(ratio, 0.1),
        "missing": None,
    } | changes


CONTENT: dict[str, Any] = {
    "dim": 128,
    "dims": [32, 64, 128],
    "left_out": [256],
    "k": [100, 10],
    "tolerance": 0.02,
    "level": 0.95,
    "decided_on": "validation",
    "cases": {"validation": 4000, "test": 46628},
    "scenario": {"trials": 3, "decision": {"requirements": ["recall >= 0.95", "errors == 0"]}},
    "enough": {"float32": 64, "int8": None},
    "variants": [
        variant(32, "float32", 0.06, speed(4000, 2.0)),
        variant(64, "float32", -0.005, speed(3000, 1.5)),
        variant(128, "float32", None, speed(2000, None)),
        variant(32, "int8", 0.07, speed(None, None, missing="<b>too slow</b>")),
        variant(64, "int8", 0.05, speed(3500, 1.75)),
        variant(128, "int8", 0.04, speed(2500, 1.25)),
    ],
}


def content(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy(CONTENT) | changes


def test_the_verdict_names_the_dimension_and_what_the_next_one_loses() -> None:
    interval = "(95 % interval of the loss"
    assert verdicts(content()) == [
        "float32: 64 dimensions are enough (tolerance 2 %): "
        f"at 64 users gain 0.5 % of the hits@100 {interval} \u22121.5 to 0.5 %); "
        f"at 32 users lose 6.0 % of the hits@100 {interval} 5.0 to 7.0 %).",
        "int8: not even the model's own 128 dimensions are surely enough (tolerance 2 %): "
        f"at 128 users lose 4.0 % of the hits@100 {interval} 3.0 to 5.0 %).",
    ]


@pytest.mark.parametrize(
    ("precision", "chosen", "words"),
    [
        (
            "float32",
            128,
            "float32: no smaller dimension than the model's own 128 is surely enough (tolerance 2 %): at 64 users",
        ),
        (
            "int8",
            128,
            "int8: the model's own 128 dimensions are enough, and no fewer (tolerance 2 %): at 128 users",
        ),
        (
            "int8",
            32,
            "int8: 32 dimensions are enough (tolerance 2 %): at 32 users lose 7.0 % of the hits@100",
        ),
    ],
)
def test_every_outcome_has_words(precision: str, chosen: int, words: str) -> None:
    (found,) = verdicts(content(enough={precision: chosen}))
    assert found.startswith(words)


def test_rows_hold_the_figures_of_their_variant() -> None:
    rows = quality_rows(content(), 10)
    assert [(row.dim, row.precision, row.bytes, row.enough) for row in rows] == [
        (32, "float32", 136, False),
        (64, "float32", 264, True),
        (128, "float32", 520, False),
        (32, "int8", 34, False),
        (64, "int8", 66, False),
        (128, "int8", 130, False),
    ]
    assert rows[0].recall == Shown("0.0400", "0.0300 to 0.0500")
    assert rows[0].lost == Shown("6.0 %", "5.0 to 7.0 %")
    assert rows[2].lost == Shown("-", "")
    speeds = speed_rows(content())
    assert (speeds[0].queries.value, speeds[0].beside.value) == ("4,000", "2.00×")
    assert (speeds[2].beside, speeds[2].setting) == (Shown("-", ""), "ef=100")
    assert speeds[3].missing == "<b>too slow</b>"


def test_what_is_nothing_once_rounded_has_no_sign() -> None:
    told = content(variants=[variant(64, "float32", 0.0, speed(1, 1)), *CONTENT["variants"][2:]])
    for lost in told["variants"][0]["quality"]["test"]["hits_lost"]:
        lost |= {"value": -0.0004, "low": -0.0012, "high": 0.0004}
    assert quality_rows(told, 10)[0].lost_in_test == Shown("0.0 %", "\u22120.1 to 0.0 %")


def test_the_section_is_text_and_says_what_decides() -> None:
    html = section(content())
    page = Page(html)
    assert page.ids == ["dimensions"]
    assert "<b>" not in html
    for text in (
        "surely loses less than 2 %",
        "4,000 validation cases",
        "46,628 test cases are shown and choose nothing",
        "256 left out",
        "not measured: <b>too slow</b>",
        "recall >= 0.95, errors == 0",
    ):
        assert text in page.text.replace("\u00a0", " ")
