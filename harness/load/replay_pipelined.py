"""An open loop for engines that take queries without waiting for the answers: one thread, no hand-overs."""

from __future__ import annotations

from select import select
from time import perf_counter_ns

from engines.abilities import Pipelined
from harness.load.clients import Gate, sharpen_sleep
from harness.load.replay import Replay

# Sleeps end this much early and the rest is waited out awake, at the price of a core: what a sleep overshoots, and
# what a processor needs to be quick again after one, is then never seen. Threads cannot afford as much, for they
# share the interpreter; a pipelining client has it to itself.
_SPIN_NS = 10_000_000


class PipelinedReplay(Replay):
    """Sends what is due, collects what is there, and otherwise waits for whichever comes first."""

    def run(self, clients: int, gate: Gate, timeout_ns: int) -> None:
        """Plays the schedule with at most `clients` requests in flight."""
        engine = self.engine
        assert isinstance(engine, Pipelined)  # its capabilities say so
        sharpen_sleep()
        self.schedule(gate)
        answers, scheduled_ns = engine.fileno(), self.scheduled_ns
        turn, last, in_flight = 0, len(scheduled_ns), 0
        while turn < last or in_flight:
            now_ns = perf_counter_ns()
            if now_ns > self.limit_ns:
                last = turn  # what is not sent by now never is
                if now_ns > self.limit_ns + timeout_ns:
                    return
            may_send = turn < last and in_flight < clients
            if may_send and scheduled_ns[turn] <= now_ns:
                in_flight += self._send(engine, turn)
                turn += 1
                continue
            # With every client busy only an answer, or the end, can change anything.
            next_ns = scheduled_ns[turn] if may_send else self.limit_ns + (turn == last) * timeout_ns
            if select((answers,), (), (), max(0, next_ns - now_ns - _SPIN_NS) / 1e9)[0]:
                in_flight -= self._collect(engine)

    def _send(self, engine: Pipelined, turn: int) -> int:
        """Sends one request; 1 if it is in flight now."""
        _, vector, where = self.requests[turn % len(self.requests)]
        self.client[turn], self.sent_ns[turn] = 0, perf_counter_ns()
        try:
            engine.submit(turn, vector, self.k, where)
        except Exception as error:  # noqa: BLE001  as in the closed loop
            self.failed(turn, perf_counter_ns(), error)
            return 0
        return 1

    def _collect(self, engine: Pipelined) -> int:
        """Keeps the answers that have come in; how many. They share a time: that at which all were read, so
        that none is ever given as earlier than it was.
        """
        arrived = engine.collect()
        done_ns = perf_counter_ns()
        for turn, answer in arrived:
            if isinstance(answer, Exception):
                self.failed(turn, done_ns, answer)
            else:
                self.answered(turn, done_ns, answer.ids)
        return len(arrived)
