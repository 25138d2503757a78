from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, get_args

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ConfigurationError
from models.data.reading.options import TimeUnit
from models.data.reading.times import moments_ms
from tests.unit.models.data.made import quick, refusal

_MS = 1_600_000_000_123  # 2020-09-13 12:26:40.123 UTC
_PER_S = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def _read(values: Any, kind: Any = None, unit: TimeUnit | None = None) -> list[int | None]:
    array = values if isinstance(values, pa.Array) else pa.array(values, kind)
    ms, known, _ = moments_ms(pa.chunked_array([array]), "column", unit, "interactions.unit")
    return [value if there else None for value, there in zip(ms.tolist(), known.tolist(), strict=True)]


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([datetime.fromtimestamp(_MS / 1000, UTC), None], pa.timestamp("us", "UTC"), [_MS, None]),
        ([datetime.fromtimestamp(_MS / 1000, UTC)], pa.timestamp("ns", "Asia/Tokyo"), [_MS]),
        ([datetime(2020, 9, 13)], pa.timestamp("s"), [1_599_955_200_000]),
        ([date(2020, 9, 13), None, date(1969, 12, 31)], pa.date32(), [1_599_955_200_000, None, -86_400_000]),
        ([date(2020, 9, 13)], pa.date64(), [1_599_955_200_000]),
        (["2020-09-13T12:26:40.123Z", "2020-09-13T14:26:40.123+02:00", ""], None, [_MS, _MS, None]),
        (["2020-09-13", "2020-09-13 12:26"], None, [1_599_955_200_000, 1_599_999_960_000]),
        (["1600000000123", None], None, [_MS, None]),
        ([1_600_000_000.123, None, float("nan")], pa.float64(), [_MS, None, None]),
        ([1_600_000_000], pa.uint32(), [1_600_000_000_000]),
        ([None, None], pa.int64(), [None, None]),
        ([None], pa.null(), [None]),
        (pa.array(["2020-09-13", None]).dictionary_encode(), None, [1_599_955_200_000, None]),
    ],
)
def test_every_way_to_write_a_time(values: Any, kind: Any, expected: list[int | None]) -> None:
    assert _read(values, kind) == expected


@quick
@given(
    st.lists(st.integers(315_532_800_000, 4_102_444_799_999), min_size=1),
    st.sampled_from(get_args(TimeUnit)),
)
def test_the_unit_of_numbers_is_found_by_their_magnitude(moments: list[int], unit: TimeUnit) -> None:
    numbers = [ms * _PER_S[unit] // 1000 for ms in moments]
    exact = [ms // 1000 * 1000 for ms in moments] if unit == "s" else moments
    assert _read(numbers) == exact
    assert _read(numbers, unit=unit) == exact


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (
            [1_600_000_000, 50_000_000_000],
            "row 1 holds 50000000000, which is 3554-06-09 in s or 1971-08-02 in ms",
        ),
        ([1_600_000_000, 0], "row 1 holds 0, which is 1970-01-01 in s or 1970-01-01 in ms"),
        ([5 * 10**12], "row 0 holds 5000000000000, which is 2128-06-11 in ms or 1970-02-27 in us"),
        ([5 * 10**18], "which is beyond the year 9999 in us or 2128-06-11 in ns"),
        (
            [None, 1_600_000_000, _MS],
            "row 1 holds 1600000000 (2020-09-13 in s) and row 2 holds 1600000000123 (2020-",
        ),
        ([20_200_913], "row 0 holds 20200913, which is 1970-08-22 in s or 1970-01-01 in ms"),
    ],
)
def test_numbers_whose_unit_is_not_certain_are_refused(values: list[int | None], told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        _read(values, pa.int64())
    assert told in refusal(caught)
    assert "name the unit with interactions.unit" in refusal(caught)


def test_a_named_unit_is_believed() -> None:
    assert _read([0, 50_000_000_000], unit="ms") == [0, 50_000_000_000]
    assert _read([-1_500_000], unit="us") == [-1_500]
    assert _read([1.5], unit="s") == [1_500]


@pytest.mark.parametrize(
    ("values", "kind", "unit", "told"),
    [
        (["2020-09-13", "yesterday"], None, None, "row 1 holds 'yesterday', which is no time"),
        (["now"], None, None, "row 0 holds 'now', which is no time"),
        (["13.09.2020"], None, None, "row 0 holds '13.09.2020'"),
        ([1, _MS], pa.int64(), "s", "row 1 holds 1600000000123, which is no time in s"),
        ([1_600_000_000, float("inf")], pa.float64(), "s", "row 1 holds inf"),
        ([2**64 - 1], pa.uint64(), "ns", "18446744073709551615"),
        ([[1]], pa.list_(pa.int64()), None, "are list"),
        ([True], pa.bool_(), None, "are bool"),
        ([float("inf")], pa.float64(), None, "row 0 holds inf"),
    ],
)
def test_what_is_no_time_is_refused(values: Any, kind: Any, unit: TimeUnit | None, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        _read(values, kind, unit)
    assert told in refusal(caught)
    assert refusal(caught).startswith("column: ")
