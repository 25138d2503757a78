"""An open loop for engines that are called and waited for: leader and followers."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock, Thread
from time import perf_counter_ns
from typing import Any

from harness.load.answers import read_column
from harness.load.clients import StartSignal, leave_behind, sharpen_sleep, wait_until
from harness.load.replay.base import Replay


class ThreadedReplay(Replay):
    """One thread, the leader, waits for the next request to fall due; then another becomes the leader, and it
    sends the request itself. So nothing is handed from one thread to another between the due time and the send.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.leader = Lock()
        self.turns: Iterator[int] = iter(())  # none before the start is known

    def run(self, clients: int, begin: StartSignal, timeout_ns: int) -> None:
        """Plays the schedule with `clients` threads. Each writes slots of its own, so nothing is merged."""
        threads = [Thread(target=self._client, args=(number,), daemon=True) for number in range(clients)]
        try:
            with self.leader:  # until this thread has its turn
                for thread in threads:
                    thread.start()
                self.schedule(begin)
                self.turns = iter(range(len(self.scheduled_ns)))
            for thread in threads:
                thread.join(max(0, self.limit_ns + timeout_ns - perf_counter_ns()) / 1e9)
        except BaseException:
            self.turns = iter(())
            raise
        finally:
            leave_behind(threads)

    def _client(self, number: int) -> None:
        sharpen_sleep()
        clock, free_ns = perf_counter_ns, 0
        while True:
            with self.leader:
                turn = next(self.turns, None)
                if turn is None:
                    return
                wait_until(self.scheduled_ns[turn])
            call = self.calls[turn]
            sent_ns = clock()
            if sent_ns > self.limit_ns:
                return
            self.client[turn], self.free_ns[turn], self.sent_ns[turn] = number, free_ns, sent_ns
            try:
                hits = call()
                ids, scores = read_column(hits.ids), read_column(hits.scores)
                free_ns = clock()
                self.answered(turn, free_ns, hits, ids, scores)
            except Exception as error:  # noqa: BLE001  as in the closed loop
                free_ns = clock()
                self.failed(turn, free_ns, error)
