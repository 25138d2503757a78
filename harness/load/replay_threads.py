"""An open loop for engines that are called and waited for: leader and followers."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock, Thread
from time import perf_counter_ns
from typing import Any

from harness.load.clients import Gate, sharpen_sleep, wait_until
from harness.load.replay import Replay


class ThreadedReplay(Replay):
    """One thread, the leader, waits for the next request to fall due; then it lets another lead and sends the
    request itself. So nothing is handed from one thread to another between the due time and the send.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.leader = Lock()
        self.turns: Iterator[int] = iter(())  # none before the start is known

    def run(self, clients: int, gate: Gate, timeout_ns: int) -> None:
        """Plays the schedule with `clients` threads. Each writes slots of its own, so nothing is merged."""
        threads = [Thread(target=self._client, args=(number,), daemon=True) for number in range(clients)]
        try:
            with self.leader:  # until the turns are dealt
                for thread in threads:
                    thread.start()
                self.schedule(gate)
                self.turns = iter(range(len(self.scheduled_ns)))
            for thread in threads:
                thread.join(max(0, self.limit_ns + timeout_ns - perf_counter_ns()) / 1e9)
        except BaseException:
            self.turns = iter(())
            raise

    def _client(self, number: int) -> None:
        sharpen_sleep()
        query, k, clock = self.engine.query, self.k, perf_counter_ns
        while True:
            with self.leader:
                turn = next(self.turns, None)
                if turn is None:
                    return
                wait_until(self.scheduled_ns[turn])
            _, vector, where = self.requests[turn % len(self.requests)]
            sent_ns = clock()
            if sent_ns > self.limit_ns:
                return
            self.client[turn], self.sent_ns[turn] = number, sent_ns
            try:
                hits = query(vector, k, where)
                done_ns = clock()
                self.answered(turn, done_ns, hits.ids)
            except Exception as error:  # noqa: BLE001  as in the closed loop
                self.failed(turn, clock(), error)
