"""What the durability task writes, and what should be left of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from engines.base import Batch, Capabilities, Ids
from harness.data.dataset import Dataset
from harness.tasks.bench import batches

Last = Literal["upsert", "delete"]


@dataclass(frozen=True, slots=True)
class Writes:
    """Batches to upsert and ids to delete, in order, and what they lead to: the items that are left, and those that are
    gone, as they were.
    """

    steps: tuple[Batch | Ids, ...]
    left: Batch
    gone: Batch

    def __len__(self) -> int:
        """How many items are written, those that are deleted again included."""
        return len(self.left) + len(self.gone)


def planned(dataset: Dataset, size: int, rows: int, can: Capabilities, last: Last) -> Writes:
    """The first `rows` items in batches of at most `size`, and at least two. A tenth of those in all batches but the
    last are then given the content of others, and as many are deleted, where the engine can. last: whether deleting or
    the last batch ends it.
    """
    *first, final_batch = batches(dataset, min(size, -(-rows // 2)), rows)
    everything = next(batches(dataset, rows, rows))
    tenth = sum(map(len, first)) // 10
    changed = np.arange(tenth if can.update else 0, dtype=np.int64)
    deleted = len(changed) + np.arange(tenth if can.delete else 0, dtype=np.int64)
    content = np.arange(rows)
    content[changed] = (changed + rows // 2) % rows
    final = replace(everything[content], ids=everything.ids)
    steps: list[Batch | Ids] = [*first]
    if len(changed):
        steps.append(final[changed])
    ends: list[Batch | Ids] = [deleted, final_batch] if last == "upsert" else [final_batch, deleted]
    steps += [step for step in ends if len(step)]
    return Writes(tuple(steps), final[np.setdiff1d(everything.ids, deleted)], everything[deleted])
