"""NDJSON: one document a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from service.catalogue.schema import Problem
from service.ingestion.files.source import Place, SourceError
from service.ingestion.pipeline import AT_ONCE
from service.ingestion.record import Record, as_text, record_of
from service.writing.carrying import Operation

_LONGEST = 16 << 20  # bytes of a line
_MOST = 16 << 20  # bytes that are taken at once, but for one line
_KEPT = 1 << 16  # bytes of a longer line that its dead letter holds
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class NdjsonFile:
    """Follows `FileSource`. Empty lines are passed over; the last line needs no end."""

    path: Path
    operation: Operation

    @property
    def size(self) -> int:
        """In bytes."""
        return self.path.stat().st_size

    def read(self, place: Place) -> Iterator[tuple[Sequence[Record], Place]]:
        """Some lines after the other, each time with the place behind them. Raises SourceError."""
        line, offset = place.rows, place.offset
        records: list[Record] = []
        begun = offset
        try:
            with self.path.open("rb") as file:
                file.seek(offset)
                while raw := file.readline(_LONGEST):
                    line += 1
                    too_long = len(raw) == _LONGEST and not raw.endswith(b"\n")
                    offset += len(raw) + (_passed_over(file) if too_long else 0)
                    if raw.strip():
                        records.append(self._record(line, raw, too_long))
                    if len(records) == AT_ONCE or offset - begun >= _MOST:
                        yield records, Place(line, offset)
                        records, begun = [], offset
        except OSError as error:
            raise SourceError(
                f"{self.path}: cannot be read after line {line:,} ({error.strerror or error}); repair it, and run the "
                "same command again"
            ) from error
        yield records, Place(line, offset)

    def _record(self, line: int, raw: bytes, too_long: bool) -> Record:
        place = {"line": line}
        if too_long:
            problem = Problem(
                "document", f"is longer than {_LONGEST:,} bytes, which are the most; shorten it"
            )
            return Record(place, as_text(raw[:_KEPT]), [problem])
        return record_of(place, raw.strip().removeprefix(_BOM if line == 1 else b""), self.operation)


def _passed_over(file: BinaryIO) -> int:
    """The bytes of the rest of a line."""
    passed = 0
    while raw := file.readline(_LONGEST):
        passed += len(raw)
        if raw.endswith(b"\n"):
            break
    return passed
