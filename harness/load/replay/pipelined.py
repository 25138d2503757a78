"""An open loop for engines that take queries without waiting for the answers: one thread, no hand-overs."""

from __future__ import annotations

from itertools import count
from time import perf_counter_ns
from typing import Any

from engines.abilities import Pipelined
from engines.base import EngineError
from harness.load.answers import read_column
from harness.load.clients import SPIN_NS, StartSignal, sharpen_sleep
from harness.load.operations import Query
from harness.load.replay.base import Replay
from harness.load.replay.readable import Readable

# Sleeps end this much early and the rest of the wait is spent spinning, at the price of a core: so neither the
# overshoot of a sleep nor a processor that is slow just after one makes a request late. Where a thread of the engine's
# client takes in the answers, it needs that core and the interpreter: as short as for client threads, then. So too
# where other programs want the processor: the scheduler takes it from a thread that spins, for milliseconds, and gives
# it at once to one that has slept.
_SPIN_NS = 10_000_000
_TAKEN_NS = 1_000_000  # a turn of the spin takes microseconds; one that took longer had lost the processor
_WARY_NS = 1_000_000_000  # for so long after that
# Of every request of this process, so that a late answer is never taken for that of a later load.
_tokens = count()


class PipelinedReplay(Replay):
    """Sends what is due, collects what is there, and otherwise waits for whichever comes first."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._first_token = next(_tokens)  # lower numbers belong to earlier loads
        self._turns: dict[int, int] = {}  # by token, of the requests that are in the engine

    def run(self, clients: int, begin: StartSignal, timeout_ns: int) -> None:
        """Plays the schedule with at most `clients` requests in flight.

        Raises EngineError for an answer to a request that is not in the engine; late ones of an earlier load are
        passed over.
        """
        engine = self.engine
        assert isinstance(engine, Pipelined)  # its capabilities say so
        sharpen_sleep()
        self.schedule(begin)
        answers, scheduled_ns = Readable(engine.fileno()), self.scheduled_ns
        spin_ns = SPIN_NS if engine.capabilities.receiving_thread else _SPIN_NS
        turn, last, free_ns, spun_ns, wary_ns = 0, len(scheduled_ns), 0, 0, 0
        while turn < last or self._turns:
            now_ns = perf_counter_ns()
            if now_ns > self.limit_ns:
                last = turn  # what is not sent by now never is
                if now_ns > self.limit_ns + timeout_ns:
                    return
            if spun_ns and now_ns - spun_ns > _TAKEN_NS:
                wary_ns = now_ns + _WARY_NS
            full, spun_ns = len(self._turns) >= clients, 0
            may_send = turn < last and not full
            if may_send and scheduled_ns[turn] <= now_ns:
                self._send(engine, turn, free_ns)
                turn += 1
                continue
            # With every client busy only an answer, or the end, can change anything.
            next_ns = scheduled_ns[turn] if may_send else self.limit_ns + (turn == last) * timeout_ns
            wait_ns = next_ns - now_ns - (spin_ns if now_ns > wary_ns else SPIN_NS)
            if answers.within(wait_ns):
                arrived_ns = self._collect(engine)
                free_ns = arrived_ns if full else free_ns
            elif wait_ns <= 0:
                spun_ns = now_ns

    def _send(self, engine: Pipelined, turn: int, free_ns: int) -> None:
        query = self.operation(turn)
        assert isinstance(query, Query)  # `open_loop` sends anything else from threads
        token = next(_tokens)
        self.client[turn], self.free_ns[turn], self.sent_ns[turn] = 0, free_ns, perf_counter_ns()
        try:
            engine.submit(token, query.vector, self.k, query.where)
        except Exception as error:  # noqa: BLE001  as in the closed loop
            self.failed(turn, perf_counter_ns(), error)
        else:
            self._turns[token] = turn

    def _collect(self, engine: Pipelined) -> int:
        """Keeps the answers that have come in, each done when it has been read; when they had come in.

        All are read before the first is stored, so that our own work adds nothing to the latency of those behind it.
        """
        arrived = engine.collect()
        arrived_ns = perf_counter_ns()
        read = [(token, answer, *_read(answer), perf_counter_ns()) for token, answer in arrived]
        for token, answer, ids, scores, done_ns in read:
            turn = self._turns.pop(token, None)
            if turn is None:
                if token < self._first_token:
                    continue
                raise EngineError(f"it answered request {token}, which was not in the engine")
            if isinstance(answer, Exception):
                self.failed(turn, done_ns, answer)
            elif isinstance(ids, Exception):
                self.failed(turn, done_ns, ids)
            else:
                self.answered(turn, done_ns, answer, ids, scores)
        return arrived_ns


def _read(answer: Any) -> tuple[Any, Any]:
    """Ids and scores of an answer, or the exception that reading them raised."""
    if isinstance(answer, Exception):
        return answer, []
    try:
        return read_column(answer.ids), read_column(answer.scores)
    except Exception as error:  # noqa: BLE001  as in the closed loop
        return error, []
