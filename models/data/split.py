"""What a model learns from, and what it is judged by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from models.data.interactions import ItemLists


@dataclass(frozen=True, slots=True)
class Cases:
    """Users that a model is asked about: c of them.

    users: int32[c]. histories: what each had taken before. targets: what each took next, one item or more, none of
    them in the history. candidates: bool[items], which items may be answered, None for all; a user's own history never
    may. asked_ms: int64[c], when they are asked, None where times carry no order.
    """

    users: npt.NDArray[np.int32]
    histories: ItemLists
    targets: ItemLists
    candidates: npt.NDArray[np.bool_] | None = None
    asked_ms: npt.NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.users)

    def take(self, rows: npt.NDArray[np.int64]) -> Cases:
        """These cases, in this order."""
        return Cases(
            self.users[rows],
            self.histories.take(rows),
            self.targets.take(rows),
            self.candidates,
            None if self.asked_ms is None else self.asked_ms[rows],
        )


@dataclass(frozen=True, slots=True)
class Split:
    """Interactions divided into what is learnt from and two sets of cases.

    training: the distinct items of each of u users, one list a user (empty where nothing is left), in the order in
    which they were taken where `ordered`. taken: int64[items], how often each item occurs in `training`. why: the
    reason for this kind of split, in a sentence. left_out: how many targets are no targets, by reason.
    """

    kind: Literal["time", "leave-last-out"]
    ordered: bool
    training: ItemLists
    taken: npt.NDArray[np.int64]
    validation: Cases
    test: Cases
    why: str = ""
    left_out: Mapping[str, int] = field(default_factory=dict)
