from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.base import Batch, EngineError, Field, Schema
from engines.columns import Keywords, Tags, words_of
from engines.filters import Eq
from engines.values.columns import ColumnStore, normalized, prepared
from engines.values.growing import Growable

SCHEMA = Schema(2, "l2", (Field("brand", "keyword"), Field("price", "integer")))


def batch(ids: list[int], brands: list[str], prices: list[int]) -> Batch:
    columns: dict[str, Any] = {"brand": Keywords.encode(brands), "price": np.array(prices, dtype=np.int64)}
    return Batch(np.array(ids, dtype=np.int64), np.zeros((len(ids), 2), np.float32), columns)


def stored(store: ColumnStore) -> dict[int, tuple[str, int]]:
    live = store.select(None)
    rows = np.arange(len(store)) if live is None else np.flatnonzero(live)
    brand, price = store.columns["brand"][rows], store.columns["price"][rows]
    assert isinstance(brand, Keywords)
    return dict(zip(store.ids[rows].tolist(), zip(brand.decode(), price.tolist(), strict=True), strict=True))


@given(st.lists(st.lists(st.integers(), max_size=30), max_size=8))
def test_a_growable_holds_what_was_appended(parts: list[list[int]]) -> None:
    parts = [[number % 1000 for number in part] for part in parts]
    array = Growable(np.int64)
    for part in parts:
        array.append(np.array(part, dtype=np.int64))
    assert array.view.tolist() == [number for part in parts for number in part]


def test_a_growable_refuses_rows_of_another_width() -> None:
    with pytest.raises(ValueError, match=r"rows of shape \(1,\) do not fit into \(4,\)"):
        Growable(np.float32, 4).append(np.zeros((3, 1), np.float32))


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.dictionaries(
                st.integers(0, 12), st.tuples(st.sampled_from("abc\0é"), st.integers(0, 9)), max_size=8
            ),
            st.lists(st.integers(0, 12), max_size=4),
        ),
        max_size=6,
    )
)
def test_a_store_behaves_as_a_dictionary(
    tmp_path_factory: pytest.TempPathFactory, rounds: list[tuple[dict[int, tuple[str, int]], list[int]]]
) -> None:
    store, expected = ColumnStore(SCHEMA), dict[int, tuple[str, int]]()
    for written, deleted in rounds:
        store.append(batch(list(written), [w for w, _ in written.values()], [n for _, n in written.values()]))
        store.delete(np.array(deleted, dtype=np.int64))
        expected = {id_: row for id_, row in (expected | written).items() if id_ not in deleted}
    path = tmp_path_factory.mktemp("store")
    store.save(path)
    for candidate in (store, ColumnStore.load(path, SCHEMA)):
        assert stored(candidate) == expected
        assert candidate.count == len(expected)
        mask = candidate.select(Eq("brand", "a"))
        assert mask is not None
        assert set(candidate.ids[mask].tolist()) == {
            id_ for id_, (word, _) in expected.items() if word == "a"
        }
    reloaded = ColumnStore.load(path, SCHEMA)
    reloaded.append(batch([1, 99], ["a", "new"], [7, 8]))
    assert stored(reloaded) == expected | {1: ("a", 7), 99: ("new", 8)}


def test_a_batch_without_a_column_changes_nothing() -> None:
    store = ColumnStore(SCHEMA)
    with pytest.raises(KeyError, match="price"):
        store.append(Batch(np.array([1]), np.zeros((1, 2), np.float32), {"brand": Keywords.encode(["a"])}))
    assert (len(store), store.count) == (0, 0)


def test_a_mask_is_the_callers_own() -> None:
    store = ColumnStore(SCHEMA)
    store.append(batch([1, 2], ["a", "b"], [1, 2]))
    assert store.select(None) is None
    store.delete(np.array([1]))
    mask = store.select(None)
    assert mask is not None
    mask[:] = True
    assert stored(store) == {2: ("b", 2)}


