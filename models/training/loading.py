"""The data that a configuration names, split."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

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
    """What is sold and who took what. gone_ms: int64[items], when each could no longer be had; None where nothing is
    known to have gone.
    """

    items: Items
    interactions: Interactions
    gone_ms: Int64 | None = None


def load(config: TrainConfig, beside: Path, progress: Progress) -> Loaded:
    """Reads or simulates the data. beside: the folder that relative paths start from. Raises ConfigurationError."""
    data = config.data
    progress("reading the data", 0, None)
    if isinstance(data, Files):
        items = read_items(beside / data.items, config.items)
        interactions = read_interactions(beside / data.interactions, items, config.interactions)
        gone = config.split.one_of_a_kind
        return Loaded(
            items,
            interactions,
            first_taken_ms(interactions, items, config.split.sold_weight) if gone else None,
        )
    if isinstance(data, HandM):
        return Loaded(*read_hm(None if data.folder is None else beside / data.folder, data.catalogue))
    market = make_market(data.marketplace, progress=progress)
    return Loaded(market.items, market.interactions, market.truth.gone_ms)


def split(loaded: Loaded, options: SplitOptions, seed: int) -> Split:
    """Cases held back as asked for, and looked through for leaks. Raises ConfigurationError, LeakError."""
    items, interactions, gone = loaded
    users, shares = options.validation_users, (options.validation, options.test)
    if options.kind == "time":
        made = by_time(interactions, items, shares=shares, gone_ms=gone)
    elif options.kind == "leave-last-out":
        made = leave_last_out(interactions, items, validation_users=users, seed=seed)
    else:
        made = choose_split(
            interactions, items, validation_users=users, shares=shares, gone_ms=gone, seed=seed
        )
    check_no_leak(made, interactions)
    return made


def judged_cases(cases: Cases, options: EvaluationOptions) -> Cases:
    """The cases that a model is judged by: all, or a sample of them drawn at random."""
    if len(cases) <= options.cases:
        return cases
    rng = np.random.default_rng([options.seed, len(cases)])
    return cases.take(np.sort(rng.choice(len(cases), options.cases, replace=False)))
