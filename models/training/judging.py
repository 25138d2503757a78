"""The trained model beside the baselines, on the test cases."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from harness.errors import ConfigurationError
from harness.progress import Progress
from models.data.split import Cases
from models.evaluation.baselines.blend import Blend
from models.evaluation.baselines.centroid import Centroid
from models.evaluation.baselines.popular import Popular
from models.evaluation.baselines.together import Together
from models.evaluation.baselines.tuning import Trial, tuned
from models.evaluation.cells import Plan, Table
from models.evaluation.nearest import Nearest
from models.evaluation.popularity import Popularity
from models.evaluation.recommender import Recommender
from models.evaluation.table import evaluate
from models.training.config import EvaluationOptions
from models.training.job import Outcome

MODEL = "two-tower"


@dataclass(frozen=True, slots=True)
class Judgement:
    """Every figure of the model and the baselines, and what was tried to choose the blend's weights."""

    table: Table
    blend: tuple[Trial, ...]

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {"table": self.table.to_json(), "blend": [asdict(trial) for trial in self.blend]}


def judge(outcome: Outcome, options: EvaluationOptions, progress: Progress) -> Judgement:
    """Asks the model and the baselines about the test cases, or a sample of them: the only time that they are used.

    Weights of the blend are chosen on the validation cases, as everything else.
    """
    prepared, split = outcome.prepared, outcome.prepared.split
    popularity = Popularity.in_training(split)
    untuned = Blend.fit(split.training, popularity, prepared.items, key=options.key)
    blend, trials = tuned(untuned, _sample(split.validation, options), options.k[0], progress=progress)
    recommenders: dict[str, Recommender] = {
        MODEL: Nearest.of(outcome.encoder.weights, prepared.features, popularity),
        "popularity": Popular(popularity),
        "co-occurrence": Together.fit(split.training, popularity),
        "blend": blend,
    }
    if prepared.features.text.any():
        recommenders["text centroid"] = Centroid.of(prepared.features.text, popularity)
    plan = Plan(options.k, reference=MODEL, seed=options.seed)
    table = evaluate(recommenders, _sample(split.test, options), popularity, plan, progress=progress)
    return Judgement(table, trials)


def require_key(options: EvaluationOptions, columns: list[str]) -> None:
    """Raises ConfigurationError where the key of the blend, or a preference, is no column of categories."""
    named = {"evaluation.key": [options.key] if options.key else []}
    named["evaluation.preferences"] = list(options.preferences or ())
    problems = [
        f"{place}: '{name}' is no column of categories (there are: {', '.join(columns) or 'none'})"
        for place, names in named.items()
        for name in names
        if name not in columns
    ]
    if problems:
        raise ConfigurationError(problems)


def _sample(cases: Cases, options: EvaluationOptions) -> Cases:
    if len(cases) <= options.cases:
        return cases
    rng = np.random.default_rng([options.seed, len(cases)])
    return cases.take(np.sort(rng.choice(len(cases), options.cases, replace=False)))
