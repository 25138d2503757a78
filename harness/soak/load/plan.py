"""What a load asks, and when: computed whole from a seed, so that how many requests are due is known beforehand."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.load.schedules import poisson

READS = ("recommend", "similar", "search")
WRITES = ("put", "remove")
KINDS = (*READS, *WRITES)  # the code of a kind is its place
_READ_SHARES = (0.6, 0.2, 0.2)


@dataclass(frozen=True, slots=True)
class Plan:
    """reads_per_s and writes_per_s: rates of independent users' arrivals, of which either may be 0. k: hits asked for.

    name: what listings of this load begin with. grace_s: for how long a listing may still be served after its removal
    was acknowledged as searchable.
    """

    name: str
    reads_per_s: float
    writes_per_s: float
    seconds: float
    seed: int = 0
    k: int = 10
    grace_s: float = 0.1

    def problems(self) -> list[str]:
        """What is wrong with it, by the names of its parts."""
        found = [
            f"{name} must be a finite number of at least 0, got {value:g}"
            for name, value in (("reads", self.reads_per_s), ("writes", self.writes_per_s))
            if not 0 <= value < math.inf
        ]
        if not self.reads_per_s + self.writes_per_s > 0:
            found.append("reads and writes are both 0; ask for one of them")
        if not 0 < self.seconds < math.inf:
            found.append(f"seconds must be finite and above 0, got {self.seconds:g}")
        if self.seed < 0:
            found.append(f"seed must be at least 0, got {self.seed}")
        if not 1 <= self.k <= 1000:
            found.append(f"k must be from 1 to 1000, got {self.k}")
        return found


@dataclass(frozen=True, slots=True)
class Schedule:
    """When each of n requests is due, ns after the start, int64[n] ascending; kind: uint8[n], a place in KINDS."""

    due_ns: npt.NDArray[np.int64]
    kind: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.due_ns)

    def part(self, place: int, of: int) -> Schedule:
        """Every of-th request from the one at `place`: each request is in exactly one of the parts."""
        return Schedule(self.due_ns[place::of], self.kind[place::of])


def schedule(plan: Plan) -> Schedule:
    """All requests of a plan, the same whenever it is computed. Of the writes half put and half remove."""
    rng = np.random.default_rng(plan.seed)
    streams = (
        (plan.reads_per_s, READS, _READ_SHARES),
        (plan.writes_per_s, WRITES, (0.5, 0.5)),
    )
    due: list[npt.NDArray[np.int64]] = []
    kinds: list[npt.NDArray[np.uint8]] = []
    for rate, names, shares in streams:
        if rate > 0:
            offsets = poisson(rate, plan.seconds, rng)
            due.append(offsets)
            codes = np.array([KINDS.index(name) for name in names], np.uint8)
            kinds.append(rng.choice(codes, len(offsets), p=shares))
    merged = np.concatenate(due)
    order = np.argsort(merged, kind="stable")
    return Schedule(merged[order], np.concatenate(kinds)[order])
