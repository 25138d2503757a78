"""What a load does beside queries, writes and deletions: items fetched by id, hybrid queries."""

from __future__ import annotations

import numpy as np
import pytest

from engines.abilities import Lookup
from engines.base import Batch, Field, Schema
from engines.columns import Keywords
from engines.filters import Eq
from harness.load.closed_loop import closed_loop
from harness.load.operations import Get, HybridQuery, Operations, Upsert
from tests.conformance.model import make_batch
from tests.conformance.subjects import Subject

SCHEMA = Schema(4, "l2", (Field("writer", "keyword"), Field("round", "integer")))


def written(writer: int, turn: int, ids: np.ndarray) -> Batch:
    rng = np.random.default_rng([writer, turn])
    vectors = rng.integers(-9, 10, (len(ids), 4))
    return make_batch(SCHEMA, ids, vectors, {"writer": [f"w{writer}"] * len(ids), "round": [turn] * len(ids)})


@pytest.mark.ability("lookup")
def test_items_are_fetched_by_id_as_they_were_last_written(subject: Subject) -> None:
    engine = subject.created(SCHEMA)
    assert isinstance(engine, Lookup)
    if not engine.capabilities.lookup:
        pytest.skip("with these parameters the engine does not declare it")
    engine.index(written(0, 0, np.arange(30)))
    engine.index(written(1, 1, np.arange(10, 20)))
    engine.delete(np.array([5, 15]))
    engine.refresh()
    asked = np.array([15, 12, 29, 5, 12, 1000, 0])
    found = engine.get(asked)
    assert found.ids.tolist() == [12, 29, 0]
    first, second = written(0, 0, np.arange(30)), written(1, 1, np.arange(10, 20))
    expected = np.array([second.vectors[2], first.vectors[29], first.vectors[0]])
    np.testing.assert_array_equal(found.vectors, expected)
    writer, turn = found.attributes["writer"], found.attributes["round"]
    assert isinstance(writer, Keywords) and writer.decode() == ["w1", "w0", "w0"]
    assert not isinstance(turn, Keywords) and turn.tolist() == [1, 0, 0]
    assert len(engine.get(np.zeros(0, dtype=np.int64))) == 0
    operations = Operations(
        (Get(0, asked), Upsert(0, written(2, 2, np.array([5]))), Get(1, np.array([5]))), 3
    )
    samples = closed_loop(engine, operations, duration_s=60)
    assert samples.errors == {}
    assert samples.ids.tolist() == [[12, 29, 0], [-1] * 3, [5, -1, -1]]
    engine.close()


@pytest.mark.once_per_engine
@pytest.mark.ability("text")
def test_a_hybrid_query_finds_what_is_near_and_what_has_the_words(subject: Subject) -> None:
    schema = Schema(4, "l2", (Field("kind", "keyword"),), text="title")
    engine = subject.created(schema)
    vectors = np.random.default_rng(5).integers(20, 40, (60, 4)).astype(np.float32)
    titles = ["plain thing"] * 60
    vectors[7], vectors[8] = 0, 1  # near the query
    titles[7] = titles[30] = "scarlet sandal"
    kinds = ["a" if row != 8 else "b" for row in range(60)]
    attributes = {"kind": Keywords.encode(kinds), "title": Keywords.encode(titles)}
    engine.index(Batch(np.arange(60, dtype=np.int64), vectors, attributes))
    engine.refresh()
    query = HybridQuery(0, np.zeros(4, np.float32), "sandal scarlet")
    filtered = HybridQuery(1, np.zeros(4, np.float32), "sandal scarlet", Eq("kind", "a"))
    samples = closed_loop(engine, Operations((query, filtered), 3), duration_s=60)
    assert samples.errors == {}
    assert samples.ids[0, 0] == 7  # the first of both rankings
    assert set(samples.ids[0].tolist()) == {7, 8, 30}
    assert samples.ids[1, 0] == 7
    assert 30 in samples.ids[1]
    assert 8 not in samples.ids[1]
    engine.close()
