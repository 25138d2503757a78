"""Upserts, deletions, re-creation and reopening, each followed by a count."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from engines.base import Batch, EngineError, Field, Schema, UnsupportedError
from engines.filters import And, Eq, Filter, Not, Range
from tests.conformance.model import Model, make_batch
from tests.conformance.subjects import Subject

SCHEMA = Schema(
    4,
    "l2",
    (Field("brand", "keyword"), Field("price", "integer"), Field("rating", "float"), Field("new", "boolean")),
)
FILTERS: list[Filter | None] = [
    None,
    Eq("brand", "b1"),
    Range("price", lt=5),
    Range("rating", gte=0.5),
    And((Eq("new", True), Not(Eq("brand", "b2")))),
]


def columns(rng: np.random.Generator, rows: int) -> dict[str, list[object]]:
    return {
        "brand": [f"b{number}" for number in rng.integers(0, 4, rows)],
        "price": rng.integers(0, 10, rows).tolist(),
        "rating": rng.random(rows).tolist(),
        "new": (rng.random(rows) < 0.5).tolist(),
    }


def filled(subject: Subject, rows: int = 200) -> Model:
    rng = np.random.default_rng(3)
    model = Model(SCHEMA, subject.created(SCHEMA))
    model.upsert(np.arange(rows) * 3, rng.integers(-9, 10, (rows, 4)), **columns(rng, rows))
    model.settle()
    return model


def found(model: Model, vector: np.ndarray, k: int, where: Filter | None = None) -> list[int]:
    """Ids, in exact mode where there is one."""
    return [
        int(id_) for id_ in model.engine.query(vector, k, where, exact=model.engine.capabilities.exact).ids
    ]


def check(model: Model, k: int = 10) -> None:
    asked = np.random.default_rng(4).integers(-9, 10, (3, 4)).astype(np.float32)
    for where in FILTERS:
        model.check_exact(asked, k, where)


def test_deleted_items_are_gone(subject: Subject) -> None:
    model = filled(subject)
    model.delete([0, 3, 6, 6, 300, 598 * 3, 7, 10**12])  # some twice, some never there
    model.settle()
    check(model)
    model.delete([])
    model.delete([0, 3])
    model.settle()
    check(model)
    model.engine.close()


@pytest.mark.ability("immediate")
def test_writes_are_searchable_without_refresh_where_that_is_declared(subject: Subject) -> None:
    model = Model(SCHEMA, subject.created(SCHEMA))
    if not model.engine.capabilities.immediate:
        pytest.skip("with these parameters the engine does not declare it")
    rng = np.random.default_rng(4)
    for _ in range(2):  # while it is empty, and once it is settled
        for step in range(5):
            model.upsert([2 * step, 2 * step + 1], rng.integers(-9, 10, (2, 4)), **columns(rng, 2))
            check(model)
            model.delete([2 * step])
            check(model)
        model.settle()
    model.engine.close()


@pytest.mark.ability("thread_safe_writes")
@pytest.mark.once_per_engine
def test_threads_write_at_once_beside_queries(subject: Subject) -> None:
    """Each thread writes items of its own, the same ones again and again, and deletes every fifth of them."""
    model = Model(SCHEMA, subject.created(SCHEMA))

    def work(thread: int) -> list[tuple[Batch, list[int]]]:
        rng = np.random.default_rng(thread)
        done = []
        for _ in range(6):
            ids = thread * 1000 + rng.permutation(60)[:40]
            batch = make_batch(SCHEMA, ids, rng.integers(-9, 10, (40, 4)), columns(rng, 40))
            model.engine.index(batch)
            model.engine.query(np.zeros(4, np.float32), 5, FILTERS[1])
            gone = ids[:8].tolist()
            model.engine.delete(np.array(gone))
            done.append((batch, gone))
        return done

    for _ in range(2):  # while it is loaded, and once it is settled
        with ThreadPoolExecutor(6) as pool:
            written = list(pool.map(work, range(6)))
        for batch, gone in (entry for entries in written for entry in entries):
            model.remember(batch)
            for id_ in gone:
                model.items.pop(id_, None)
        model.settle()
        check(model)
    model.engine.close()


FLOATS = Schema(16, "l2", (Field("value", "float"),))


def with_floats(subject: Subject, values: list[float]) -> Model:
    """Enough items for a graph and for indexes in every engine, each with a value of its own."""
    model = Model(FLOATS, subject.created(FLOATS))
    rng = np.random.default_rng(8)
    model.upsert(np.arange(len(values)), rng.standard_normal((len(values), 16)), value=values)
    model.settle()
    return model


def check_filter(model: Model, where: Filter) -> None:
    hits = model.engine.query(np.zeros(16, np.float32), 20, where)
    assert {int(id_) for id_ in hits.ids} == model.matching(where), where


def test_floats_of_all_digits_are_found_by_their_own_values(subject: Subject) -> None:
    values = np.sort(np.random.default_rng(9).random(1200))
    model = with_floats(subject, values.tolist())
    for row in range(0, 1190, 17):
        first, last = float(values[row]), float(values[row + 3])
        check_filter(model, Eq("value", first))
        check_filter(model, Range("value", gte=first, lte=last))
        check_filter(model, Range("value", gt=first, lt=last))
    model.engine.close()


@pytest.mark.once_per_engine
def test_floats_that_differ_in_their_last_digit(subject: Subject) -> None:
    values = [0.1]
    for _ in range(9):
        values.append(float(np.nextafter(values[-1], 1)))
    model = with_floats(subject, values)
    for value in values:
        check_filter(model, Eq("value", value))
    model.engine.close()


def test_floats_of_extreme_magnitude(subject: Subject) -> None:
    values = (np.random.default_rng(7).random(60) * 10.0 ** np.linspace(-300, 300, 60)).tolist()
    model = with_floats(subject, values)
    for value in values:
        check_filter(model, Eq("value", value))
    model.engine.close()


def test_most_items_deleted(subject: Subject) -> None:
    model = filled(subject)
    model.delete(model.ids[:190].tolist())
    model.settle()
    check(model, k=10)
    check(model, k=20)
    model.engine.close()


def test_an_update_moves_an_item_into_and_out_of_a_filter(subject: Subject) -> None:
    model = filled(subject)
    where, here = Eq("brand", "only"), np.array([90, 90, 90, 90], dtype=np.float32)
    for brand, vector, expected in (("only", here, [30]), ("other", here, []), ("only", -here, [30])):
        model.upsert([30], [vector], brand=[brand], price=[1], rating=[0.1], new=[True])
        model.settle()
        assert found(model, here, 5, where) == expected
        check(model)
    assert 30 not in found(model, here, 5)  # the old vector is gone
    model.engine.close()


def test_of_an_id_twice_in_a_batch_the_later_row_wins(subject: Subject) -> None:
    model = filled(subject)
    model.upsert(
        [30, 1000, 30, 1000, 1000],
        np.arange(20).reshape(5, 4) + 50,
        brand=["x", "y", "z", "x", "y"],
        price=[1, 2, 3, 4, 5],
        rating=[0.1, 0.2, 0.3, 0.4, 0.5],
        new=[True, False, True, False, True],
    )
    model.settle()
    check(model)
    for brand, expected in (("x", []), ("y", [1000]), ("z", [30])):
        assert found(model, np.ones(4, np.float32), 5, Eq("brand", brand)) == expected
    model.engine.close()


def test_writes_of_many_rounds(subject: Subject) -> None:
    rng = np.random.default_rng(5)
    model = filled(subject, rows=100)
    for _ in range(4):
        rows = 40
        model.upsert(rng.integers(0, 400, rows), rng.integers(-9, 10, (rows, 4)), **columns(rng, rows))
        model.delete(rng.integers(0, 400, 20).tolist())
        model.upsert([2**40], rng.integers(-9, 10, (1, 4)), **columns(rng, 1))
        model.settle()
        check(model)
    model.engine.close()


def test_a_deleted_item_can_come_back(subject: Subject) -> None:
    model = filled(subject)
    model.delete([30])
    model.upsert([30], [[1, 2, 3, 4]], brand=["b1"], price=[1], rating=[0.9], new=[True])
    model.settle()
    assert found(model, np.array([1, 2, 3, 4], np.float32), 1) == [30]
    check(model)
    model.engine.close()


def test_creating_again_drops_everything(subject: Subject) -> None:
    model = filled(subject)
    other = Schema(3, "ip", (Field("colour", "keyword"),))
    model.engine.create(other)
    fresh = Model(other, model.engine)
    fresh.settle()
    fresh.upsert([5, 6], [[1, 0, 0], [0, 1, 0]], colour=["red", "blue"])
    fresh.settle()
    fresh.check_exact(np.eye(3, dtype=np.float32), 10, Eq("colour", "red"))
    fresh.engine.close()


def test_reopening_finds_everything(subject: Subject) -> None:
    model = filled(subject)
    model.delete([0, 3, 6])
    model.upsert([9, 1000], np.ones((2, 4)), **columns(np.random.default_rng(6), 2))  # not refreshed
    model.engine.close()
    model.engine.close()
    model.engine = subject.engine()
    if not model.engine.capabilities.persistent:
        with pytest.raises(UnsupportedError):
            model.engine.open(SCHEMA)
        return
    model.engine.open(SCHEMA)
    model.settle()
    check(model)
    model.upsert([9, 2000], np.full((2, 4), 7), **columns(np.random.default_rng(6), 2))
    model.delete([12])
    model.settle()
    check(model)
    told, server = model.engine.stats(), model.engine.capabilities.server
    assert (told.disk_bytes or 0) > 0 or (told.disk_bytes is None and server)  # not every server tells
    assert bool(told.server) == bool(told.query_path) == server
    model.engine.close()


@pytest.mark.once_per_engine
def test_opening_what_is_not_there_is_refused(subject: Subject) -> None:
    engine = subject.engine()
    with pytest.raises(EngineError):
        engine.open(SCHEMA)
    engine.close()


@pytest.mark.once_per_engine
def test_opening_with_another_schema_is_refused(subject: Subject) -> None:
    model = filled(subject, rows=20)
    model.engine.close()
    engine = subject.engine()
    with pytest.raises(EngineError):
        engine.open(Schema(4, "ip", SCHEMA.fields))
    engine.close()


@pytest.mark.once_per_engine
@pytest.mark.ability("persistent")
def test_a_collection_of_another_model_is_refused(subject: Subject) -> None:
    made, other = (replace(SCHEMA, model=f"two-tower@{number}#0123456789ab") for number in (1, 2))
    model = Model(made, subject.created(made))
    model.upsert([0, 3], np.eye(4)[:2], **columns(np.random.default_rng(6), 2))
    model.settle()
    model.engine.close()
    engine = subject.engine()
    for asked, told in ((other, f"model {other.model}"), (SCHEMA, "a model that is not named")):
        with pytest.raises(EngineError, match=rf"vectors of model {made.model}, not of {told}"):
            engine.open(asked)
    model.engine = subject.engine()
    model.engine.open(made)  # the one that it was made with
    model.settle()
    assert found(model, np.eye(4, dtype=np.float32)[1], 1) == [3]
    model.engine.close()


@pytest.mark.once_per_engine
@pytest.mark.ability("persistent")
def test_a_collection_knows_its_model_without_our_file(subject: Subject) -> None:
    """A server keeps it with the collection; what lies in a directory whose file is gone is opened by nobody."""
    made, other = (replace(SCHEMA, model=f"two-tower@{number}#0123456789ab") for number in (1, 2))
    model = Model(made, subject.created(made))
    model.upsert([0, 3], np.eye(4)[:2], **columns(np.random.default_rng(6), 2))
    model.settle()
    model.engine.close()
    (subject.path / "collection.json").unlink(missing_ok=True)
    engine = subject.engine()
    if not engine.capabilities.server:
        with pytest.raises(EngineError, match=f"does not say which model .* model {made.model}: create it"):
            engine.open(made)
        return
    with pytest.raises(EngineError, match=f"vectors of model {made.model}, not of model {other.model}"):
        engine.open(other)
    engine.open(made)
    assert engine.count() == 2
    engine.close()


@pytest.mark.once_per_engine
@pytest.mark.parametrize("dim", [3, 5])
def test_vectors_of_another_dimension_are_refused(subject: Subject, dim: int) -> None:
    model = filled(subject, rows=20)
    with pytest.raises(Exception, match=r"(?i)dim|shape"):
        model.engine.query(np.ones(dim, np.float32), 5)
    wrong = make_batch(
        Schema(dim, "l2", SCHEMA.fields), [1], np.ones((1, dim)), columns(np.random.default_rng(), 1)
    )
    with pytest.raises(Exception, match=r"(?i)dim|shape"):
        model.engine.index(wrong)
    model.settle()
    check(model)
    model.engine.close()


@pytest.mark.once_per_engine
def test_batches_beyond_the_engines_limit_are_split(subject: Subject) -> None:
    schema = Schema(4096, "l2", (Field("price", "integer"),))
    model = Model(schema, subject.created(schema))
    rows = 1100  # 18 MB of vectors
    vectors = np.random.default_rng(9).standard_normal((rows, 4096), dtype=np.float32)
    model.upsert(np.arange(rows), vectors, price=list(range(rows)))
    model.settle()
    for row in (0, 1023, 1099):
        assert found(model, vectors[row], 1) == [row]
    model.engine.close()
