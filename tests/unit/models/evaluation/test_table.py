from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from harness.errors import ConfigurationError, MeasurementError
from models.data.split import Cases
from models.evaluation.cells import Plan, Table
from models.evaluation.figures import case_figures
from models.evaluation.intervals import compare_means
from models.evaluation.popularity import Popularity
from models.evaluation.table import evaluate, tabulate
from tests.unit.models.evaluation.made_up import cases

ITEMS, CASES = 60, 240
PLAN = Plan((3, 10), "blind", draws=300, seed=4)


@dataclass(frozen=True)
class Drawn:
    """Answers drawn with chances that grow towards the targets; `skill` says by how much. Ours to plant."""

    skill: float

    def recommend(self, asked: Cases, k: int) -> Any:
        own = np.random.default_rng(3)
        scores = own.random((len(asked), ITEMS))
        scores[np.arange(len(asked)), asked.targets.items] += self.skill
        for row in range(len(asked)):
            scores[row, asked.histories[row]] = -np.inf
        return np.argsort(-scores, axis=1)[:, :k].astype(np.int32)


@pytest.fixture(scope="module")
def asked() -> Cases:
    own = np.random.default_rng(1)
    mixed = [own.permutation(ITEMS) for _ in range(CASES)]
    return cases(
        [row[:1].tolist() for row in mixed], [row[1 : 1 + i % 5].tolist() for i, row in enumerate(mixed)]
    )


@pytest.fixture(scope="module")
def popularity() -> Popularity:
    return Popularity.of(np.arange(ITEMS) // 2, 200)


@pytest.fixture(scope="module")
def table(asked: Cases, popularity: Popularity) -> Table:
    return evaluate({"blind": Drawn(0.0), "skilled": Drawn(0.3)}, asked, popularity, PLAN)


def test_a_skilled_recommender_is_above_the_reference(table: Table) -> None:
    for k in (3, 10):
        for figure in ("recall", "ndcg", "hit"):
            difference = table.cell("skilled", figure, k).difference
            assert difference is not None
            assert difference.low is not None
            assert 0 < difference.low < difference.change
            assert difference.p_value is not None
            assert difference.p_value < 0.01
    assert table.cell("blind", "recall", 10).difference is None


def test_cells_are_those_of_their_parts(table: Table, asked: Cases, popularity: Popularity) -> None:
    blind, skilled = (
        case_figures(Drawn(skill).recommend(asked, 10), asked, popularity, (10,)) for skill in (0.0, 0.3)
    )
    cell = table.cell("skilled", "recall", 10)
    assert cell.value.estimate == pytest.approx(skilled["recall_at_10"].mean())
    gain = (skilled["recall_at_10"] - blind["recall_at_10"])[:, None]
    alone = compare_means(gain, np.random.default_rng([4, 0]), bounded=np.array([True]), draws=300)[0]
    assert cell.difference == alone
    cold = table.cell("skilled", "recall", 10, "cold_users")
    empty = asked.histories.lengths == 0
    assert (cold.cases, cold.few) == (np.count_nonzero(empty), True)
    assert cold.value.estimate == pytest.approx(skilled["recall_at_10"][empty].mean())


def test_slices_and_figures_are_complete(table: Table) -> None:
    assert table.slices["all"] == ("all cases", CASES)
    assert table.slices["long_histories"][1] == 0
    per_slice = 2 * 2 * 5  # recommenders, ks, figures of cases
    assert len(table.cells) == len(table.slices) * per_slice + 2 * 2 * 2
    with pytest.raises(KeyError):
        table.cell("skilled", "coverage", 10, "cold_users")


def test_the_table_is_plain_data(table: Table) -> None:
    plain = json.loads(json.dumps(table.to_json(), allow_nan=False))
    assert plain["plan"]["reference"] == "blind"
    assert len(plain["cells"]) == len(table.cells)
    empty = [cell for cell in plain["cells"] if cell["slice"] == "long_histories"]
    assert {(cell["cases"], cell["value"], cell["few"]) for cell in empty} == {(0, None, True)}
    first = table.cells[0]
    assert plain["cells"][0]["low"] == first.value.low
    compared = [cell["difference"] for cell in plain["cells"] if cell["recommender"] == "skilled"]
    assert set(compared[0]) == {"change", "low", "high", "p_value"}


def test_equal_seeds_give_equal_tables(table: Table, asked: Cases, popularity: Popularity) -> None:
    recommenders = {"blind": Drawn(0.0), "skilled": Drawn(0.3)}
    again = evaluate(recommenders, asked, popularity, PLAN)
    assert again.to_json() == table.to_json()
    other = evaluate(recommenders, asked, popularity, Plan((3, 10), "blind", draws=300, seed=5))
    assert other.to_json()["cells"] != table.to_json()["cells"]


def test_answers_that_break_a_rule_are_not_tabulated(asked: Cases, popularity: Popularity) -> None:
    answers = Drawn(0.0).recommend(asked, 10)
    answers[4, 0] = asked.histories[4][0]
    with pytest.raises(MeasurementError, match="cheat: an item of the user's history in 1 of 240 cases"):
        tabulate({"blind": Drawn(0.0).recommend(asked, 10), "cheat": answers}, asked, popularity, PLAN)


def test_a_reference_that_is_none_and_a_k_of_0_are_refused_at_once(
    asked: Cases, popularity: Popularity
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        evaluate({"blind": Drawn(0.0)}, asked, popularity, Plan((0,), "best"))
    assert len(caught.value.problems) == 2


def test_fewer_answers_than_asked_for_are_refused(asked: Cases, popularity: Popularity) -> None:
    """Else recall@10 of nine items would stand beside recall@10 of ten."""
    answers = Drawn(0.0).recommend(asked, 9)
    with pytest.raises(MeasurementError, match=r"blind: .*\[240, 9\]; return .* with k of 10 or more"):
        tabulate({"blind": answers}, asked, popularity, PLAN)
