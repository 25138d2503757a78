"""Chooses a blend's weights on validation cases, one weight after the other; what was tried is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from harness.progress import Progress, silent
from models.data.split import Cases
from models.evaluation.baselines.blend import Blend, Weights
from models.evaluation.baselines.ranking import blocks, exclude

Float32 = npt.NDArray[np.float32]

GRID: Mapping[str, tuple[float, ...]] = {
    "same": (0.0, 0.5, 1.0, 2.0, 4.0, 8.0),
    "alike": (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0),
    "focus": (0.5, 1.0, 2.0, 3.0, 4.0),
}
_CELLS = 2 << 20
_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Trial:
    """Weights that were tried, and their mean recall@k over the validation cases."""

    weights: Weights
    recall: float


def tuned(
    blend: Blend,
    validation: Cases,
    k: int,
    grid: Mapping[str, Sequence[float]] = GRID,
    progress: Progress = silent,
) -> tuple[Blend, tuple[Trial, ...]]:
    """The blend with the weights of the highest recall@k on validation cases, and all that was tried, in order.

    From the blend's own weights on, each weight in turn takes the best of its values in the grid while the others
    stay, until a round over all of them changes nothing, four rounds at most. Of equal recalls the first tried stays.
    Never pass the cases that the blend is judged on.
    """
    tried: dict[Weights, float] = {}
    chosen = blend.weights
    for number in range(_ROUNDS):
        before = chosen
        for place, (name, values) in enumerate(grid.items()):
            progress("tuning the blend", number * len(grid) + place, None)
            settings = [chosen, *(replace(chosen, **{name: value}) for value in values)]
            fresh = [setting for setting in dict.fromkeys(settings) if setting not in tried]
            tried.update(zip(fresh, recalls(blend, validation, k, fresh), strict=True))
            chosen = max(settings, key=lambda setting: tried[setting])
        if chosen == before:
            break
    return blend.weighing(chosen), tuple(Trial(weights, recall) for weights, recall in tried.items())


def recalls(blend: Blend, cases: Cases, k: int, settings: Sequence[Weights]) -> list[float]:
    """Mean recall@k of each setting over the cases that have a target, from one pass over the blend's parts.

    Equal to what `recommend` and `figures.recall` give, without sorting: a target is found if fewer than k items stand
    before it.
    """
    totals = np.zeros(len(settings))
    count = int(np.count_nonzero(cases.targets.lengths))
    for _, part in blocks(cases, blend.costs(cases), _CELLS) if settings else ():
        parts = blend.parts(part)
        lengths = part.targets.lengths
        shares = np.repeat(1 / np.maximum(lengths, 1), lengths)
        for number, weights in enumerate(settings):
            scores = blend.scores(parts, weights)
            exclude(scores, part)
            totals[number] += float((shares * (_before(scores, part, blend) < k)).sum())
    return [float(total) / max(1, count) for total in totals]


def _before(scores: Float32, cases: Cases, blend: Blend) -> npt.NDArray[np.int64]:
    """How many items stand before each target: int64[targets]; n if it is no candidate."""
    owners = np.repeat(np.arange(len(cases)), cases.targets.lengths)
    places, targets = blend.popularity.places, cases.targets.items
    before = np.empty(len(targets), np.int64)
    for number, (owner, target) in enumerate(zip(owners.tolist(), targets.tolist(), strict=True)):
        row = scores[owner]
        own = row[target]
        tied = np.flatnonzero(row == own)
        before[number] = np.count_nonzero(row > own) + np.count_nonzero(places[tied] < places[target])
        if own == -np.inf:
            before[number] = len(row)
    return before
