"""The users that engines are asked for: those of a model's dataset, with what they took before and next."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.data.catalogue import load_dataset
from harness.data.dataset import Dataset
from harness.errors import ConfigurationError
from harness.progress import Progress, silent
from models.data.split import Cases
from models.encoding.model import DATASET, Model
from models.evaluation.popularity import Popularity
from models.publishing.taken import read_taken
from models.publishing.users import read_users


@dataclass(frozen=True, slots=True)
class HeldOut:
    """c users, one a query of the dataset.

    cases: their histories and targets as rows of the dataset. popularity: of its listings. elsewhere: how many of
    their targets are not in it, which no answer can hold.
    """

    dataset: Dataset
    cases: Cases
    popularity: Popularity
    elsewhere: int

    def hits(self, k: int) -> tuple[int, ...]:
        """How many hits each user is to be asked for, so that k are left without their own history, if there are k."""
        most = len(self.dataset.vectors)
        return tuple(min(most, k + length) for length in self.cases.histories.lengths.tolist())


def read_held_out(
    model: Model, cache: Path, progress: Progress = silent, *, queries: int | None = None
) -> HeldOut:
    """The users of the dataset in a model's folder, the first `queries` of them.

    Raises ConfigurationError where the dataset is damaged, or was written by another model.
    """
    folder = model.folder / DATASET
    whole = load_dataset(str(folder), cache=cache, progress=progress)
    if whole.model != model.identity:
        made_by = "no named model" if whole.model is None else whole.model.label
        raise ConfigurationError(
            f"{folder}: was written by {made_by}, and {model.folder} holds {model.identity.label}; copy the whole "
            "folder again, or train the model again"
        )
    assert whole.ids is not None  # a model's dataset has a column of ids
    users = read_users(folder, whole.ids)
    if len(users.ids) != len(whole.queries):
        raise ConfigurationError(
            f"{folder}: has {len(whole.queries):,} queries and {len(users.ids):,} users; copy the whole folder again"
        )
    cases = Cases(
        np.arange(len(users.ids), dtype=np.int32), users.histories, users.targets, None, users.asked_ms
    )
    dataset = whole.head(None, queries)
    popularity = read_taken(folder, len(dataset.vectors))
    asked = cases.take(np.arange(len(dataset.queries)))
    return HeldOut(dataset, asked, popularity, users.elsewhere["targets"])
