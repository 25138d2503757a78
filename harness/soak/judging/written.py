"""What must be in the catalogue after a load, by the writes that were acknowledged."""

from __future__ import annotations

import numpy as np

from harness.soak.load.plan import KINDS
from harness.soak.load.requests import listing_id
from harness.soak.load.samples import Rows, acknowledged

_PUT, _REMOVE = KINDS.index("put"), KINDS.index("remove")


def expected(samples: Rows, name: str) -> dict[str, bool]:
    """By the id of a listing whether it must be there: put and never asked to be removed, or removed for certain.

    name: of the load's listings. What became of a removal that was not acknowledged is not known: not judged.
    """
    acked = acknowledged(samples)
    removals = samples["kind"] == _REMOVE

    def keys(chosen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[str]:
        pairs = zip(samples["worker"][chosen].tolist(), samples["listing"][chosen].tolist(), strict=True)
        return [listing_id(name, worker, number) for worker, number in pairs]

    found = dict.fromkeys(keys(acked & (samples["kind"] == _PUT)), True)
    found |= dict.fromkeys(keys(acked & removals), False)
    for key in keys(removals & ~acked):
        found.pop(key, None)
    return found
