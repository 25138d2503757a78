"""Gathers the rows of all processes that send, and ends the load."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gevent

from harness.soak.load.counting import count
from harness.soak.load.plan import Plan
from harness.soak.load.recording import write_load
from harness.soak.load.samples import from_bytes

END_WITHIN_S = 30.0  # of the last due time, beside what an answer may take
log = logging.getLogger("load")


class Collector:
    """Has the rows of all workers, and writes and tells them at the end."""

    def __init__(self, environment: Any) -> None:
        self.environment = environment
        self.plan: Plan | None = None

    def begin(self, plan: Plan, workers: int) -> None:
        self.plan, self.workers = plan, workers
        self.started_at = time.time()
        self._parts: list[Any] = []
        self._not_sent: dict[int, int] = {}
        self._told = False

    def receive(self, data: Mapping[str, Any]) -> None:
        """Rows of a worker."""
        self._parts.append(from_bytes(data["rows"]))
        if data["last"]:
            self._not_sent[data["worker"]] = data["not_sent"]
            if len(self._not_sent) == self.workers:
                gevent.spawn(self.finish)

    def watch(self) -> None:
        """Ends a load of which a worker has gone."""
        plan = self.plan
        assert plan is not None
        gevent.sleep(plan.seconds + END_WITHIN_S + self.environment.parsed_options.timeout)
        if self.plan is plan and not self._told:
            log.error("%d of %d workers have reported their end", len(self._not_sent), self.workers)
            self.finish()

    def finish(self) -> None:
        """Counts, writes and ends the load. Does nothing the second time."""
        if self.plan is None or self._told:
            return
        self._told = True
        counts = count(self.plan, self._parts, sum(self._not_sent.values()))
        log.info("load: %s", ", ".join(f"{number:,} {what}" for what, number in counts.items() if number))
        if counts["lost_rows"]:
            log.error("%d requests were due and have no row", counts["lost_rows"])
            self.environment.process_exit_code = 1
        options = self.environment.parsed_options
        if options.out:
            about = {
                "plan": {name: getattr(self.plan, name) for name in self.plan.__slots__},
                "workers": self.workers,
                "users": self.environment.runner.target_user_count,
                "host": self.environment.host,
                "started_at": self.started_at,
                "counts": counts,
            }
            write_load(Path(options.out), about, self._parts)
            log.info("written to %s", options.out)
        if self.environment.web_ui is None:
            self.environment.runner.quit()
        else:
            self.environment.runner.stop()
