"""Load on the retrieval service, from one machine or several: `locust -f locustfile.py --host http://127.0.0.1:8080`.

An open loop. Every request has a due time in a schedule that is computed from the seed before the load begins; Locust's
users are the connections that requests are sent over, whichever is free takes the next. A request that is late because
all were busy counts from when it was due, in Locust's own figures as well. With workers each has its part of the
schedule. The master collects a row for each request; what was due and has none is told. docs/service.md says how to
use it.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gevent
from gevent.event import Event
from geventhttpclient import HTTPClient
from locust import User, events, task
from locust.runners import MasterRunner, WorkerRunner

from harness.soak.load.checking import Judged, Sales
from harness.soak.load.counting import count
from harness.soak.load.learning import LearningError, learn
from harness.soak.load.plan import KINDS, WRITES, Plan, schedule
from harness.soak.load.recording import write_load
from harness.soak.load.requests import Request, Requests
from harness.soak.load.samples import (
    ANSWERED,
    CUT,
    FALLBACK,
    LATE,
    LOST,
    REFUSED,
    WRONG,
    from_bytes,
    rows,
)

log = logging.getLogger("load")
PLAN, SAMPLES, FAILED = "load_plan", "load_samples", "load_failed"  # messages between master and workers
SEND_EVERY_S, START_AFTER_S, END_WITHIN_S = 1.0, 0.5, 30.0


class Client:
    """One connection to the service."""

    def __init__(self, host: str, key: str, timeout_s: float) -> None:
        self._headers = {"content-type": "application/json"}
        if key:
            self._headers["authorization"] = f"Bearer {key}"
        self._http = HTTPClient.from_url(
            host, concurrency=1, connection_timeout=timeout_s, network_timeout=timeout_s
        )

    def ask(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Status and JSON of the answer. Raises OSError and what the HTTP client raises; ValueError for no JSON."""
        content = b"" if body is None else json.dumps(body).encode()
        answer = self._http.request(method, path, content, self._headers)
        return answer.status_code, json.loads(answer.read())

    def close(self) -> None:
        self._http.close()


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


class Shopper(User):
    """A connection. Who asks is in the requests, not here."""

    def on_start(self) -> None:
        options = self.environment.parsed_options
        self.client = Client(self.environment.host, options.key, options.timeout)

    @task
    def next(self) -> None:
        self.environment.generator.one(self.client)

    def on_stop(self) -> None:
        self.client.close()


@events.init_command_line_parser.add_listener
def options(parser: Any) -> None:
    """What can be set on the command line and on Locust's page, which by itself only this machine can open."""
    parser.set_defaults(num_users=64, spawn_rate=64, web_host="127.0.0.1")
    for name, kind, default, about in (
        ("reads", float, 50.0, "questions a second, of all workers together"),
        ("writes", float, 50.0, "listings put and removed a second, of all workers together"),
        ("seconds", float, 60.0, "how long requests are due"),
        ("hits", int, 10, "how many hits a question asks for"),
        ("seed", int, 0, "of the schedule and of what is asked"),
        ("timeout", float, 10.0, "seconds after which an answer is given up"),
    ):
        parser.add_argument(f"--{name}", type=kind, default=default, help=about)
    parser.add_argument("--out", default="", help="folder for samples.parquet and load.json, on the master")
    parser.add_argument(
        "--key", default="", env_var="BAKEOFF_SERVICE_KEY", is_secret=True, help="API key: read and write"
    )


@events.init.add_listener
def on_init(environment: Any, **_: Any) -> None:
    """Every process generates load, except a master, and every process collects it, except a worker."""
    runner = environment.runner
    if not isinstance(runner, MasterRunner):
        environment.generator = generator = Generator(environment)
        environment.events.spawning_complete.add_listener(lambda **_: generator.start())
        environment.events.test_stop.add_listener(lambda **_: generator.end())
    if isinstance(runner, WorkerRunner):
        runner.register_message(PLAN, _on_plan)
        return
    environment.collector = collector = Collector(environment)
    runner.register_message(SAMPLES, lambda environment, msg, **_: collector.receive(msg.data))
    runner.register_message(FAILED, lambda environment, msg, **_: _give_up(environment, msg.data))
    environment.events.test_start.add_listener(_on_start)
    environment.events.test_stop.add_listener(lambda **_: collector.finish())


def _on_start(environment: Any, **_: Any) -> None:
    options, runner = environment.parsed_options, environment.runner
    # No other load's listings are taken for this one's.
    name = f"load-{time.time_ns() // 1_000_000:x}"
    plan = Plan(name, options.reads, options.writes, options.seconds, options.seed, options.hits)
    workers = [one.id for one in runner.clients.ready] if isinstance(runner, MasterRunner) else ["local"]
    problems = plan.problems() or ([] if environment.host else ["--host is missing"])
    if problems:
        _give_up(environment, "; ".join(problems))
        return
    environment.collector.begin(plan, len(workers))
    gevent.spawn(environment.collector.watch)
    values = {part: getattr(plan, part) for part in plan.__slots__}
    for place, worker in enumerate(workers):
        client = (environment.host, options.key, options.timeout)
        data = {"plan": values, "place": place, "of": len(workers), "client": client}
        if worker == "local":
            _prepare(environment, data, lambda text: _give_up(environment, text))
        else:
            runner.send_message(PLAN, data, worker)


def _on_plan(environment: Any, msg: Any, **_: Any) -> None:
    _prepare(environment, msg.data, lambda text: environment.runner.send_message(FAILED, text))


def _prepare(environment: Any, data: Mapping[str, Any], failed: Any) -> None:
    try:
        environment.generator.begin(Plan(**data["plan"]), data["place"], data["of"], Client(*data["client"]))
    except (LearningError, OSError, ValueError, KeyError) as error:
        failed(f"{data['client'][0]}: {error}")


def _give_up(environment: Any, text: str) -> None:
    log.error("no load: %s", text)
    environment.collector.plan = None
    environment.process_exit_code = 1
    gevent.spawn(environment.runner.quit if environment.web_ui is None else environment.runner.stop)
