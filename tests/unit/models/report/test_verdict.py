"""The headline: what the comparison with the best baseline comes to, and what to keep in mind."""

from __future__ import annotations

from dataclasses import replace

from harness.results.stats import Comparison
from models.evaluation.cells import Table
from models.evaluation.figures import RECALL
from models.report.verdict import verdict
from tests.unit.models.report.made import MODEL, K, epoch, model, table


def with_difference(change: float, low: float | None, high: float | None) -> Table:
    """The blend's recall less the model's."""
    made = table(blend=0.5)
    cells = tuple(
        replace(cell, difference=Comparison(change, low, high, None, 0.95))
        if (cell.recommender, cell.figure, cell.slice) == ("blend", RECALL.name, "all")
        else cell
        for cell in made.cells
    )
    return replace(made, cells=cells)


def test_a_model_that_beats_the_best_baseline() -> None:
    told = verdict(with_difference(-0.3, -0.4, -0.2), model())
    assert told.kind == "better"
    assert told.text == "The model beats the tuned blend"
    assert told.sentences[1] == (
        "It beats the best baseline, the tuned blend, by 0.300 (95 % interval of the paired difference +0.200 to "
        "+0.400)."
    )


def test_a_difference_whose_interval_holds_0_is_none() -> None:
    told = verdict(with_difference(-0.1, -0.3, 0.1), model())
    assert told.kind == "unsure"
    assert told.sentences[1] == (
        "It does not surely beat the best baseline, the tuned blend: +0.100 (95 % interval of the paired difference "
        "\u22120.100 to +0.300, which holds 0)."
    )


def test_a_model_that_loses_is_said_to_lose() -> None:
    told = verdict(with_difference(0.2, 0.1, 0.3), model())
    assert told.kind == "worse"
    assert told.text == "The tuned blend beats the model"
    assert "loses to the best baseline, the tuned blend, by 0.200" in told.sentences[1]


def test_without_an_interval_nothing_is_claimed() -> None:
    assert verdict(with_difference(-0.3, None, None), model()).kind == "unsure"


def test_without_baselines_nothing_is_compared() -> None:
    made = table()
    alone = replace(made, cells=tuple(cell for cell in made.cells if cell.recommender == MODEL))
    assert verdict(alone, model()).kind == "alone"


def test_recall_with_its_interval_cases_and_split() -> None:
    made = table()
    own = made.cell(MODEL, "recall", K).value
    assert own.estimate == 0.8
    assert verdict(made, model()).sentences[0] == (
        f"Recall@5 is 0.800 (95 % interval {own.low:.3f} to {own.high:.3f}): the share of what users took next that is "
        "among 5 listings answered, over 40 test cases held back by time."
    )


def test_the_best_baseline_is_the_one_of_the_highest_recall() -> None:
    assert "tuned blend" in verdict(table(blend=0.5), model()).sentences[1]
    made = table(blend=0.0)
    strong = tuple(
        replace(cell, value=replace(cell.value, estimate=0.6))
        if (cell.recommender, cell.figure) == ("popularity", "recall")
        else cell
        for cell in made.cells
    )
    assert "the popularity" in verdict(replace(made, cells=strong), model()).sentences[1]


def test_what_to_keep_in_mind() -> None:
    few = " ".join(verdict(table(), model()).caveats)
    assert "Only 40 test cases" in few
    assert "last epoch" not in few
    assert "drawn at random" not in few
    many = model(configuration={"training": {"epochs": 2, "patience": 2}})
    many["epochs"] = [epoch(0, 4.0, 0.1, 1.0), epoch(1, 3.0, 0.3, 1.0)]
    many["data"]["split"]["test"] = 500
    told = " ".join(verdict(table(users=120), many).caveats)
    assert "Only" not in told
    assert "The last epoch was the best one" in told
    assert "120 of 500 test cases were judged" in told
