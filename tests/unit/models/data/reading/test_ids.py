from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ConfigurationError
from models.data.reading.ids import encode_ids, rows_of
from tests.unit.models.data.made import named, quick, refusal


def _found(given_ids: Any, *theirs: Any) -> tuple[list[int], str]:
    column = given_ids if isinstance(given_ids, pa.Array) else pa.array(given_ids)
    rows, note = rows_of(encode_ids(pa.chunked_array([column]), "column"), named(*theirs).ids, "column")
    return rows.tolist(), note


@pytest.mark.parametrize("theirs", [(3, 4), ("a", "b")])
def test_ids_of_the_same_type_are_looked_up_and_may_be_unknown(theirs: tuple[Any, Any]) -> None:
    unknown = "z" if isinstance(theirs[0], str) else 99
    assert _found([theirs[1], unknown, theirs[0], theirs[1]], *theirs) == ([1, -1, 0], "")


@pytest.mark.parametrize(
    ("given_ids", "theirs", "note"),
    [
        ([786022008, 108775015], ("0108775015", "0786022008"), "filled up with zeros to 10 digits"),
        (["786022008", "108775015"], ("0108775015", "0786022008"), "filled up with zeros to 10 digits"),
        ([12, 7], ("7", "12"), "as text"),
        ([12.0, 7.0, None], ("7", "12"), "as text"),
        (["12", "7"], (7, 12), "as integers"),
        (["012", "007"], (7, 12), "as integers"),
        (["012", "007"], ("7", "12"), "without leading zeros"),
        (pa.array(["12", "7"]).dictionary_encode(), (7, 12), "as integers"),
    ],
)
def test_ids_written_in_two_ways_are_the_same_where_all_match(
    given_ids: Any, theirs: tuple[Any, Any], note: str
) -> None:
    rows, told = _found(given_ids, *theirs)
    assert rows == [1, 0]
    assert told == f"ids of items {note} match those of the catalogue"


@pytest.mark.parametrize(
    ("given_ids", "theirs", "told"),
    [
        (
            [786022008, 5],
            ("0108775015", "0786022008"),
            "such as 786022008 in row 0, the catalogue's are such as '0108775015', and 1 of 2",
        ),
        ([1, 2], ("a", "b"), "and none match when written alike; store both as strings or both as integers"),
        (["a"], (1, 2), "such as 'a' in row 0, the catalogue's are such as 1"),
        (["7", "07"], (7, 8), "and 2 of 2 distinct ones match"),  # two would become one
        (
            ["x", "y"],
            ("a", "b"),
            "no item is in the catalogue, such as 'x' in row 0; the catalogue's are such as 'a'",
        ),
        ([5], (1, 2), "no item is in the catalogue, such as 5 in row 0"),
    ],
)
def test_ids_that_are_not_certainly_the_same_are_refused(
    given_ids: Any, theirs: tuple[Any, ...], told: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        _found(given_ids, *theirs)
    assert told in refusal(caught)


@quick
@given(st.lists(st.integers(0, 10**9), min_size=1, unique=True), st.integers(10, 14), st.data())
def test_padded_ids_find_their_own_row(ids: list[int], width: int, data: st.DataObject) -> None:
    sample = data.draw(st.lists(st.sampled_from(ids), min_size=1))
    rows, _ = _found(sample, *(str(number).zfill(width) for number in ids))
    assert [ids[row] for row in rows] == list(dict.fromkeys(sample))


@pytest.mark.parametrize(
    ("column", "told"),
    [
        (pa.array([1.5]), "1.5"),
        (pa.array([True]), "are bool"),
        (pa.array([[1]]), "are list"),
        (pa.array([2**64 - 1], pa.uint64()), "18446744073709551615"),
    ],
)
def test_other_ids_are_refused(column: pa.Array, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        encode_ids(pa.chunked_array([column]), "column")
    assert "column: ids must be strings or integers" in refusal(caught)
    assert told in refusal(caught)


def test_blank_and_missing_ids_are_none_and_unused_ones_are_not_there() -> None:
    text = encode_ids(pa.chunked_array([["b", None, " "], ["", "a", "b"]]), "column")
    assert text.codes.tolist() == [0, -1, -1, -1, 1, 0]
    assert text.objects().tolist() == ["b", "a"]
    values = pa.array(["a", "b", "a", "c", "never", None])
    odd = pa.DictionaryArray.from_arrays(pa.array([3, 1, None, 0, 2]), values)
    coded = encode_ids(pa.chunked_array([odd]), "column")
    assert coded.objects()[coded.codes[[0, 1, 3, 4]]].tolist() == ["c", "b", "a", "a"]
    assert sorted(coded.objects().tolist()) == ["a", "b", "c"]
    assert coded.known.tolist() == [True, True, False, True, True]
