"""What a load asks, and how it checks answers."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engines.base import FieldKind
from engines.filters import matches
from engines.values.columns import column_of
from engines.values.filter_syntax import parse
from harness.soak.load.checking import Judged, Sales, meets
from harness.soak.load.counting import count
from harness.soak.load.learning import Example, Learned, LearningError, learn
from harness.soak.load.plan import KINDS, Plan, schedule
from harness.soak.load.requests import Requests
from harness.soak.load.samples import CUT, from_bytes, rows

PLAN = Plan("load", reads_per_s=40, writes_per_s=10, seconds=20, seed=3)
MS = 1_000_000


def row(due: int, outcome: int = 0) -> tuple[int, ...]:
    return (due, due, due, 0, outcome, 200, 0, 0, 0, 0, -1, 0)


def test_the_parts_of_a_schedule_are_the_whole() -> None:
    whole = schedule(PLAN)
    parts = [schedule(PLAN).part(place, 3) for place in range(3)]
    assert np.array_equal(np.sort(np.concatenate([part.due_ns for part in parts])), whole.due_ns)
    assert sum(map(len, parts)) == len(whole)
    assert whole.due_ns.max() < 20e9
    writes = np.isin(whole.kind, [KINDS.index("put"), KINDS.index("remove")]).sum()
    assert 100 < writes < 300 < len(whole) - writes
    assert len(schedule(replace(PLAN, writes_per_s=0))) < len(whole)


def test_plans_that_cannot_be() -> None:
    assert PLAN.problems() == []
    wrong = replace(PLAN, reads_per_s=float("nan"), writes_per_s=-1, seconds=0, k=0)
    assert [line.split()[0] for line in wrong.problems()] == ["reads", "writes", "reads", "seconds", "k"]
    endless = replace(PLAN, reads_per_s=float("inf"), seconds=float("inf"), seed=-1)
    assert [line.split()[0] for line in endless.problems()] == ["reads", "seconds", "seed"]


def test_rows_that_are_missing_are_counted() -> None:
    due = schedule(PLAN).due_ns.tolist()
    sent = rows([row(at) for at in due[:-5]])
    whole = count(PLAN, [sent, rows([row(at, CUT) for at in due[-5:-2]])], not_sent=2)
    assert (whole["due"], whole["answered"], whole["cut"], whole["lost_rows"]) == (
        len(due),
        len(due) - 5,
        3,
        0,
    )
    assert count(PLAN, [sent], not_sent=2)["lost_rows"] == 3
    assert np.array_equal(from_bytes(sent.tobytes()), sent)


def test_what_was_sold_may_not_be_served_after_the_grace() -> None:
    sales = Sales(grace_ns=100 * MS)
    sales.sold(7, "load-0-7", 1000 * MS)
    hits: list[dict[str, Any]] = [{"id": "load-0-7", "attributes": {}}, {"id": "load-0-8", "attributes": {}}]

    def judged(sent_ms: int, done_ms: int) -> Judged:
        return sales.judge(hits, {}, sent_ms * MS, done_ms * MS)

    assert judged(990, 1100) == (2, 0, 0, 0)
    assert judged(1100, 1101) == (2, 0, 1, 0)
    assert judged(1101, 1102) == (2, 1, 0, 0)


@pytest.mark.parametrize(
    "where",
    [
        {"brand": "a"},
        {"price": {"lte": 5.0}},
        {"price": {"gte": 5.0}},
        {"brand": "b", "price": {"gt": 2, "lt": 5}},
        {"colours": "red"},
        {"colours": {"exists": False}},
        {"price": {"exists": False}},
        {"price": {"lt": 9}, "brand": "a"},
        {"price": 5.0},
        {},
    ],
)
def test_filters_mean_what_they_mean_to_engines(where: dict[str, Any]) -> None:
    held = {
        "brand": ["a", "a", "b", "b", "a"],
        "price": [4.0, 5.0, 5.0, 3.0, None],
        "colours": [["red", "blue"], [], ["blue"], ["red"], []],
    }
    kinds: dict[str, FieldKind] = {"brand": "keyword", "price": "float", "colours": "tags"}
    columns = {name: column_of(values, kinds[name]) for name, values in held.items()}
    listings = [dict(zip(held, row, strict=True)) for row in zip(*held.values(), strict=True)]
    found = [meets(listing, where) for listing in listings]
    assert found == matches(parse(where), columns, len(listings)).tolist()
    assert meets({}, where) == (not where or {"exists": False} in where.values())


COLOURS: list[list[str]] = [["red", "blue"], [], ["red"], [], ["é"]]
SIZES = [38, None, None, 40, 0]


def learned(texts: tuple[str, ...] = ("title",)) -> Learned:
    rng = np.random.default_rng(0)
    examples = tuple(
        Example(
            f"old/{place}",
            {"brand": f"b{place}", "price": float(place), "colours": COLOURS[place], "size": SIZES[place]},
            {"title": f"coat {place}"},
            vector,
        )
        for place, vector in enumerate(rng.standard_normal((5, 4)).astype(np.float32))
    )
    kinds = {"brand": "keyword", "price": "float", "colours": "tags", "size": "integer"}
    return Learned({}, kinds, texts, examples)


def test_requests_of_each_kind() -> None:
    sales = Sales(0)
    requests = Requests(PLAN, 1, learned(), sales, json.dumps)
    recommend, similar, search, put, remove = range(len(KINDS))
    first = requests.make(remove)  # nothing is on sale
    assert (first.method, KINDS[first.kind], first.listing) == ("PUT", "put", 0)
    assert first.path == "/v1/listings/load-1-0?wait=searchable"
    assert set(first.body) == {"brand", "price", "colours", "size", "title", "vector"}
    assert requests.make(put).listing == 1
    sales.on_sale.append(0)
    sold = requests.make(remove)
    assert (sold.method, sold.path, sold.body) == ("DELETE", first.path, None)
    assert not sales.on_sale
    sales.sold(0, requests.id(0), 0)
    asked = [requests.make(recommend) for _ in range(40)]
    # Half of the questions are asked where the sold listing was; whoever is near meets the filter.
    assert 5 < sum(one.body["vector"] == first.body["vector"] for one in asked) < 35
    assert {name for one in asked for name in one.where} == {"brand", "price", "colours", "size"}
    near = requests.learned.examples
    assert all(any(meets(one.attributes, question.where) for one in near) for question in asked)
    assert not any(value in (None, []) for one in asked for value in one.where.values())
    assert "/v1/listings/old%2F" in requests.make(similar).path
    assert requests.make(search).body["text"]
    without = Requests(PLAN, 1, learned(texts=()), sales, json.dumps).make(search)
    assert KINDS[without.kind] == "similar"


def test_what_keeps_a_service_from_being_put_under_load() -> None:
    def refusing(method: str, path: str, body: Any) -> tuple[int, Any]:
        return 401, {"detail": "no key"}

    def empty(method: str, path: str, body: Any) -> tuple[int, Any]:
        return 200, {"hits": [], "fields": {}, "texts": []}

    with pytest.raises(LearningError, match="answered 401: no key; give a key"):
        learn(refusing)
    with pytest.raises(LearningError, match="holds no listings"):
        learn(empty)


def test_a_service_that_is_slow_for_a_moment_is_asked_again() -> None:
    tries: list[str] = []

    def slow(method: str, path: str, body: Any) -> tuple[int, Any]:
        tries.append(path)
        if tries.count(path) == 1:
            return 504, {"detail": "no time"}
        about = {"fields": {"price": "float"}, "texts": []}
        listing = {"id": "a", "attributes": {"price": 1.0}, "details": {}, "vector": [1.0, 0.0]}
        return 200, {"/v1/service": about, "/v1/recommendations": {"hits": [listing]}}.get(path, listing)

    assert [one.id for one in learn(slow).examples] == ["a"]
    with pytest.raises(LearningError, match="answered 503"):
        learn(lambda method, path, body: (503, {"detail": "busy"}))
