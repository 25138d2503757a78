"""Sends requests when they are due, over whichever connection is free."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import gevent
from gevent.event import Event

from harness.soak.load.checking import Judged, Sales
from harness.soak.load.learning import learn
from harness.soak.load.plan import KINDS, WRITES, Plan, schedule
from harness.soak.load.requests import Request, Requests
from harness.soak.load.samples import ANSWERED, CUT, FALLBACK, LATE, LOST, REFUSED, WRONG, rows
from harness.soak.sending.client import Client

SAMPLES = "load_samples"  # the message by which rows reach who collects them
SEND_EVERY_S, START_AFTER_S = 1.0, 0.5


class Generator:
    """Sends the part of the schedule that is this process' own, and reports a row for each request."""

    def __init__(self, environment: Any) -> None:
        self.environment = environment
        self.go = Event()  # all users are there
        self.finished = Event()
        self._start_ns = 0
        self._due: Any = None
        self._next = self._sent = self._under_way = 0
        self._rows: list[tuple[int, ...]] = []

    def begin(self, plan: Plan, place: int, of: int, client: Client) -> None:
        """Asks the service what it holds, and prepares everything else. Raises LearningError, OSError."""
        self._due = None
        try:
            learned = learn(client.ask)
        finally:
            client.close()
        self.sales = Sales(int(plan.grace_s * 1e9))
        self.requests = Requests(plan, place, learned, self.sales, json.dumps)
        self.place, self._due = place, schedule(plan).part(place, of)
        self._next = self._sent = 0
        self._rows = []
        self.go.clear()
        self.finished.clear()
        self._start_ns = 0
        gevent.spawn(self._report)

    def start(self) -> None:
        """All users have been started; from now on requests are due."""
        if not self._start_ns and self._due is not None:
            self._start_ns = time.perf_counter_ns() + int(START_AFTER_S * 1e9)
            self.go.set()

    def one(self, client: Client) -> None:
        """Waits until the next request is due, and sends it. At the end of the schedule waits to be ended."""
        self.go.wait()
        at = self._next
        if at >= len(self._due):
            Event().wait()  # Locust ends its users when it ends the load
        self._next = at + 1
        due_ns = int(self._due.due_ns[at])
        self._under_way += 1
        try:
            gevent.sleep(max(0.0, (self._start_ns + due_ns - time.perf_counter_ns()) / 1e9))
            request = self.requests.make(int(self._due.kind[at]))
            self._sent += 1
            self._send(client, request, due_ns)
        finally:
            self._under_way -= 1

    def _now_ns(self) -> int:
        return time.perf_counter_ns() - self._start_ns

    def _send(self, client: Client, request: Request, due_ns: int) -> None:
        status, outcome, judged, problem = 0, CUT, Judged(0, 0, 0, 0), ""
        sent_ns = self._now_ns()
        try:
            status, answer = client.ask(request.method, request.path, request.body)
            done_ns = self._now_ns()
            outcome, problem = self._outcome(request, status, answer)
            if status == 200 and KINDS[request.kind] not in WRITES:
                judged = self.sales.judge(answer["hits"], request.where, sent_ns, done_ns)
            elif status == 200 and answer["searchable"]:
                self._written(request, done_ns)
        except (ValueError, KeyError, TypeError) as error:
            outcome, problem, done_ns = WRONG, f"not an answer: {error!r}", self._now_ns()
        except Exception as error:  # noqa: BLE001 - of many kinds, all of which mean that nobody answered
            outcome, problem, done_ns = LOST, repr(error), self._now_ns()
        finally:
            if outcome == CUT:  # what ends a user's greenlet is no Exception
                problem, done_ns = "the load was ended", self._now_ns()
            listing = request.listing
            self._rows.append(
                (due_ns, sent_ns, done_ns, request.kind, outcome, status, *judged, listing, self.place)
            )
        if judged.stale or judged.unmet:
            problem = f"{judged.stale} hits were sold, {judged.unmet} outside the filter"
        self.environment.events.request.fire(
            request_type=request.method,
            name=KINDS[request.kind],
            response_time=(done_ns - due_ns) / 1e6,  # from when it was due
            response_length=judged.hits,
            exception=RuntimeError(problem) if problem else None,
            context={},
        )

    def _outcome(self, request: Request, status: int, answer: Mapping[str, Any]) -> tuple[int, str]:
        """What became of it, and what is wrong with that."""
        if status == 200:
            fallback = answer.get("fallback")
            return (FALLBACK, f"fallback: {fallback}") if fallback else (ANSWERED, "")
        if status == 202:
            return LATE, "not searchable in time"
        kinds = {429: REFUSED, 503: REFUSED, 504: LATE}
        return kinds.get(status, WRONG), f"{status}: {answer.get('title') or answer.get('detail')}"

    def _written(self, request: Request, done_ns: int) -> None:
        if KINDS[request.kind] == "put":
            self.sales.on_sale.append(request.listing)
        else:
            self.sales.sold(request.listing, self.requests.id(request.listing), done_ns)

    def _report(self) -> None:
        """Sends rows every second; the last ones once each request of this part has its row."""
        while not self.finished.is_set():
            gevent.sleep(SEND_EVERY_S)
            if self._next >= len(self._due) and not self._under_way:
                self.end()
            else:
                self._send_rows(last=False)

    def end(self) -> None:
        """The last rows, and how many requests were not sent. Does nothing the second time."""
        if self._due is not None and not self.finished.is_set():
            self.finished.set()
            self._send_rows(last=True)

    def _send_rows(self, *, last: bool) -> None:
        data, self._rows = rows(self._rows).tobytes(), []
        message = {"rows": data, "last": last, "not_sent": len(self._due) - self._sent, "worker": self.place}
        self.environment.runner.send_message(SAMPLES, message)
