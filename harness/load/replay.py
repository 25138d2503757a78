"""One arrival schedule and what became of each of its requests."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from engines.base import Engine, Ids
from harness.data.workload import Workload
from harness.load.clients import NO_HITS, Gate, describe, requests_in_order, to_samples
from harness.results.samples import TIMEOUT, Int64, Samples

_LEAD_NS = 20_000_000  # between the gate and the start of the schedule: the clients get into position


class Replay(ABC):
    """The slots of n requests, one each; a subclass plays the schedule and fills them."""

    def __init__(
        self,
        engine: Engine,
        workload: Workload,
        offsets_ns: Int64,
        drain_ns: int,
        rng: np.random.Generator,
    ) -> None:
        n = len(offsets_ns)
        self.engine, self.k = engine, workload.k
        self.offsets_ns, self.drain_ns = offsets_ns, drain_ns
        self.requests = requests_in_order(workload, rng)
        self.scheduled_ns: list[int] = []
        self.sent_ns, self.done_ns, self.client = [0] * n, [0] * n, [-1] * n
        self.ids: list[Any] = [NO_HITS] * n
        self.failures: dict[int, str] = {}
        self.limit_ns = 0  # after this nothing is sent any more

    @abstractmethod
    def run(self, clients: int, gate: Gate, timeout_ns: int) -> None:
        """Plays the schedule; returns when every request is answered or given up on."""

    def schedule(self, gate: Gate) -> None:
        """Fixes when each request is due: soon after `gate` has returned."""
        self.scheduled_ns = (gate() + _LEAD_NS + self.offsets_ns).tolist()
        self.limit_ns = max(self.scheduled_ns, default=0) + self.drain_ns

    def answered(self, turn: int, done_ns: int, ids: Sequence[int] | Ids) -> None:
        """Keeps an answer. done_ns is written last: once it is there, the slot is whole."""
        self.ids[turn] = ids
        self.done_ns[turn] = done_ns

    def failed(self, turn: int, done_ns: int, error: Exception) -> None:
        """Keeps a failure."""
        self.failures[turn] = describe(error)
        self.done_ns[turn] = done_ns

    def samples(self, skip: int, first_client: int, timeout_ns: int) -> Samples:
        """The requests after the first `skip`. Those without an answer by now are given up on."""
        # Threads still in the engine may write into the slots, `done_ns` last: so it is read first.
        done_ns = np.array(self.done_ns, dtype=np.int64)
        sent_ns, client = np.array(self.sent_ns, dtype=np.int64), np.array(self.client, dtype=np.int64)
        unsent, unanswered = sent_ns == 0, done_ns == 0
        sent_ns[unsent] = self.limit_ns
        done_ns[unanswered] = np.where(unsent, self.limit_ns, self.limit_ns + timeout_ns)[unanswered]
        client[~unsent] += first_client
        order = np.array([index for index, _, _ in self.requests], dtype=np.int64)
        kept = slice(skip, None)
        samples = to_samples(
            scheduled_ns=np.array(self.scheduled_ns, dtype=np.int64)[kept],
            sent_ns=sent_ns[kept],
            done_ns=done_ns[kept],
            query=order[np.arange(len(done_ns)) % len(order)][kept],
            client=client[kept],
            answers=[NO_HITS if lost else ids for ids, lost in zip(self.ids, unanswered, strict=True)][kept],
            failures={
                turn - skip: text
                for turn, text in self.failures.items()
                if turn >= skip and not unanswered[turn]
            },
            k=self.k,
            timeout_ns=timeout_ns,
        )
        return replace(samples, status=np.where(unanswered[kept], TIMEOUT, samples.status))
