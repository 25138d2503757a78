"""Parquet: a document a row, a field by the name of each column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.data.user.tables.parquet_files import open_parquet
from service.catalogue.schema import VECTOR, Problem
from service.ingestion.files.source import Place, SourceError
from service.ingestion.pipeline import AT_ONCE
from service.ingestion.record import Record, as_text, wish_of
from service.writing.carrying import Operation

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class ParquetFile:
    """Follows `FileSource`. What is null is left out of the document; an id that is a number is written as text.

    size: in rows.
    """

    path: Path
    operation: Operation
    size: int

    def read(self, place: Place) -> Iterator[tuple[Sequence[Record], Place]]:
        """Some rows after the other, each time with the place behind them. Raises SourceError."""
        import pyarrow as pa

        row, groups_end = place.rows, 0
        try:
            with closing(open_parquet(self.path)) as file:
                for group in range(file.num_row_groups):
                    begin, groups_end = groups_end, groups_end + file.metadata.row_group(group).num_rows
                    if groups_end <= row:
                        continue
                    for batch in file.iter_batches(AT_ONCE, row_groups=[group]):
                        skipped = min(max(row - begin, 0), batch.num_rows)
                        begin += batch.num_rows
                        if skipped < batch.num_rows:
                            records = self._records(batch.slice(skipped), row)
                            row += len(records)
                            yield records, Place(row, row)
        except (pa.ArrowException, OSError) as error:
            raise SourceError(
                f"{self.path}: cannot be read after row {row:,} ({error}); write the file anew, and ingest that"
            ) from error

    def _records(self, batch: pa.RecordBatch, first: int) -> list[Record]:
        """Rows are counted from 1, as lines are."""
        vectors = _vectors(batch)
        others = batch.drop_columns([VECTOR]) if vectors else batch
        return [
            self._record({"row": first + place + 1}, values, vectors[place] if vectors else None)
            for place, values in enumerate(_rows(others))
        ]

    def _record(self, place: Mapping[str, int], values: Any, vector: Any) -> Record:
        if isinstance(values, UnicodeDecodeError):
            return Record(
                place, as_text(values.object), [Problem("document", f"holds a text that is none: {values}")]
            )
        document = {name: _plain(value) for name, value in values.items() if value is not None}
        if type(document.get("id")) is int:
            document["id"] = str(document["id"])
        received = dict(document)
        if vector is not None:
            document[VECTOR], received[VECTOR] = vector, vector.tolist()
        return Record(place, {"document": received}, wish_of(document, self.operation))


def _rows(batch: pa.RecordBatch) -> list[Any]:
    """The values of each row by column; what was raised in place of those that hold no UTF-8."""
    try:
        return list(batch.to_pylist())
    except UnicodeDecodeError as error:
        if batch.num_rows == 1:
            return [error]
        return [one for row in range(batch.num_rows) for one in _rows(batch.slice(row, 1))]


def _vectors(batch: pa.RecordBatch) -> list[Any]:
    """The vectors as arrays, which are checked much faster than lists; none where there is no such column."""
    if VECTOR not in batch.schema.names:
        return []
    found = batch.column(VECTOR)
    return [one.values.to_numpy(zero_copy_only=False) if one.is_valid else None for one in found]


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value
