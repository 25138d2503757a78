"""The trained model beside the baselines, on the test cases."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from harness.errors import ConfigurationError
from harness.progress import Progress
from models.data.items import Items
from models.evaluation.baselines.blend import Blend
from models.evaluation.baselines.centroid import Centroid
from models.evaluation.baselines.popular import Popular
from models.evaluation.baselines.together import Together
from models.evaluation.baselines.tuning import Trial, tuned
from models.evaluation.cells import Plan, Table
from models.evaluation.recommender import Recommender
from models.evaluation.table import evaluate
from models.publishing.own_filters import filter_problems
from models.training.config import EvaluationOptions, TrainConfig
from models.training.job import Outcome
from models.training.loading import judged_cases

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
    popularity = outcome.nearest.popularity
    untuned = Blend.fit(split.training, popularity, prepared.items, key=options.key)
    blend, trials = tuned(untuned, judged_cases(split.validation, options), options.k[0], progress=progress)
    recommenders: dict[str, Recommender] = {
        MODEL: outcome.nearest,
        "popularity": Popular(popularity),
        "co-occurrence": Together.fit(split.training, popularity),
        "blend": blend,
    }
    if prepared.features.text.any():
        recommenders["text centroid"] = Centroid.of(prepared.features.text, popularity)
    plan = Plan(options.k, reference=MODEL, seed=options.seed)
    table = evaluate(recommenders, judged_cases(split.test, options), popularity, plan, progress=progress)
    return Judgement(table, trials)


def require_columns(config: TrainConfig, items: Items) -> None:
    """Raises ConfigurationError, with every problem, where the configuration names columns that the items lack."""
    columns = ", ".join(items.categories) or "none"
    named = [("evaluation.key", name) for name in (config.evaluation.key,) if name is not None]
    named += [("evaluation.preferences", name) for name in config.evaluation.preferences or ()]
    problems = [
        f"{place}: '{name}' is no column of categories (there are: {columns})"
        for place, name in named
        if name not in items.categories
    ]
    problems += [f"dataset.filters: {problem}" for problem in filter_problems(items, config.dataset.filters)]
    if problems:
        raise ConfigurationError(problems)
