"""The service follows a topic, is killed in the middle, loses its broker, and has everything exactly in the end."""

from __future__ import annotations

import json
import random
import re
import signal
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.servers.kafka.broker import Broker
from tests.servers.kafka.topics import Message, Topic
from tests.service import shop
from tests.service.launch import Service, refused, running

OPTIONS = ("--dataset", "shop", "--config", "service.yaml", "--data", "data")
IDS, MESSAGES = 1500, 5000
BROKEN: tuple[Any, ...] = (
    b"{",
    b"\xff",
    [1],
    shop.document(price="1"),
    shop.document(stock=None),
    {"id": "other"},
)


def messages(rng: random.Random, count: int) -> list[Message]:
    """Listings put again and again, removed, and put in wrong ways."""
    found: list[Message] = []
    for place in range(count):
        key, kind = f"k{rng.randrange(IDS)}", rng.random()
        if kind < 0.05:
            found.append((key, rng.choice(BROKEN)))
        elif kind < 0.1:
            found.append((key, None))
        else:
            vector = [rng.gauss(0, 1) for _ in range(shop.DIM)]
            found.append((key, shop.document(price=float(place), brand="Kafka", vector=vector)))
    return found


def expected(sent: list[Message]) -> dict[Any, float]:
    """The price of each listing once all of it is written."""
    prices: dict[Any, float] = {}
    for key, value in sent:
        if value is None:
            prices.pop(key, None)
        elif not _is_broken(value):
            prices[key] = value["price"]
    return prices


def _is_broken(value: Any) -> bool:
    return any(value is one for one in BROKEN)


def figures(service: Service) -> dict[str, float]:
    """What /metrics tells of ingestion."""
    text = service.ask("GET", "/metrics").body
    lines = re.findall(r"^(bakeoff_ingest\S*) (\S+)$", text, re.MULTILINE)
    return {name: float(value) for name, value in lines}


def lag(service: Service) -> float:
    found = [
        value for name, value in figures(service).items() if name.startswith("bakeoff_ingest_lag_records")
    ]
    return sum(found) if len(found) == 2 else float("inf")


def until(true: Callable[[], object], service: Service) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, service.said[-10:]
        time.sleep(0.01)


def stored(folder: Path) -> Mapping[str, float]:
    with closing(sqlite3.connect(folder / "data/catalogue.sqlite")) as catalogue:
        columns = "id, json_extract(attributes, '$.price')"
        sql = f"select {columns} from catalogue_listings where id like 'k%' and not removed"
        return dict(catalogue.execute(sql).fetchall())


@pytest.fixture
def folder(tmp_path: Path, broker: Broker) -> Path:
    shop.write(tmp_path)
    kafka = f"{{servers: '{broker.servers}', topic: listings, batch: 100, sasl_plain_password: swordfish}}"
    with (tmp_path / "service.yaml").open("a") as file:
        file.write(f"ingest: {{kafka: {kafka}, dead_letters: letters.ndjson}}\n")
    return tmp_path


def test_everything_arrives_though_service_and_broker_die(folder: Path, broker: Broker) -> None:
    rng, topic = random.Random(7), Topic(broker.servers, "listings")
    topic.create()
    sent = messages(rng, MESSAGES // 2)
    topic.send(sent)
    with running(folder, *OPTIONS) as service:
        until(lambda: len(stored(folder)) > IDS // 4, service)
        service.process.send_signal(signal.SIGKILL)
        assert service.process.wait(30) == -signal.SIGKILL
    assert 0 < len(stored(folder)) < len(expected(sent))
    with running(folder, *OPTIONS) as service:
        broker.stop(kill=True)
        until(lambda: figures(service)["bakeoff_ingest_up"] == 0, service)
        assert figures(service)["bakeoff_ingest_failures_total"] > 0
        assert service.ask("POST", "/v1/recommendations", {"vector": [1.0] * shop.DIM}).status == 200
        broker.start()
        more = messages(rng, MESSAGES // 2)
        topic.send(more)
        sent += more
        until(lambda: lag(service) == 0, service)
        assert stored(folder) == expected(sent)
        bad = {place for (_, value), place in zip(sent, topic.sent, strict=True) if _is_broken(value)}
        letters = [json.loads(line) for line in (folder / "letters.ndjson").read_text().splitlines()]
        assert {(one["partition"], one["offset"]) for one in letters} == bad
        told = figures(service)
        assert told["bakeoff_ingest_up"] == 1
        until(lambda: searchable(service) == told['bakeoff_ingested_total{outcome="written"}'], service)
        assert service.ask("POST", "/v1/index:check").body["compared"] == len(expected(sent)) + shop.ROWS
        assert not [line for line in service.said if "swordfish" in line]
        assert service.stop() == 0
    assert topic.committed("bakeoff") == topic.ends


def searchable(service: Service) -> float:
    return figures(service)["bakeoff_ingest_searchable_seconds_count"]


def test_settings_that_cannot_be_end_the_start(tmp_path: Path) -> None:
    shop.write(tmp_path)
    with (tmp_path / "service.yaml").open("a") as file:
        file.write("ingest: {kafka: {topic: listings}}\n")
    code, errors = refused(tmp_path, *OPTIONS)
    assert code == 104
    assert "ingest.kafka.servers: are missing" in errors[0]
