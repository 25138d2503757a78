"""Times in a file, whatever their type and unit, as milliseconds since 1970 (UTC where no zone is given)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from engines.values.shown import shown
from harness.data.user.conversion import is_text
from harness.errors import ConfigurationError
from models.data.reading.options import TimeUnit
from models.data.reading.table import encode

if TYPE_CHECKING:
    import pyarrow as pa

_UNITS: tuple[TimeUnit, ...] = get_args(TimeUnit)
_PER_S: dict[TimeUnit, int] = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
# Where numbers are times of events that a machine recorded, they lie in this range. In each of the units it is apart
# from the others, for it spans a factor of 13 and the units differ by 1,000.
_EARLIEST_S, _LATEST_S = 315_532_800, 4_102_444_800  # 1980 to 2100
_YEAR_1_S, _YEAR_9999_S = -62_135_596_800, 253_402_300_799
_DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Int64 = npt.NDArray[np.int64]
Numbers = npt.NDArray[Any]  # int64 or float64
Mask = npt.NDArray[np.bool_]


class Moments(NamedTuple):
    """Times of n rows.

    ms: int64[n], milliseconds since 1970, 0 where there is none. known: bool[n], which rows have one. unit: of numbers,
    as named or as told by their magnitude; None for timestamps, dates and texts.
    """

    ms: Int64
    known: Mask
    unit: TimeUnit | None


def moments_ms(column: pa.ChunkedArray, label: str, unit: TimeUnit | None, key: str) -> Moments:
    """The times of a column.

    column: timestamps, dates, ISO 8601 strings, or numbers whose unit is `unit` or else told by their magnitude. key:
    the option that names the unit. Raises ConfigurationError with the first row that cannot be understood.
    """
    import pyarrow as pa

    is_a = pa.types
    if is_a.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if is_a.is_null(kind):
        column, kind = column.cast(pa.int64()), pa.int64()
    if is_a.is_timestamp(kind):
        return _of_integers(column.cast(pa.int64()), label, kind.unit, key)._replace(unit=None)
    if is_a.is_date(kind):
        days = column.cast(pa.date32()).cast(pa.int32()).cast(pa.int64())
        values, known = _filled(days, 0)
        return Moments(values * _DAY_MS, known, None)
    if is_a.is_integer(kind):
        return _of_integers(column, label, unit, key)
    if is_a.is_floating(kind):
        values, known = _filled(column.cast(pa.float64()), np.nan)
        return _converted(values, known & ~np.isnan(values), label, unit, key)
    if is_text(kind):
        return _of_texts(column, label, unit, key)
    raise ConfigurationError(
        f"{label}: times must be timestamps, dates, numbers or ISO 8601 strings, are {kind}"
    )


def _filled(column: pa.ChunkedArray, value: float) -> tuple[Numbers, Mask]:
    import pyarrow as pa

    known = column.is_valid().to_numpy().astype(bool)
    return column.fill_null(pa.scalar(value, column.type)).to_numpy(), known


def _of_integers(column: pa.ChunkedArray, label: str, unit: TimeUnit | None, key: str) -> Moments:
    import pyarrow as pa

    try:
        column = column.cast(pa.int64())
    except pa.ArrowInvalid as error:
        raise ConfigurationError(f"{label}: {error}; times lie below 2^63 in every unit") from error
    values, known = _filled(column, 0)
    return _converted(values, known, label, unit, key)


def _of_texts(column: pa.ChunkedArray, label: str, unit: TimeUnit | None, key: str) -> Moments:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = encode(column)
    if len(texts.distinct) and pc.all(pc.match_substring_regex(texts.distinct, r"^-?\d{1,18}$")).as_py():
        numbers = texts.distinct.cast(pa.int64()).to_numpy()
        return _converted(np.append(numbers, 0)[texts.codes], texts.known, label, unit, key)
    parsed = pd.to_datetime(pd.Index(texts.distinct.to_pylist()), format="ISO8601", errors="coerce", utc=True)
    # Pandas takes "now" for a time, too.
    dated = pc.match_substring_regex(texts.distinct, r"^\s*\d{4}").to_numpy(zero_copy_only=False).astype(bool)
    wrong = np.flatnonzero(parsed.isna() | ~dated)
    if len(wrong):
        row = min(texts.row_of(value) for value in wrong[:100].tolist())
        value = texts.distinct[int(texts.codes[row])].as_py()
        raise ConfigurationError(
            f"{label}: row {row} holds {shown(value)}, which is no time; write such as 2026-03-29T18:05:00Z"
        )
    ms = np.append(parsed.as_unit("ms").asi8, 0).astype(np.int64)
    return Moments(ms[texts.codes], texts.known, None)


def _converted(values: Numbers, known: Mask, label: str, unit: TimeUnit | None, key: str) -> Moments:
    """Numbers of a unit, or of the unit that all of them agree on."""
    held = values[known]
    if not len(held):
        return Moments(np.zeros(len(values), np.int64), known, unit)
    low, high = held.min().item(), held.max().item()
    found = unit or _unit_of(low)
    if unit is None and (found is None or found != _unit_of(high)):
        raise ConfigurationError(
            f"{label}: {_doubt(values, known, low, high)}; name the unit with {key}, or repair it"
        )
    assert found is not None
    per_s = _PER_S[found]
    for value in (low, high):
        if not _YEAR_1_S * per_s <= value <= _YEAR_9999_S * per_s:
            row = _row(values, known, value)
            raise ConfigurationError(
                f"{label}: row {row} holds {value}, which is no time in {found}; repair it"
            )
    values = np.where(known, values, 0)
    if values.dtype.kind == "f":
        return Moments(np.round(values * (1000 / per_s)).astype(np.int64), known, found)
    return Moments(values * 1000 if found == "s" else values // (per_s // 1000), known, found)


def _unit_of(value: float) -> TimeUnit | None:
    """The unit in which a number is a time between 1980 and 2100."""
    fits = [unit for unit in _UNITS if _EARLIEST_S * _PER_S[unit] <= value < _LATEST_S * _PER_S[unit]]
    return fits[0] if fits else None


def _doubt(values: Numbers, known: Mask, low: float, high: float) -> str:
    """Why no unit fits all: two of them, or a number between two."""
    units = _unit_of(low), _unit_of(high)
    if units[0] and units[1]:
        return " and ".join(
            f"row {_row(values, known, value)} holds {value} ({_date(value, unit)} in {unit})"
            for value, unit in zip((low, high), units, strict=True)
            if unit
        )
    odd = high if units[0] else low
    below = sum(odd >= _LATEST_S * _PER_S[unit] for unit in _UNITS)
    first = min(max(below - 1, 0), len(_UNITS) - 2)
    dates = " or ".join(f"{_date(odd, unit)} in {unit}" for unit in _UNITS[first : first + 2])
    return f"row {_row(values, known, odd)} holds {odd}, which is {dates}"


def _row(values: Numbers, known: Mask, value: float) -> int:
    return int(np.argmax(known & (values == value)))


def _date(value: float, unit: TimeUnit) -> str:
    try:
        return (_EPOCH + timedelta(seconds=value / _PER_S[unit])).date().isoformat()
    except (OverflowError, ValueError):
        return "beyond the year 9999"
