"""What users declare, from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from harness.errors import ConfigurationError
from models.data.reading.preference_file import read_preferences
from tests.unit.models.data.made import write

CATEGORIES = ("size", "brand")


def test_a_word_or_a_list_of_words_or_nothing(tmp_path: Path) -> None:
    path = write(
        tmp_path / "p.parquet",
        user_id=["a", "b", "c"],
        size=["M", None, ""],
        brand=[["Acme", "Bolt"], [], None],
    )
    found = read_preferences(path, "user_id", CATEGORIES)
    assert found.user_ids.tolist() == ["a", "b", "c"]
    assert found.choices == ({"size": ["M"], "brand": ["Acme", "Bolt"]}, {}, {})


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ([36, 38], ["36", "38"]),  # as the words of a catalogue's column of whole numbers
        ([36.0, np.nan], ["36", None]),
        (pa.array(["M", "L"]).dictionary_encode(), ["M", "L"]),
        (pa.nulls(2), [None, None]),
        (pa.array([[36], [38]], pa.list_(pa.int8(), 1)), ["36", "38"]),
        (pa.array([None, ["L", None]], pa.list_(pa.string(), 2)), [None, "L"]),
        (pa.chunked_array([[["M"]], [[None, "L"]]]), ["M", "L"]),
    ],
)
def test_words_are_those_of_a_catalogue(column: Any, expected: list[str | None], tmp_path: Path) -> None:
    path = write(tmp_path / "p.parquet", user_id=[7, 8], size=column)
    found = read_preferences(path, "user_id", CATEGORIES)
    assert found.user_ids.tolist() == [7, 8]
    assert found.choices == tuple({} if word is None else {"size": [word]} for word in expected)


def test_every_problem_is_named(tmp_path: Path) -> None:
    path = write(
        tmp_path / "p.parquet", user_id=["a", None, "a"], size=[[["M"]]] * 3, brand=[{"is": "Acme"}] * 3
    )
    with pytest.raises(ConfigurationError) as caught:
        read_preferences(path, "user_id", CATEGORIES)
    assert [line.removeprefix(f"{path}: column ") for line in caught.value.problems] == [
        "'user_id': row 1 has no user (1 in all); remove such rows",
        "'user_id': users occur twice: 'a' in rows 0 and 2 (1 in all); give each one row, several words of a "
        "category as a list",
        "'size': values of type list<element: string> are no words; store words",
        "'brand': values of type struct<is: string> are no words; store words",
    ]


def test_columns_that_are_no_categories_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "p.parquet", who=["a"], size=["M"], colour=["red"])
    with pytest.raises(ConfigurationError) as caught:
        read_preferences(path, "user_id", CATEGORIES)
    told = str(caught.value)
    assert "has no column 'user_id'; name the column of users like that (it has: who, size, colour)" in told
    assert "column 'colour': is no category of the model (these are: size, brand); rename it" in told
    with pytest.raises(ConfigurationError, match="holds no users"):
        read_preferences(
            write(tmp_path / "e.parquet", user_id=pa.array([], pa.string())), "user_id", CATEGORIES
        )
