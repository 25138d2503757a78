"""What a query returns: the right items, in the right form and order, whoever asks."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from select import select

import numpy as np
import pytest

from engines.abilities import Pipelined
from engines.base import Engine, EngineError, Field, Hits, Schema, UnsupportedError
from engines.filters import Filter, Range
from tests.conformance.model import Model, make_batch
from tests.conformance.subjects import Subject

ROWS, DIM = 1000, 16
# Of recall@10 with each engine's default search parameters over 1,000 vectors in 20 clusters (docs/engines.md).
RECALL_FLOOR = 0.95
FULL_RECALL_FLOOR = 0.985  # at k = 400, where a graph that is walked with 400 candidates finds nearly all


def filled(subject: Subject, metric: str, rows: int = ROWS) -> Model:
    schema = Schema(DIM, metric, (Field("price", "integer"),))  # type: ignore[arg-type]
    rng = np.random.default_rng(1)
    model = Model(schema, subject.created(schema))
    model.upsert(np.arange(rows), clustered(rng, rows), price=rng.integers(0, 100, rows).tolist())
    model.settle()
    return model


def clustered(rng: np.random.Generator, rows: int) -> np.ndarray:
    centres = np.random.default_rng(0).standard_normal((20, DIM))
    return (centres[rng.integers(0, 20, rows)] + 0.3 * rng.standard_normal((rows, DIM))).astype(np.float32)


def queries(count: int = 20) -> np.ndarray:
    return clustered(np.random.default_rng(2), count)


@pytest.mark.parametrize("metric", ["l2", "ip", "cosine"])
def test_metrics(subject: Subject, metric: str) -> None:
    model = filled(subject, metric)
    try:
        for where in (None, Range("price", lt=50)):
            assert model.recall(queries(), 10, where) >= RECALL_FLOOR
            if model.engine.capabilities.exact:
                assert model.recall(queries(), 10, where, exact=True) == 1.0
    finally:
        model.engine.close()


@pytest.fixture(scope="module")
def model(shared_subject: Subject) -> Iterator[Model]:
    model = filled(shared_subject, "l2")
    yield model
    model.engine.close()


def test_k_above_the_default_effort_is_answered_in_full(model: Model) -> None:
    """The default effort is 64 candidates; every engine raises it to k, so that all are asked for the same."""
    assert len(model.engine.query(queries()[0], 400).ids) == 400
    assert model.recall(queries(5), 400) >= FULL_RECALL_FLOOR


def test_selective_filters_keep_their_recall(model: Model) -> None:
    assert model.recall(queries(), 10, Range("price", lt=2)) >= RECALL_FLOOR


def test_a_query_may_be_a_view(model: Model) -> None:
    """A column of a matrix, say, whose numbers do not lie side by side."""
    for query in queries(5):
        view = np.repeat(query, 3)[::3]
        assert not view.flags.c_contiguous
        assert list(model.engine.query(view, 10).ids) == list(model.engine.query(query, 10).ids)


def test_exact_mode_is_there_or_refused(model: Model) -> None:
    if model.engine.capabilities.exact:
        assert len(model.engine.query(queries()[0], 5, exact=True).ids) == 5
    else:
        with pytest.raises(UnsupportedError, match=r"exact"):
            model.engine.query(queries()[0], 5, exact=True)


def test_k_beyond_the_number_of_items(subject: Subject) -> None:
    model = filled(subject, "l2", rows=30)
    try:
        assert len(model.engine.query(queries()[0], 30).ids) == 30
        model.check_exact(queries(3), 100)
    finally:
        model.engine.close()


@pytest.mark.ability("pipelined")
def test_answers_of_queries_in_flight_belong_to_their_tokens(model: Model) -> None:
    engine = model.engine
    if not engine.capabilities.pipelined:
        pytest.skip("not with these index parameters")
    assert isinstance(engine, Pipelined)
    filters: list[Filter | None] = [None, Range("price", lt=50), Range("price", lt=0)]
    asked = {token: (query, filters[token % 3]) for token, query in enumerate(queries(60), start=500)}

    def waited_for() -> dict[int, list[int]]:
        return {token: answer(engine.query(query, 10, where))[0] for token, (query, where) in asked.items()}

    before = waited_for()
    for token, (query, where) in asked.items():
        engine.submit(token, query, 10, where)
    with pytest.raises(EngineError, match="NaN or an infinite number"):
        engine.submit(1, np.full(DIM, np.nan, np.float32), 10)
    answers: dict[int, list[int]] = {}
    while len(answers) < len(asked):
        assert select([engine], [], [], 30)[0], "an answer never came"
        for token, hits in engine.collect():
            assert not isinstance(hits, Exception), hits
            assert token in asked.keys() - answers.keys()
            answers[token] = [int(id_) for id_ in hits.ids]
    assert not engine.collect()
    after = waited_for()  # a server may still have something to finish, and then answers otherwise
    for token, found in answers.items():
        assert found in (before[token], after[token])


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused(model: Model, broken: float) -> None:
    query = queries()[0].copy()
    query[DIM // 2] = broken
    for where in (None, Range("price", lt=50)):
        with pytest.raises(EngineError, match="NaN or an infinite number"):
            model.engine.query(query, 5, where)
    if model.engine.capabilities.exact:
        with pytest.raises(EngineError, match="NaN or an infinite number"):
            model.engine.query(query, 5, exact=True)
    wrong = make_batch(model.schema, [5000, 5001], [queries()[0], query], {"price": [1, 2]})
    with pytest.raises(EngineError, match="item 5001 holds NaN or an infinite number"):
        model.engine.index(wrong)
    assert model.engine.count() == ROWS


@pytest.mark.parametrize("metric", ["l2", "ip", "cosine"])
def test_duplicates_and_ties(subject: Subject, metric: str) -> None:
    schema = Schema(2, metric)  # type: ignore[arg-type]
    model = Model(schema, subject.created(schema))
    nowhere = [0.5, 0.5] if subject.variant.directed and metric == "cosine" else [0, 0]
    corners = [[1, 0], [0, 1], [-1, 0], [0, -1], [2, 2], [2, 2], [2, 2], nowhere]
    model.upsert(range(40), corners * 5)
    model.settle()
    try:
        for k in (1, 3, 4, 7, 40):
            model.check_exact(np.array([nowhere, [1, 1], [2, 2], [3, -1]], dtype=np.float32), k)
    finally:
        model.engine.close()


def test_an_empty_collection_finds_nothing(subject: Subject) -> None:
    schema = Schema(4, "l2", (Field("price", "integer"),))
    model = Model(schema, subject.created(schema))
    try:
        for _ in range(2):
            model.settle()
            for where in (None, Range("price", gte=0)):
                assert len(model.engine.query(np.ones(4, np.float32), 5, where).ids) == 0
            model.upsert([1, 2], np.ones((2, 4)), price=[1, 2])
            model.settle()
            assert len(model.engine.query(np.ones(4, np.float32), 5).ids) == 2
            model.delete([1, 2])
    finally:
        model.engine.close()


def test_nothing_given_is_changed(subject: Subject) -> None:
    schema = Schema(4, "cosine", (Field("brand", "keyword"),))
    engine = subject.created(schema)
    model = Model(schema, engine)
    vectors = np.array([[3, 0, 0, 0], [0, 5, 0, 0]], dtype=np.float32)
    brand = {"brand": ["a", "b"]}
    model.upsert([4, 2], vectors, **brand)  # read-only arrays, so that writing to them would raise
    model.settle()
    query = np.array([7, 1, 0, 0], dtype=np.float32)
    query.setflags(write=False)
    hits = engine.query(query, 2)
    assert [int(id_) for id_ in hits.ids] == [4, 2]
    assert query.tolist() == [7, 1, 0, 0]
    engine.close()


def test_queries_from_two_threads_give_the_same_answers(model: Model, shared_subject: Subject) -> None:
    engine, asked = model.engine, queries(40)
    filters: list[Filter | None] = [None, Range("price", lt=50), Range("price", gte=98)]

    def ask(number: int) -> list[tuple[list[int], list[float]]]:
        return [answer(engine.query(asked[number], 10, where)) for where in filters]

    assert engine.capabilities.thread_safe
    alone = [ask(number) for number in range(len(asked))]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(ask, range(len(asked))))
    if shared_subject.variant.steady:
        assert together == alone
        return
    for answers in zip(together, alone, strict=True):
        for (mine, _), (same, _) in zip(*answers, strict=True):
            assert len(set(mine) & set(same)) >= 0.7 * len(
                same
            )  # another query's would have hardly any of them


def answer(hits: Hits) -> tuple[list[int], list[float]]:
    return [int(id_) for id_ in hits.ids], [float(score) for score in hits.scores]


@pytest.mark.once_per_engine
def test_the_version_is_known_without_opening_anything(subject: Subject) -> None:
    assert any(character.isdigit() for character in subject.kind.version())


@pytest.mark.once_per_engine
def test_the_engine_follows_the_protocol(subject: Subject) -> None:
    assert isinstance(subject.engine(), Engine)
