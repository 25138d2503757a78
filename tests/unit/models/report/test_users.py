"""Example users: which are shown, what they are answered, where their targets stand, what their filter drops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engines.filters import And, Eq, In, Range
from models.data.split import Cases
from models.publishing.options import OwnFilters
from models.report.users import COUNT, chosen, examples, in_words
from tests.unit.models.publishing.shop import FILTERS, listings
from tests.unit.models.report.made import cases, lists, nearest


def asked(histories: list[list[int]], targets: list[list[int]]) -> Cases:
    return Cases(np.arange(len(histories), dtype=np.int32), lists(*histories), lists(*targets))


def test_histories_of_different_lengths_are_chosen_by_seed() -> None:
    lengths = [0] * 30 + [1] * 30 + [5] * 30 + [20] * 30
    made = asked([list(range(length)) for length in lengths], [[40]] * len(lengths))
    rows = chosen(made, 0)
    assert len(set(rows.tolist())) == COUNT
    found = np.array(lengths)[rows].tolist()
    assert found == sorted(found)
    assert found.count(0) == 1
    assert {1, 5, 20} <= set(found)
    assert (rows == chosen(made, 0)).all()
    assert any((rows != chosen(made, seed)).any() for seed in range(1, 4))


def test_the_only_case_is_chosen() -> None:
    assert chosen(asked([[]], [[1]]), 0).tolist() == [0]
    assert chosen(asked([[2]], [[1]]), 0).tolist() == [0]


def test_answers_are_those_of_exact_search_and_targets_are_marked() -> None:
    items = listings()
    near = nearest(items)
    first = near.recommend(asked([[3, 7]], [[0]]), len(items))[0]
    hit, far = int(first[2]), int(first[40])
    (told,) = examples(items, near, asked([[3, 7]], [[far, hit]]), OwnFilters())
    titles = [items.texts["title"][row] for row in first[:8]]
    shown = [answer.title for answer in told.answers]
    assert [a for a, title in zip(shown, titles, strict=True) if title] == [t for t in titles if t]
    assert [answer.kind for answer in told.answers].count("target") == 1
    assert told.answers[2].note == "taken next"
    assert [target.note for target in told.targets] == ["place 3", "place 41"]
    assert told.own_filter == ""
    assert told.passing == 8


def test_the_newest_of_a_long_history_comes_first() -> None:
    items = listings()
    (told,) = examples(items, nearest(items), asked([list(range(1, 13))], [[30]]), OwnFilters())
    assert told.length == 12
    assert told.history[0].title == items.texts["title"][12]
    assert len(told.history) == 8
    assert told.older == 4


def test_a_target_that_cannot_be_answered_has_no_place() -> None:
    items = listings()
    barred = np.ones(60, np.bool_)
    barred[30] = False
    made = replace(asked([[1]], [[30]]), candidates=barred)
    (told,) = examples(items, nearest(items), made, OwnFilters())
    assert told.targets[0].note == "not among the first 60"


def test_what_the_own_filter_would_drop_is_told() -> None:
    items = listings()
    (told,) = examples(items, nearest(items), asked([[3, 6]], [[30]]), FILTERS)
    assert told.own_filter == "size is S, kind is kind 2 or kind 3, price 11.7 to 14.3"
    inside = [answer for answer in told.answers if answer.passes]
    assert told.passing == len(inside)
    assert all(answer.detail.startswith("outside the filter") for answer in told.answers if not answer.passes)
    (loose,) = examples(items, nearest(items), asked([[3, 6]], [[30]]), OwnFilters(equal=("size",)))
    assert 0 < loose.passing < 8
    wanted = {row for row in range(60) if "SML"[row % 3] == "S"}
    first = nearest(items).recommend(asked([[3, 6]], [[30]]), 8)[0].tolist()
    assert [answer.passes for answer in loose.answers] == [row in wanted for row in first]


def test_filters_in_words() -> None:
    assert in_words(None) == ""
    both = And((Eq("size", "M and L"), Range("price", gte=9.0, lte=1234.0)))
    assert in_words(both) == "size is M and L, price 9 to 1,230"
    assert (
        in_words(In("kind", ("a", "b", "c", "d", "e", "f"))) == "kind is a or b or c or d or one of 2 others"
    )


def test_all_examples_are_different_cases() -> None:
    items = listings()
    told = examples(items, nearest(items), cases(40), FILTERS)
    assert len({example.number for example in told}) == COUNT
    assert told[0].length == 0
    assert told[0].own_filter == ""
