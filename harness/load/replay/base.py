"""One arrival schedule, and the outcome of each of its requests."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np

from engines.base import Engine
from harness.load.answers import (
    KEPT_HITS,
    UNREADABLE,
    ChangeCheck,
    RawColumn,
    as_list,
    pack_ids,
    pack_scores,
    unpack_answers,
)
from harness.load.clients import StartSignal, describe
from harness.load.operations import Operation, Operations, bind
from harness.results.samples import ERROR, OK, TIMEOUT, Int64, Samples

_LEAD_NS = 20_000_000  # between the start signal and the start of the schedule: the clients get into position
_CHECKED_AGAIN = 64  # answers that are looked at again when the load is over


class Replay(ABC):
    """The slots of n requests, one each; a subclass plays the schedule and fills them."""

    def __init__(
        self,
        engine: Engine,
        operations: Operations,
        warm_operations: Operations | None,
        offsets_ns: Int64,
        *,
        warm: int,
        seed: int,
        part: tuple[int, int],
        drain_ns: int,
    ) -> None:
        """warm: how many of the requests are the warm-up's; they come first and ask `warm_operations`, if given."""
        n = len(offsets_ns)
        if operations.in_order and n - warm > len(operations.items):
            raise ValueError(
                f"{n - warm} requests are due, but only {len(operations.items)} operations are given"
            )
        self.engine, self.k, self.warm = engine, operations.k, warm
        self.offsets_ns, self.drain_ns = offsets_ns, drain_ns
        self.requests = bind(operations, engine, np.random.default_rng(seed), part)
        self._warming = (
            self.requests
            if warm_operations is None
            else bind(warm_operations, engine, np.random.default_rng(seed), part)
        )
        asked_before = warm if warm_operations is None else 0  # the warm-up began the pass
        self.positions = [turn % max(1, len(self._warming.calls)) for turn in range(warm)]
        self.positions += [
            (turn + asked_before) % max(1, len(self.requests.calls)) for turn in range(n - warm)
        ]
        of = [self._warming.calls] * warm + [self.requests.calls] * (n - warm)
        self.calls = [calls[position][1] for calls, position in zip(of, self.positions, strict=True)]
        self.scheduled_ns: list[int] = []
        self.sent_ns, self.done_ns, self.client = [0] * n, [0] * n, [-1] * n
        self.free_ns = [0] * n  # since when the client that sent it was free
        self.lengths = [0] * n
        rng = np.random.default_rng([seed, *part])
        self.share = min(1.0, KEPT_HITS / max(1, self.k) / part[1] / max(1, n - warm))
        self.kept = (rng.random(n) < self.share).tolist()
        self.answers: dict[int, tuple[bytes, bytes]] = {}
        # By turn: the answer as returned, its ids as read.
        self.looked_at: dict[int, tuple[Any, RawColumn]] = {}
        self.failures: dict[int, str] = {}
        self.limit_ns = 0  # after this nothing is sent any more

    @abstractmethod
    def run(self, clients: int, begin: StartSignal, timeout_ns: int) -> None:
        """Plays the schedule; returns when every request is answered or given up on."""

    def operation(self, turn: int) -> Operation:
        """What is asked at a turn."""
        return (self._warming if turn < self.warm else self.requests).items[self.positions[turn]]

    def schedule(self, begin: StartSignal) -> None:
        """Fixes when each request is due: soon after `begin` has returned."""
        self.scheduled_ns = (begin() + _LEAD_NS + self.offsets_ns).tolist()
        self.limit_ns = max(self.scheduled_ns, default=0) + self.drain_ns

    def answered(self, turn: int, done_ns: int, hits: Any, ids: RawColumn, scores: RawColumn) -> None:
        """Keeps an answer, read already. done_ns is written last: once it is there, the slot is whole."""
        try:
            stored = pack_ids(as_list(ids))
        except UNREADABLE as error:
            self.failures[turn] = f"unreadable hits: {describe(error)}"
        else:
            self.lengths[turn] = len(ids)
            if self.kept[turn]:
                self.answers[turn] = stored, pack_scores(as_list(scores))
            if len(self.looked_at) < _CHECKED_AGAIN:
                self.looked_at[turn] = hits, ids
        self.done_ns[turn] = done_ns

    def failed(self, turn: int, done_ns: int, error: Exception) -> None:
        """Keeps a failure."""
        self.failures[turn] = describe(error)
        self.done_ns[turn] = done_ns

    def samples(self, first_client: int, timeout_ns: int) -> Samples:
        """The requests after the warm-up's. Those without an answer by now are given up on."""
        kept = slice(self.warm, None)
        # Threads still in the engine may write into the slots, `done_ns` last: so it is read first.
        done_ns = np.array(self.done_ns, dtype=np.int64)[kept]
        sent_ns, client = (np.array(values, dtype=np.int64)[kept] for values in (self.sent_ns, self.client))
        free_ns = np.array(self.free_ns, dtype=np.int64)[kept]
        scheduled_ns = np.array(self.scheduled_ns, dtype=np.int64)[kept]
        unsent, unanswered = sent_ns == 0, done_ns == 0
        sent_ns[unsent] = free_ns[unsent] = self.limit_ns  # no client was free for it until the end
        done_ns[unanswered] = np.where(unsent, self.limit_ns, self.limit_ns + timeout_ns)[unanswered]
        client[~unsent] += first_client
        status = np.where((done_ns - scheduled_ns > timeout_ns) | unanswered, TIMEOUT, OK).astype(np.int64)
        failures = {
            turn - self.warm: text
            for turn, text in list(self.failures.items())
            if turn >= self.warm and not unanswered[turn - self.warm]
        }
        status[list(failures)] = ERROR
        lengths = np.where(unanswered, 0, np.array(self.lengths, dtype=np.int64)[kept])
        positions = np.array(self.positions, dtype=np.int64)[kept]
        samples = Samples(
            scheduled_ns=scheduled_ns,
            sent_ns=sent_ns,
            done_ns=done_ns,
            query=self.requests.numbers[positions],
            client=client,
            status=status,
            ids=np.zeros((0, self.k), dtype=np.int64),
            lengths=lengths,
            errors=dict(Counter(failures.values())),
            kind=self.requests.kinds[positions],
            free_ns=free_ns,
            share=self.share,
            window_ns=(int(scheduled_ns[0]), int(scheduled_ns[-1])) if len(scheduled_ns) else None,
            abandoned=int(np.count_nonzero(unanswered & ~unsent)),
        )
        return self._rechecked(self._with_answers(samples, unanswered))

    def _with_answers(self, samples: Samples, unanswered: Any) -> Samples:
        rows = np.flatnonzero(np.array(self.kept[self.warm :], dtype=np.bool_))
        answers = [
            (b"", b"") if unanswered[row] else self.answers.get(row + self.warm, (b"", b""))
            for row in rows.tolist()
        ]
        matrices = unpack_answers([ids for ids, _ in answers], [scores for _, scores in answers], self.k)
        return replace(samples, rows=rows, ids=matrices.ids, scores=matrices.scores)

    def _rechecked(self, samples: Samples) -> Samples:
        check = ChangeCheck(_CHECKED_AGAIN)
        for hits, ids in list(self.looked_at.values()):
            check.hold(hits, ids)
        check.recheck()
        return replace(samples, rechecked=check.rechecked, changed=check.changed)
