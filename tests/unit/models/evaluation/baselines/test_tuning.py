from __future__ import annotations

import numpy as np
import pytest

from models.evaluation.baselines import tuning
from models.evaluation.baselines.blend import Blend, Weights
from models.evaluation.baselines.tuning import recalls, tuned
from models.evaluation.figures import recall
from models.evaluation.recommender import places
from tests.unit.models.evaluation.baselines.test_baselines import ITEMS, world
from tests.unit.models.evaluation.made_up import cases

SETTINGS = [Weights(), Weights(0.0, 0.0, 1.0), Weights(3.0, 0.5, 2.0)]


@pytest.mark.parametrize("cells", [300, 1 << 20])
def test_recalls_are_those_of_the_answers(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "_CELLS", cells)
    training, popularity, items, asked = world(0)
    own = np.random.default_rng(1)
    targets = [
        own.permutation(np.setdiff1d(np.arange(ITEMS), asked.histories[row]))[: row % 4].tolist()
        for row in range(len(asked))
    ]
    several = cases(targets, [asked.histories[row].tolist() for row in range(len(asked))], asked.candidates)
    blend = Blend.fit(training, popularity, items, key="code")
    for weights, found in zip(SETTINGS, recalls(blend, several, 6, SETTINGS), strict=True):
        answers = blend.weighing(weights).recommend(several, 6)
        assert found == pytest.approx(np.nanmean(recall(places(answers, several.targets), several, 6)))


def test_the_best_weights_are_chosen_and_all_are_kept() -> None:
    training, popularity, items, asked = world(1)
    # Targets that share the key with an item of the history: only the weight of the key finds them.
    code = items.categories["code"].codes
    rows, targets = [], []
    for row in range(len(asked)):
        history = asked.histories[row]
        alike = np.setdiff1d(np.flatnonzero(np.isin(code, code[history]) & (code >= 0)), history)
        if len(alike):
            rows.append(history.tolist())
            targets.append([int(alike[-1])])
    planted = cases(targets, rows)
    start = Blend.fit(training, popularity, items, key="code", weights=Weights(0.0, 1.0, 1.0))
    grid = {"same": (0.0, 1.0, 8.0), "alike": (0.0, 1.0)}
    found, trials = tuned(start, planted, 5, grid)
    assert found.weights.same == 8
    assert trials[0].weights == start.weights
    assert len({trial.weights for trial in trials}) == len(trials) >= 4
    best = max(trial.recall for trial in trials)
    assert [trial.recall for trial in trials if trial.weights == found.weights] == [best]
    assert best > trials[0].recall + 0.2
    assert recalls(found, planted, 5, [found.weights]) == pytest.approx([best])


def test_of_equal_recalls_the_first_stays() -> None:
    training, popularity, items, _ = world(2)
    start = Blend.fit(training, popularity, items, key="code")
    nothing = cases([[], []], [[0], [1]])
    found, trials = tuned(start, nothing, 5)
    assert found.weights == start.weights
    assert {trial.recall for trial in trials} == {0.0}
