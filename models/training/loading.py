"""The data that a configuration names, split."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from engines.values.shown import shown
from harness.errors import ConfigurationError, noting
from harness.progress import Progress
from models.data.interactions import Interactions
from models.data.items import Items
from models.data.leaks import check_no_leak
from models.data.marketplace.market import make_market
from models.data.reading.hm import read_hm
from models.data.reading.interaction_file import read_interactions
from models.data.reading.item_file import read_items
from models.data.split import Cases, Split
from models.data.splitting import by_time, choose_split, first_taken_ms, leave_last_out
from models.training.config import EvaluationOptions, Files, HandM, SplitOptions, TrainConfig

Int64 = npt.NDArray[np.int64]


class Loaded(NamedTuple):
    """What is sold and who took what.

    gone_ms: int64[items], when each could no longer be had; None where nothing is known to have gone. source: what the
    interactions come from, as messages name it.
    """

    items: Items
    interactions: Interactions
    gone_ms: Int64 | None = None
    source: str = "the interactions"

    @property
    def left_out(self) -> list[str]:
        """What of the interactions was not read, for where too little is left of them."""
        reasons = [f"{count:,} rows {reason}" for reason, count in self.interactions.left_out.items()]
        return [f"{self.source}: left out were {reason}" for reason in reasons]


def load(config: TrainConfig, beside: Path, progress: Progress) -> Loaded:
    """Reads or simulates the data. beside: the folder that relative paths start from. Raises ConfigurationError."""
    data = config.data
    progress("reading the data", 0, None)
    if isinstance(data, Files):
        items = read_items(beside / data.items, config.items)
        if len(items) == 1:
            raise ConfigurationError(
                f"{beside / data.items}: holds one item only, {shown(items.ids[0])} in row 0, and a model tells items "
                "apart; add others"
            )
        interactions = read_interactions(beside / data.interactions, items, config.interactions)
        gone = config.split.one_of_a_kind
        return Loaded(
            items,
            interactions,
            first_taken_ms(interactions, items, config.split.sold_weight) if gone else None,
            str(beside / data.interactions),
        )
    if isinstance(data, HandM):
        return Loaded(*read_hm(None if data.folder is None else beside / data.folder, data.catalogue))
    market = make_market(data.marketplace, progress=progress)
    return Loaded(market.items, market.interactions, market.truth.gone_ms)


def split(loaded: Loaded, options: SplitOptions, seed: int) -> Split:
    """Cases held back as asked for, and looked through for leaks. Raises ConfigurationError, LeakError."""
    problems: list[str] = []
    with noting(problems, f"{loaded.source}: "):
        made = _split(loaded, options, seed)
    if problems:
        raise ConfigurationError(problems)
    check_no_leak(made, loaded.interactions)
    return made


def _split(loaded: Loaded, options: SplitOptions, seed: int) -> Split:
    items, interactions, gone, _ = loaded
    users, shares = options.validation_users, (options.validation, options.test)
    if options.kind == "time":
        return by_time(interactions, items, shares=shares, gone_ms=gone)
    if options.kind == "leave-last-out":
        return leave_last_out(interactions, items, validation_users=users, seed=seed)
    return choose_split(interactions, items, validation_users=users, shares=shares, gone_ms=gone, seed=seed)


def judged_cases(cases: Cases, options: EvaluationOptions) -> Cases:
    """The cases that a model is judged by: all, or a sample of them drawn at random."""
    if len(cases) <= options.cases:
        return cases
    rng = np.random.default_rng([options.seed, len(cases)])
    return cases.take(np.sort(rng.choice(len(cases), options.cases, replace=False)))
