"""Load on the retrieval service, from one machine or several: `locust -f locustfile.py --host http://127.0.0.1:8080`.

An open loop. Every request has a due time in a schedule that is computed from the seed before the load begins; Locust's
users are the connections that requests are sent over, whichever is free takes the next. A request that is late because
all were busy counts from when it was due, in Locust's own figures as well. With workers each has its part of the
schedule. The master collects a row for each request; what was due and has none is told. docs/service.md says how to
use it.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from typing import Any

import gevent
from locust import User, events, task
from locust.runners import MasterRunner, WorkerRunner

from harness.soak.load.learning import LearningError
from harness.soak.load.plan import Plan
from harness.soak.sending.client import Client
from harness.soak.sending.collector import Collector
from harness.soak.sending.generator import SAMPLES, Generator

log = logging.getLogger("load")
PLAN, FAILED = "load_plan", "load_failed"  # messages between master and workers


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
    if not 0 < options.timeout < math.inf:
        problems.append(f"timeout must be finite and above 0, got {options.timeout:g}")
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
