"""A topic followed: committed is what is durable, members share it, and what fails is tried again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from service.database.errors import StoreError
from service.ingestion.kafka.client import options_of
from service.ingestion.kafka.following import Following
from service.ingestion.kafka.running import Running
from service.settings.ingest import KafkaSettings
from tests.servers.kafka.broker import Broker
from tests.servers.kafka.topics import Topic
from tests.unit.service.ingestion.shop import Shop, document


@pytest.fixture
def topic(broker: Broker, request: pytest.FixtureRequest) -> Topic:
    created = Topic(broker.servers, request.node.name[:50].replace("[", "-").rstrip("]"))
    created.create()
    return created


@contextmanager
def following(topic: Topic, shop: Shop, **changes: Any) -> Iterator[Running]:
    settings = KafkaSettings(servers=(topic.servers,), topic=topic.name, group=topic.name, **changes)
    options = options_of(settings)
    assert options is not None
    options["heartbeat_interval_ms"] = 200  # by which members notice that another one has come
    seconds: list[int] = []
    member = Running(
        Following(settings, options, shop.pipeline, lambda _seq, made_ms: seconds.extend(made_ms)),
        shop.stopping,
    )
    member.start()
    try:
        yield member
    finally:
        member.stop()


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_messages_of_every_kind(topic: Topic, shop: Shop) -> None:
    topic.send(
        [
            ("a", document("a")),
            ("b", document("b", id=None)),
            (None, document("c")),
            ("d", document("d")),
            ("d", None),
            ("never", None),
            ("e", document("another")),
            ("f", b"{"),
            ("g", b"\xff"),
            (b"\xff", document("h", id=None)),
            ("i", b""),
            ("j", [1]),
            ("k", document("k", price="1")),
        ]
    )
    with following(topic, shop):
        until(lambda: shop.figures.read == 13)
    assert shop.prices().keys() == {"a", "b", "c"}
    assert shop.figures.outcomes == {"written": 5, "absent": 1, "invalid": 7}
    letters = {(one["partition"], one["offset"]): one for one in shop.dead}
    assert set(letters) == set(topic.sent[6:])
    fields = [letters[place]["problems"][0]["field"] for place in topic.sent[6:]]
    assert fields == ["id", "document", "document", "key", "document", "document", "price"]
    assert letters[topic.sent[-1]]["key"] == "k"
    assert letters[topic.sent[-1]]["document"]["price"] == "1"
    assert {one["source"] for one in shop.dead} == {topic.name}
    assert topic.committed(topic.name) == topic.ends


def test_the_marks_of_transactions_are_not_counted_as_waiting(topic: Topic, shop: Shop) -> None:
    topic.send([(f"a{place}", document(f"a{place}")) for place in range(10)], transaction="shop")
    with following(topic, shop):
        until(lambda: shop.figures.lag == {0: 0, 1: 0})
        assert shop.figures.read == 10


def test_what_could_not_be_written_is_not_committed(topic: Topic, tmp_path: Path) -> None:
    broken = True

    def fail() -> None:
        if broken:
            raise StoreError("the disk is full; free some space")

    shop = Shop(tmp_path, fail, endless=True)
    topic.send([(f"a{place}", document(f"a{place}")) for place in range(10)])
    with following(topic, shop):
        until(lambda: shop.figures.retries > 3)
        assert "the disk is full" in shop.figures.error
    assert {offset for offset in topic.committed(topic.name).values() if offset > 0} == set()
    broken = False
    shop.stopping.clear()
    with following(topic, shop):
        until(lambda: shop.figures.read == 10)
    assert (len(shop.prices()), shop.figures.error) == (10, "")
    assert topic.committed(topic.name) == topic.ends
    shop.catalogue.close()


def test_members_come_and_go_and_nothing_is_left_out(topic: Topic, shop: Shop, tmp_path: Path) -> None:
    rows, rounds = 300, 6
    (tmp_path / "other").mkdir()
    other = Shop(tmp_path / "other")
    other.store = shop.store  # one catalogue, as services on one PostgreSQL have

    def send(price: int) -> None:
        topic.send([(f"a{row}", document(f"a{row}", price=float(price))) for row in range(rows)])

    with closing(other.catalogue), following(topic, shop, batch=20):
        send(1)
        for price in range(2, rounds, 2):
            other.stopping.clear()
            with following(topic, other, batch=20):
                send(price)
                until(lambda: other.figures.lag)  # it has been given a partition
                send(price + 1)
        last = float(rounds)
        send(rounds)
        until(lambda: set(shop.prices().values()) == {last} and shop.figures.lag == {0: 0, 1: 0})
    assert topic.committed(topic.name) == topic.ends
    assert len(shop.prices()) == rows
    assert other.figures.read > 0
    assert shop.figures.read + other.figures.read >= rows * rounds


def test_another_member_begins_after_the_batch_under_way(topic: Topic, tmp_path: Path) -> None:
    writing, go_on = Event(), Event()

    def wait() -> None:
        writing.set()
        go_on.wait(60)

    (tmp_path / "other").mkdir()
    first, other = Shop(tmp_path, wait), Shop(tmp_path / "other")
    topic.send([(f"a{place}", document(f"a{place}")) for place in range(100)])
    with closing(first.catalogue), closing(other.catalogue), following(topic, first, batch=10):
        writing.wait(60)
        with following(topic, other, batch=10):
            time.sleep(2)  # ten times as long as it takes to notice
            assert other.figures.read == 0
            go_on.set()
            until(lambda: first.figures.read + other.figures.read >= 100)
            until(lambda: topic.committed(topic.name) == topic.ends)
        assert other.figures.read > 0
        assert first.figures.read + other.figures.read == 100


def test_a_topic_that_is_not_there_yet_is_waited_for(broker: Broker, shop: Shop) -> None:
    topic = Topic(broker.servers, "later")
    with following(topic, shop):
        until(lambda: "there is no such topic" in shop.figures.source_error)
        topic.create()
        topic.send([("a", document("a"))])
        until(lambda: shop.prices() and not shop.figures.source_error)
    assert shop.figures.failures > 0
