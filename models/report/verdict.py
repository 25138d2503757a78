"""The top of the page: how good the model is, and whether it is worth having beside what needs no training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.evaluation.cells import Cell, Table
from models.evaluation.figures import HIT, RECALL
from models.evaluation.slices import FEW
from models.report.curves import best_epoch
from models.report.figures import MINUS, NONE, advantage, called, shown, standing
from reports.wording import percent

_MANY_COLD = 0.2  # share of the cases


@dataclass(frozen=True, slots=True)
class Verdict:
    """kind: better, unsure, worse, or alone where there is nothing to compare with. sentences: two.

    facts: figures and what they mean. caveats: what to keep in mind.
    """

    kind: str
    text: str
    sentences: tuple[str, str]
    facts: tuple[tuple[str, str], ...]
    caveats: tuple[str, ...]


def verdict(table: Table, model: Mapping[str, Any]) -> Verdict:
    """The best baseline is the one of the highest recall here, which favours it a little."""
    k, name = table.plan.ks[0], table.plan.reference
    own = table.cell(name, RECALL.name, k)
    value = shown(RECALL.name, own.value)
    split = model["data"]["split"]["kind"]
    bounds = f" ({_level(table)} interval {value.interval})" if value.interval else ""
    first = (
        f"Recall@{k} is {value.value}{bounds}: the share of what users took next that is among {k} listings answered, "
        f"over {table.cases:,} test cases held back {_HELD_BACK.get(split, split)}."
    )
    rival = _best_baseline(table)
    kind, text, second = _beside(table, rival)
    facts = [(value.value, f"recall@{k}" + (f", {value.interval}" if value.interval else ""))]
    if rival is not None and rival.difference is not None:
        gain = advantage(RECALL.name, rival.difference)
        facts.append(
            (gain.value, f"beside the {called(rival.recommender)}, {gain.interval or 'no interval'}")
        )
    hit = table.cell(name, HIT.name, k).value.estimate
    facts.append((percent(hit), f"of the users find something that they took next among {k} listings"))
    facts.append((f"{model['dim']}", f"dimensions of a vector, {model['data']['items']:,} listings"))
    return Verdict(kind, text, (first, second), tuple(facts), tuple(_caveats(table, model)))


_HELD_BACK = {"time": "by time", "leave-last-out": "as each user's last item (leave-last-out)"}


def _level(table: Table) -> str:
    return percent(table.plan.level)


def _best_baseline(table: Table) -> Cell | None:
    k = table.plan.ks[0]
    others = [
        cell
        for cell in table.cells
        if (cell.figure, cell.k, cell.slice) == (RECALL.name, k, "all")
        and cell.recommender != table.plan.reference
        and math.isfinite(cell.value.estimate)
    ]
    return max(others, key=lambda cell: cell.value.estimate, default=None)


def _beside(table: Table, rival: Cell | None) -> tuple[str, str, str]:
    """What the comparison comes to: its kind, a headline and a sentence."""
    if rival is None or rival.difference is None:
        return "alone", "No baseline to compare with", "No baseline was judged on these cases."
    name, gain = called(rival.recommender), advantage(RECALL.name, rival.difference)
    where = standing(rival.difference)
    paired = f"{_level(table)} interval of the paired difference {gain.interval}" if gain.interval else ""
    if not paired or gain.value == NONE:
        return "unsure", f"Not comparable with the {name}", f"The difference to the {name} has no interval."
    if where < 0:
        return (
            "better",
            f"The model beats the {name}",
            f"It beats the best baseline, the {name}, by {gain.value.removeprefix('+')} ({paired}).",
        )
    if where > 0:
        return (
            "worse",
            f"The {name} beats the model",
            f"It loses to the best baseline, the {name}, by {gain.value.removeprefix(MINUS)} ({paired}).",
        )
    return (
        "unsure",
        f"The model does not surely beat the {name}",
        f"It does not surely beat the best baseline, the {name}: {gain.value} ({paired}, which holds 0).",
    )


def _caveats(table: Table, model: Mapping[str, Any]) -> list[str]:
    found = []
    if table.cases < FEW:
        found.append(f"Only {table.cases:,} test cases: too few to say much.")
    held = model["data"]["split"]["test"]
    if held > table.cases:
        found.append(f"{table.cases:,} of {held:,} test cases were judged, drawn at random.")
    cold = table.slices.get("cold_listings", ("", 0))[1]
    if table.cases and cold / table.cases >= _MANY_COLD:
        share = percent(cold / table.cases)
        found.append(
            f"In {share} of the test cases users took listings that nobody had taken in training; only what the "
            "listings say of themselves helps there."
        )
    epochs, planned = model["epochs"], model["configuration"]["training"]["epochs"]
    if epochs and len(epochs) == planned and best_epoch(epochs) == len(epochs) - 1:
        found.append(
            "The last epoch was the best one: more epochs (training.epochs) may give a better model."
        )
    return found
