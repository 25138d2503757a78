"""Tables as bytes: CSV, JSON and Parquet, part by part, so that a long one is never held whole."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def csv_of(frames: Iterable[pd.DataFrame]) -> Iterator[bytes]:
    """One CSV text of several frames with the same columns, in UTF-8; a missing value is an empty field."""
    for number, frame in enumerate(frames):
        yield frame.to_csv(index=False, header=number == 0, lineterminator="\n").encode(
            errors="backslashreplace"
        )


def json_of(records: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """One JSON array with a line a record. Raises ValueError for NaN and infinity."""
    start = "[\n"
    for record in records:
        yield f"{start}{json.dumps(record, allow_nan=False)}".encode()
        start = ",\n"
    yield b"\n]\n" if start == ",\n" else b"[]\n"


def parquet_of(tables: Iterable[pa.Table]) -> Iterator[bytes]:
    """One Parquet file of several tables with the same columns, at least one; a row group each."""
    import pyarrow.parquet as pq

    sink, writer = _Growing(), None
    for table in tables:
        writer = writer or pq.ParquetWriter(sink, table.schema, compression="zstd")
        writer.write_table(table)
        yield sink.taken()
    assert writer is not None
    writer.close()
    yield sink.taken()


class _Growing(BytesIO):
    """A file that is written to its end; what was taken from it is forgotten, its place is kept."""

    def __init__(self) -> None:
        super().__init__()
        self._gone = 0

    def tell(self) -> int:
        return self._gone + super().tell()

    def taken(self) -> bytes:
        data = self.getvalue()
        self._gone += len(data)
        self.seek(0)
        self.truncate()
        return data