def test_prepared_keeps_the_last_row_of_an_id() -> None:
    whole = batch([5, 3, 5, 4, 3], ["a", "b", "c", "d", "e"], [1, 2, 3, 4, 5])
    kept = prepared(whole, SCHEMA)
    brands = kept.attributes["brand"]
    assert isinstance(brands, Keywords)
    assert dict(zip(kept.ids.tolist(), brands.decode(), strict=True)) == {5: "c", 4: "d", 3: "e"}
    single = batch([1, 2], ["a", "b"], [1, 2])
    assert prepared(single, SCHEMA) is single


def test_prepared_refuses_another_dimension() -> None:
    with pytest.raises(EngineError, match="vectors of 3 dimensions in a collection of 2"):
        prepared(Batch(np.array([1]), np.zeros((1, 3), np.float32)), SCHEMA)


def test_a_batch_is_of_one_length() -> None:
    with pytest.raises(ValueError, match="a batch of 2 ids: vectors has 3, price has 1 rows"):
        Batch(np.arange(2), np.zeros((3, 2), np.float32), {"price": np.array([1])})


def test_unit_vectors() -> None:
    vectors = np.array([[3, 4], [0, 0], [-2, 0]], dtype=np.float32)
    scaled = normalized(vectors)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled, [[0.6, 0.8], [0, 0], [-1, 0]])
    np.testing.assert_allclose(normalized(vectors[0]), [0.6, 0.8])
    assert vectors[0].tolist() == [3, 4]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_keywords_come_back(words: list[str]) -> None:
    column = Keywords.encode(words)
    assert column.decode() == words
    assert column.vocabulary.tolist() == sorted(set(words))
    part = column[1::2]
    assert part.decode() == words[1::2]
    assert [part.code(word) for word in part.decode()] == part.codes.tolist()
    assert column.code("\ud800") is None


def test_keywords_without_an_index_make_one() -> None:
    vocabulary = np.array(["x", "y"], dtype=object)
    column = Keywords(np.array([1, 0], dtype=np.int32), vocabulary)
    assert column[:1].code("y") == 1
    assert column.code("z") is None


@pytest.mark.parametrize("rows", [slice(500_000, 500_010), np.arange(10), slice(None, 100, 10)])
def test_few_rows_of_many_with_tags_take_little_memory(rows: Any) -> None:
    many = 1_000_000
    column = Tags(np.arange(many + 1, dtype=np.int64), np.zeros(many, np.int32), words_of(["red"]))
    tracemalloc.start()
    few = column[rows]
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert few.decode() == [["red"]] * 10
    assert peak_bytes < many  # where every row is looked at, 8 bytes each


ENDS = st.none() | st.integers(-9, 9)


@given(
    st.lists(st.lists(st.sampled_from("abc"), max_size=3), max_size=7),
    st.lists(st.builds(slice, ENDS, ENDS, st.sampled_from([None, 1, 2, -1])), min_size=1, max_size=3),
)
def test_parts_of_parts_of_tags_hold_what_parts_of_lists_hold(
    words: list[list[str]], parts: list[slice]
) -> None:
    column, lists = Tags.encode(words), [sorted(set(own)) for own in words]
    for part in parts:
        column, lists = column[part], lists[part]
        assert len(column) == len(lists)
        assert column.offsets[0] == 0
        assert len(column.codes) == column.offsets[-1]
        assert [sorted(own) for own in column.decode()] == lists
        holding = ["a" in own for own in lists]
        code = column.code("a")
        assert (column.having([code]).tolist() if code is not None else [False] * len(lists)) == holding


def test_rows_that_lie_together_share_the_codes_of_their_tags() -> None:
    column = Tags.encode([["red"], [], ["blue", "red"], ["blue"]])
    assert np.shares_memory(column[:3].codes, column.codes)
    assert np.shares_memory(column[2:].codes, column.codes)
