"""The loop in a thread of its own, beside those that answer."""

from __future__ import annotations

import asyncio
import logging
from threading import Event, Thread

from service.ingestion.kafka.following import Following


class Running:
    """stopping: the pipeline's, which gives up a write that fails once it is set."""

    def __init__(self, following: Following, stopping: Event) -> None:
        self._following, self._stopping = following, stopping
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._run, name="ingest-kafka", daemon=True)

    def start(self) -> None:
        """Begins to take what is there."""
        # It tells each attempt to connect, many a second; that one fails is told once, by `Following`.
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
        self._thread.start()

    def stop(self) -> None:
        """Returns after the batch under way has been written and committed; a second call does nothing."""
        self._stopping.set()
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._following.stop)
            self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._following.run())
