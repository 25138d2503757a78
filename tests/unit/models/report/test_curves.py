"""Training curves: the epoch that is kept, and what the captions say."""

from __future__ import annotations

import re

from models.report.curves import best_epoch, curves, how_it_trained
from tests.unit.models.report.made import epoch

EPOCHS = [epoch(0, 4.0, 0.1, 50.0), epoch(1, 3.0, 0.3, 900.0), epoch(2, 3.5, 0.3, 1100.0)]


def test_the_first_epoch_of_the_highest_recall_is_kept() -> None:
    assert best_epoch(EPOCHS) == 1


def test_both_curves_mark_the_epoch_that_is_kept() -> None:
    loss, recall = curves(EPOCHS, 100)
    assert loss.takeaway == "Loss falls from 4 to 3.50"
    assert recall.takeaway == "Validation recall@100 is highest in epoch 2: 0.300"
    for curve in (loss, recall):
        assert len(re.findall(">kept<", curve.svg)) == 1
        assert 'role="img"' in curve.svg
    assert curves(EPOCHS, 100) == (loss, recall)


def test_one_epoch_is_a_point_and_none_is_nothing() -> None:
    (loss, _) = curves(EPOCHS[:1], 10)
    assert loss.takeaway == "Loss is 4 after one epoch"
    assert curves([], 10) == ()
    assert how_it_trained([], {"epochs": 3, "patience": 1}) == "No epoch was trained."


def test_the_caption_says_why_it_ended_and_how_fast_it_was() -> None:
    early = how_it_trained(EPOCHS, {"epochs": 9, "patience": 1})
    assert "3 epochs, of 9 asked for; it ended as 1 brought no better validation recall" in early
    assert "The model of epoch 2 is kept" in early
    assert "Median speed 1,000 examples/s (50 in the first epoch, which compiles as well)" in early
    assert "all 3 that were asked for" in how_it_trained(EPOCHS, {"epochs": 3, "patience": 1})


def test_a_loss_that_rises_is_not_said_to_fall() -> None:
    assert curves([EPOCHS[1], EPOCHS[0]], 10)[0].takeaway == "Loss does not fall: from 3 to 4"
