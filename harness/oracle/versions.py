"""The states that items may have been in while they were written under load: versions with the time of each; pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

ABSENT = -1  # instead of a row: the item does not exist
NEVER = np.iinfo(np.int64).max
_ALWAYS = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Writes:
    """w writes of one item each, in any order; a batch is as many writes with the same times.

    item: int64[w]. row: int64[w], where the vector and attributes written are found; ABSENT for a deletion.
    sent_ns, acknowledged_ns: int64[w]. A write that failed or was given up on may still have been carried out, also
    later: its acknowledged_ns is NEVER.
    """

    item: Int64
    row: Int64
    sent_ns: Int64
    acknowledged_ns: Int64


@dataclass(frozen=True, slots=True)
class Versions:
    """Every version of the items that were written, v in all, ordered by item; of other items there is one.

    item, row: int64[v], as in `Writes`. from_ns, until_ns: int64[v]: a query may have met the version if it was done at
    from_ns or later and sent before until_ns.
    present: bool[n], whether an item existed before the first write. touched: bool[n], whether it was written.
    """

    item: Int64
    row: Int64
    from_ns: Int64
    until_ns: Int64
    present: Mask
    touched: Mask

    def of(self, items: Int64) -> tuple[Int64, Int64]:
        """The versions of written items: (position in `items`, version) for each, int64[p] both."""
        first, last = np.searchsorted(self.item, items), np.searchsorted(self.item, items, side="right")
        counts = last - first
        position = np.repeat(np.arange(len(items)), counts)
        within = np.arange(len(position)) - np.repeat(np.cumsum(counts) - counts, counts)
        return position, first[position] + within

    def possible(self, version: Int64, sent_ns: Int64 | int, done_ns: Int64 | int) -> Mask:
        """Whether queries sent and done at these times may have met these versions."""
        return np.asarray((self.from_ns[version] <= done_ns) & (self.until_ns[version] > sent_ns))


def versions_of(present: Mask, writes: Writes, *, visible_within_ns: int = 0) -> Versions:
    """The versions of items 0 to n - 1, of which those in `present` (bool[n]) are there at first, each at its own row.

    A version is superseded once a write was acknowledged that was sent after the version's own acknowledgement. Where
    two writes of an item overlap, either may have come last. visible_within_ns: how long after its acknowledgement an
    engine may take to show a write.
    """
    touched = np.zeros(len(present), dtype=np.bool_)
    touched[writes.item] = True
    first = np.flatnonzero(touched)
    item = np.concatenate([first, writes.item])
    row = np.concatenate([np.where(present[first], first, ABSENT), writes.row])
    from_ns = np.concatenate([np.full(len(first), _ALWAYS), writes.sent_ns])
    sure_ns = np.concatenate([np.full(len(first), _ALWAYS), writes.acknowledged_ns])
    order = np.lexsort((from_ns, item))
    item, row, from_ns, sure_ns = item[order], row[order], from_ns[order], sure_ns[order]
    return Versions(
        item, row, from_ns, _superseded(item, from_ns, sure_ns, visible_within_ns), present, touched
    )


def _superseded(item: Int64, from_ns: Int64, sure_ns: Int64, lag_ns: int) -> Int64:
    """For each version when it was certainly superseded: of the writes of its item that were sent after it was
    acknowledged, the first acknowledgement. Versions are ordered by item and by when they were sent.
    """
    until_ns = np.full(len(item), NEVER)
    ends = np.append(np.flatnonzero(np.diff(item)) + 1, len(item))
    for start, end in zip(np.concatenate([[0], ends[:-1]]), ends, strict=True) if len(item) else ():
        sent, sure = from_ns[start:end], sure_ns[start:end]
        seen = np.where(sure > NEVER - lag_ns, NEVER, sure + lag_ns)
        earliest = np.minimum.accumulate(seen[::-1])[::-1]  # of this version and those sent later
        later = np.searchsorted(sent, sure)  # the first sent at or after the acknowledgement
        # The version itself is never later than itself, also where it was sent and acknowledged at once.
        later = np.maximum(later, np.arange(len(sent)) + 1)
        until_ns[start:end] = np.append(earliest, NEVER)[later]
    return until_ns
