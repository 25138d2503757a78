"""The tables: what each figure is, what is surely below and above, few cases, and values that are missing."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from harness.results.stats import Comparison, Interval
from models.report.figures import advantage, shown, standing
from models.report.page import render
from models.report.tables import figure_tables, slice_rows
from tests.unit.models.report.made import MODEL, K, table, trained


def test_a_row_for_each_recommender_and_a_column_for_each_figure() -> None:
    (block,) = figure_tables(table())
    assert block.k == K
    assert block.headings == (
        "recall",
        "the model's lead",
        "NDCG",
        "hit",
        "coverage",
        "popularity bias",
        "novelty",
    )
    assert [row.name for row in block.rows] == [MODEL, "popularity", "tuned blend"]
    assert [row.ours for row in block.rows] == [True, False, False]
    model, popularity, blend = block.rows
    assert model.figures[0].value == "0.800"
    assert model.figures[1].value == "-"
    assert blend.figures[0].value == "0.200"
    assert blend.figures[1].value == "+0.600"
    assert popularity.marks[0] == "▼"
    assert not any(model.marks)


def test_what_is_above_the_model_is_marked_and_what_is_the_same_is_not() -> None:
    (block,) = figure_tables(table(ours=0.2, blend=0.8))
    assert block.rows[2].marks[0] == "▲"
    (block,) = figure_tables(table(ours=0.5, blend=0.5))
    assert block.rows[2].marks[0] == ""


def test_slices_have_their_cases_and_few_are_marked() -> None:
    rows = {row.name: row for row in slice_rows(table(users=120))}
    assert rows["all cases"].cases == 120
    assert not rows["all cases"].few
    assert rows["users without a history"].cases == 1
    assert rows["users without a history"].few
    assert [shown.value for shown in rows["histories of 10 items or more"].figures] == ["-", "-", "-"]


def test_few_cases_and_missing_values_are_on_the_page() -> None:
    html = render(trained(table=table(users=120)))

    def row(label: str) -> str:
        found = re.search(f'<tr><td class="wide">{label}</td>.*?</tr>', html, re.DOTALL)
        assert found is not None
        return found[0]

    assert 'class="few">few' not in row("all cases")
    assert 'class="few">few' in row("users without a history")
    assert len(re.findall(r"</span>-\s*</td>", row("histories of 10 items or more"))) == 3
    assert "nan" not in re.sub("<[^>]*>", "", html).lower().split()


@pytest.mark.parametrize(
    ("figure", "value", "texts"),
    [
        ("recall", Interval(0.3891, 0.3852, 0.393, 0.95), ("0.389", "0.385 to 0.393")),
        ("recall", Interval(0.01126, 0.0037, 0.034, 0.95), ("0.0113", "0.0037 to 0.0340")),
        ("popularity_bias", Interval(-0.05, -0.1, 0.01, 0.95), ("\u22120.050", "\u22120.100 to +0.010")),
        ("novelty", Interval(7.757, 7.72, 7.79, 0.95), ("7.76", "7.72 to 7.79")),
        ("recall", Interval(np.nan, np.nan, np.nan, 0.95), ("-", "")),
        ("recall", Interval(0.5, None, None, 0.95), ("0.500", "")),
    ],
)
def test_figures_as_text(figure: str, value: Interval, texts: tuple[str, str]) -> None:
    found = shown(figure, value)
    assert (found.value, found.interval) == texts


def test_a_lead_is_the_difference_turned_round() -> None:
    difference = Comparison(-0.2, -0.3, -0.1, 0.01, 0.95)
    found = advantage("recall", difference)
    assert (found.value, found.interval) == ("+0.200", "+0.100 to +0.300")
    assert standing(difference) == -1
    assert standing(replace(difference, high=0.1)) == 0
    assert standing(replace(difference, change=0.2, low=0.1, high=0.3)) == 1
    assert standing(replace(difference, low=None)) == 0
