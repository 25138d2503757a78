"""What one client of a closed loop records: plain lists while it sends a block, compact columns between blocks."""

from __future__ import annotations

from array import array
from collections import Counter
from typing import Any

import numpy as np

from harness.load.answers import KEPT_HITS, AnswerStore, ChangeCheck, RawColumn, answer_block, pack_ids
from harness.load.operations import Requests
from harness.results.samples import ERROR, OK, TIMEOUT, Samples

_BLOCK_HITS = 5_000  # hits in a block: storing it stops the other threads of the process for 0.2 ms
_DISTINCT_ERRORS = 1_000
_OTHERS = "other errors"


class Recording:
    """The requests of one client; entries of the lists belong to the same request.

    A block is at most `block` requests long: one at first, then twice as many each time. So memory is bounded by what
    `AnswerStore` keeps and 32 bytes a request, and answers are looked at again soon (`ChangeCheck`).
    """

    def __init__(self, k: int, clients: int, rng: np.random.Generator, *, keep: bool = True) -> None:
        self._k, self._keep, self.block = k, keep, 1
        self._largest = max(1, min(1_000, _BLOCK_HITS // max(1, k)))
        self.position: list[int] = []
        self.sent_ns: list[int] = []
        self.done_ns: list[int] = []
        self.ids: list[RawColumn] = []
        self.scores: list[RawColumn] = []
        self.failures: dict[int, str] = {}  # place in the block -> error text
        self.last: Any = None  # the last answer of the block as it was returned; None if the request failed
        self._columns = {name: array("q") for name in ("position", "sent_ns", "done_ns", "length")}
        self._failed = array("q")  # rows
        self._errors: Counter[str] = Counter()
        self._answers = AnswerStore(k, KEPT_HITS // max(1, k) // clients, rng)
        self._changes = ChangeCheck()

    def __len__(self) -> int:
        return len(self._columns["done_ns"])

    def store(self) -> None:
        """Stores the block and empties it."""
        if self._keep and self.done_ns:
            self._store()
        for entries in (self.position, self.sent_ns, self.done_ns, self.ids, self.scores):
            entries.clear()
        self.failures.clear()
        self.last = None
        self.block = min(2 * self.block, self._largest)

    def _store(self) -> None:
        first = len(self)
        answers = answer_block(self.ids, self.scores, self._k)
        failures = {**answers.unreadable, **self.failures}
        for name, values in (
            ("position", self.position),
            ("sent_ns", self.sent_ns),
            ("done_ns", self.done_ns),
        ):
            self._columns[name].frombytes(pack_ids(values))
        self._columns["length"].frombytes(answers.lengths.tobytes())
        self._answers.add(first, answers)
        self._failed.extend(first + place for place in failures)
        for text in failures.values():
            known = text in self._errors or len(self._errors) < _DISTINCT_ERRORS
            self._errors[text if known else _OTHERS] += 1
        if self.last is not None:
            self._changes.hold(self.last, self.ids[-1])

    def samples(self, requests: Requests, client: int, timeout_ns: int, end_ns: int) -> Samples:
        """All stored requests as columns: in a closed loop every request is due when it is sent.

        Its window ends at end_ns, or with the last answer where there was nothing left to send.
        A request whose latency exceeds `timeout_ns` is TIMEOUT, unless it failed: then it is ERROR.
        """
        self._changes.recheck()
        column = {name: np.array(values, dtype=np.int64) for name, values in self._columns.items()}
        sent_ns, done_ns, position = column["sent_ns"], column["done_ns"], column["position"]
        status = np.where(done_ns - sent_ns > timeout_ns, TIMEOUT, OK).astype(np.int64)
        status[np.array(self._failed, dtype=np.int64)] = ERROR
        rows, ids, scores = self._answers.columns()
        return Samples(
            scheduled_ns=sent_ns,
            sent_ns=sent_ns,
            done_ns=done_ns,
            query=requests.numbers[position],
            client=np.full(len(sent_ns), client, dtype=np.int64),
            status=status,
            ids=ids,
            lengths=column["length"],
            errors=dict(self._errors),
            kind=requests.kinds[position],
            free_ns=sent_ns,
            rows=rows,
            scores=scores,
            share=self._answers.share,
            window_ns=(int(sent_ns[0]), min(int(done_ns[-1]), end_ns)) if len(sent_ns) else None,
            rechecked=self._changes.rechecked,
            changed=self._changes.changed,
        )
