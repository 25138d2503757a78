"""Workloads: every query gets the filter its spec asks for, and bad specs say what is wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.columns import Column, Keywords
from engines.filters import And, Eq, In, Range, matches
from engines.values.filter_syntax import parse
from harness.data.dataset import Attribute, Dataset
from harness.data.queries.drawn_filters import DISTINCT
from harness.data.queries.workload import Workload, build_workload, selectivity
from harness.errors import ConfigurationError
from harness.scenario.specs import FilterSpec

KINDS = {"brand": "keyword", "price": "float", "stock": "integer", "new": "boolean", "title": "text"}


def make(
    rows: int = 1000, queries: int = 200, only: tuple[str, ...] = tuple(KINDS), seed: int = 0
) -> Dataset:
    rng = np.random.default_rng(seed)
    columns: dict[str, Column] = {
        "brand": Keywords.encode(rng.choice(["Aster", "Birke", "Ümlaut"], rows, p=[0.7, 0.2, 0.1]).tolist()),
        "price": rng.lognormal(3, 0.5, rows),
        "stock": rng.integers(5, size=rows),
        "new": rng.random(rows) < 0.5,
        "title": Keywords.encode([f"title {i}" for i in range(rows)]),
    }
    vectors = rng.standard_normal((rows, 4), dtype=np.float32)
    return Dataset(
        name="made",
        metric="l2",
        vectors=vectors,
        queries=rng.standard_normal((queries, 4), dtype=np.float32),
        fingerprint="f",
        attributes=tuple(Attribute(name, KINDS[name], "real") for name in only),  # type: ignore[arg-type]
        columns={name: columns[name] for name in only},
    )


def only(dataset: Dataset, **spec: Any) -> Workload:
    (workload,) = build_workload(FilterSpec(name="w", **spec), dataset, k=10, seed=0)
    assert workload.name == "w" and workload.k == 10
    assert len(workload.filters) == len(workload.queries) == len(dataset.queries)
    return workload


def problems(dataset: Dataset, **spec: Any) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        build_workload(FilterSpec(name="w", **spec), dataset, k=10, seed=0)
    return caught.value.problems


def test_no_source_is_no_filter() -> None:
    workload = only(make())
    assert set(workload.filters) == {None}
    assert selectivity(workload, make()) == (1.0, 1.0, 1.0, 0)


def test_where_is_the_same_for_every_query() -> None:
    where = {"brand": "Aster", "price": {"lt": 30}}
    workload = only(make(), where=where)
    assert set(workload.filters) == {parse(where)}
    assert isinstance(workload.filters[0], And)


def test_where_names_every_problem() -> None:
    assert problems(make(), where={"brnd": "Aster", "price": "x", "stock": {"gt": 1}}) == [
        "filters[w].where: unknown column 'brnd' (did you mean 'brand'? the dataset has: brand, price, stock, new)",
        "filters[w].where: 'price' is float, it cannot equal 'x'",
    ]
    assert problems(make(), where={"title": "title 1"}) == [
        "filters[w].where: 'title' is text: it is carried along, but cannot be filtered"
    ]


def test_keywords_are_drawn_as_often_as_they_occur() -> None:
    dataset = make(queries=5000)
    counts = Counter(only(dataset, keyword="brand").filters)
    for value, share in (("Aster", 0.7), ("Birke", 0.2), ("Ümlaut", 0.1)):
        assert counts[Eq("brand", value)] / 5000 == pytest.approx(share, abs=0.05)


def test_integers_and_booleans_serve_as_keywords() -> None:
    assert set(only(make(), keyword="stock").filters) == {Eq("stock", value) for value in range(5)}
    assert set(only(make(), keyword="new").filters) == {Eq("new", False), Eq("new", True)}


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"keyword": "brnd"}, "filters[w].keyword: unknown column 'brnd' (did you mean 'brand'? dataset 'made' can"),
        ({"keyword": "title"}, "filters[w].keyword: 'title' is text and cannot be filtered"),
        ({"keyword": "price"}, "filters[w].keyword: 'price' is float"),
        ({"selectivity": 0.1, "column": "nope"}, "filters[w].column: unknown column 'nope'"),
        ({"selectivity": 0.1, "column": "title"}, "filters[w].column: 'title' is text"),
        ({"from_dataset": "shopper"}, "filters[w].from_dataset: dataset 'made' brings no filter set 'shopper' (it"),
    ],
)  # fmt: skip
def test_columns_that_cannot_serve_are_named(spec: dict[str, Any], told: str) -> None:
    (problem,) = problems(make(), **spec)
    assert problem.startswith(told)


@given(share=st.floats(0.001, 1), rows=st.integers(10, 3000), seed=st.integers(0, 99))
def test_windows_hold_exactly_the_share(share: float, rows: int, seed: int) -> None:
    dataset = make(rows=rows, queries=30, only=("price",), seed=seed)
    expected = max(1, round(share * rows)) / rows
    built = build_workload(FilterSpec(name="w", selectivity=share), dataset, k=10, seed=0)
    if expected > 2 * share:  # a single row is more than was asked for
        assert not built.ready and "can do better than" in built.skipped["w"]
        return
    (workload,) = built
    assert workload.asked_selectivity == share
    measured = selectivity(workload, dataset)
    assert measured.min == measured.max == pytest.approx(expected)
    assert measured.mean == pytest.approx(expected)
    assert 1 <= measured.distinct <= DISTINCT
    assert all(isinstance(where, Range) for where in workload.filters)


def test_the_column_with_the_most_distinct_numbers_is_taken() -> None:
    assert {where.field for where in only(make(), selectivity=0.1).filters if isinstance(where, Range)} == {
        "price"
    }


def test_a_column_asked_for_is_taken_if_it_comes_within_a_factor_of_two() -> None:
    dataset = make()
    # A value of `stock` is met by a fifth of the items: the figure is measured, not the one asked for.
    workload = only(dataset, selectivity=0.12, column="stock")
    assert {where.field for where in workload.filters if isinstance(where, Range)} == {"stock"}
    assert selectivity(workload, dataset).mean == pytest.approx(0.2, abs=0.05)
    assert workload.asked_selectivity == 0.12
    skipped = build_workload(FilterSpec(name="w", selectivity=0.01, column="stock"), dataset, k=10, seed=0)
    assert not skipped.ready
    assert (
        "asked to let 1.000% through, but column 'stock' of dataset 'made' can only" in skipped.skipped["w"]
    )


@pytest.mark.parametrize("values", [np.full(1000, 7), np.arange(1000) % 2 == 0, np.arange(1000) % 9 // 8])
def test_a_selectivity_that_no_column_can_have_is_left_out(values: Any) -> None:
    # Constant, yes and no, and one value of nine tenths: 1 % cannot be cut out of any.
    dataset = make(only=("stock",))
    kind = "boolean" if values.dtype == np.bool_ else "integer"
    dataset = replace(dataset, columns={"stock": values}, attributes=(Attribute("stock", kind, "real"),))  # type: ignore[arg-type]
    built = build_workload(FilterSpec(name="w", selectivity=0.01), dataset, k=10, seed=0)
    assert not built.ready
    assert "asked to let 1.000% through, but no column" in built.skipped["w"]
    assert (
        build_workload(FilterSpec(name="w", selectivity=0.5), dataset, k=10, seed=0).ready
        or kind == "integer"
    )


def test_keywords_combine_to_the_share_where_there_are_no_numbers() -> None:
    rng = np.random.default_rng(0)
    dataset = make(rows=5000, only=("brand",))
    words = Keywords.encode([f"b{i}" for i in rng.integers(200, size=5000)])
    dataset = replace(dataset, columns={"brand": words})
    workload = only(dataset, selectivity=0.1)
    measured = selectivity(workload, dataset)
    assert measured.mean == pytest.approx(0.1, rel=0.1)
    assert measured.distinct > 1
    assert all(isinstance(where, In) and where.field == "brand" for where in workload.filters)


def test_the_nearest_column_is_taken_where_none_fits() -> None:
    dataset = make(only=("brand", "new"))
    workload = only(dataset, selectivity=0.1)
    assert set(workload.filters) == {Eq("brand", "Ümlaut")}
    assert selectivity(workload, dataset).min > 0


def test_a_keyword_that_a_head_no_longer_holds_is_never_drawn() -> None:
    dataset = make(rows=50, only=("brand",))
    words = Keywords.encode([*(["a"] * 25), *(["b"] * 5), *(["c"] * 20)])
    head = replace(dataset, columns={"brand": words}).head(30, None)
    for spec in ({"keyword": "brand"}, {"selectivity": 0.2}):
        assert selectivity(only(head, **spec), head).min > 0


def test_what_a_plain_dataset_cannot_offer_is_skipped_with_the_reason() -> None:
    for spec in ({"selectivity": 0.1}, {"from_dataset": True}):
        built = build_workload(FilterSpec(name="w", **spec), make(only=("title",)), 10, 0)
        assert len(built) == 0
        assert built.skipped["w"].startswith("dataset 'made'")


def test_the_filter_sets_of_a_dataset_come_one_by_one_or_all() -> None:
    sets = {"a": (Eq("brand", "Aster"),) * 200, "b": (None,) * 200}
    dataset = replace(make(), filters=sets)
    built = build_workload(FilterSpec(name="w", from_dataset=True), dataset, 10, 0)
    assert [(workload.name, workload.filters) for workload in built] == [
        ("w:a", sets["a"]),
        ("w:b", sets["b"]),
    ]
    assert only(dataset, from_dataset="b").filters == sets["b"]
    assert "it has: a, b" in problems(dataset, from_dataset="c")[0]


def test_the_seed_and_the_name_decide_alone() -> None:
    spec, dataset = FilterSpec(name="w", selectivity=0.1), make()

    def filters(spec: FilterSpec, seed: int) -> object:
        return build_workload(spec, dataset, 10, seed).ready[0].filters

    assert filters(spec, 1) == filters(spec, 1)
    assert filters(spec, 1) != filters(spec, 2)
    assert filters(spec, 1) != filters(spec.model_copy(update={"name": "v"}), 1)


def test_selectivity_weighs_filters_by_their_queries() -> None:
    dataset = make()
    rare, common = Eq("brand", "Ümlaut"), Eq("brand", "Aster")
    share = {where: matches(where, dataset.columns, 1000).mean() for where in (rare, common)}
    workload = Workload("w", dataset.queries[:4], (rare, common, common, common), 10)
    measured = selectivity(workload, dataset)
    assert measured.mean == pytest.approx((share[rare] + 3 * share[common]) / 4)
    assert (measured.min, measured.max, measured.distinct) == (share[rare], share[common], 2)
