"""What became of every request that was due."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.soak.load.plan import Plan, schedule
from harness.soak.load.samples import OUTCOMES, Rows


def count(plan: Plan, parts: Sequence[Rows], not_sent: int) -> dict[str, int]:
    """due: by the plan, not by what workers say. Then one count for each outcome, not_sent, and lost_rows: requests
    that are neither; below 0 where there are rows of requests that nobody planned.
    """
    outcomes = np.zeros(len(OUTCOMES), np.int64)
    for part in parts:
        outcomes += np.bincount(part["outcome"], minlength=len(OUTCOMES))
    due = len(schedule(plan))
    known = {name: int(number) for name, number in zip(OUTCOMES, outcomes, strict=True)}
    return {"due": due, **known, "not_sent": not_sent, "lost_rows": due - int(outcomes.sum()) - not_sent}
