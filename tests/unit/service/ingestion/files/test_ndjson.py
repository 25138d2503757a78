"""Lines of documents: of any length, with any end, from any place on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from service.ingestion.files import ndjson
from service.ingestion.files.ndjson import NdjsonFile
from service.ingestion.files.source import Place, SourceError
from service.ingestion.record import Record
from service.writing.carrying import Wish


def written(folder: Path, content: bytes) -> NdjsonFile:
    path = folder / "a.ndjson"
    path.write_bytes(content)
    return NdjsonFile(path, "put")


BEGIN = Place()


def read(file: NdjsonFile, place: Place = BEGIN) -> list[Record]:
    return [record for records, _ in file.read(place) for record in records]


def ids(records: list[Record]) -> list[Any]:
    return [record.wish.id if isinstance(record.wish, Wish) else None for record in records]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", []),
        (b"\n\n", []),
        (b'{"id": "a"}', ["a"]),
        (b'{"id": "a"}\n\n{"id": "b"}\r\n', ["a", "b"]),
        (b'\xef\xbb\xbf{"id": "a"}\n', ["a"]),
        (b'{"id": "a"}\n{"id": "b', ["a", None]),
        (b'{"id": "\xff"}\n{"id": "b"}\n', [None, "b"]),
        (b"[" * 100_000 + b'\n{"id": "b"}\n', [None, "b"]),
    ],
)
def test_each_line_is_a_document_or_says_why_it_is_none(
    tmp_path: Path, content: bytes, expected: list[Any]
) -> None:
    assert ids(read(written(tmp_path, content))) == expected


def test_half_a_line_at_the_end_is_kept_as_it_is(tmp_path: Path) -> None:
    (whole, half) = read(written(tmp_path, b'{"id": "a"}\n{"id": "b'))
    assert (whole.place, half.place, half.received) == ({"line": 1}, {"line": 2}, {"text": '{"id": "b'})


def test_a_line_that_is_too_long_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ndjson, "_LONGEST", 20)
    monkeypatch.setattr(ndjson, "_KEPT", 8)
    content = b'{"id": "a"}\n' + b'{"id": "' + b"b" * 100 + b'"}\n{"id": "c"}\n'
    first, second, third = read(written(tmp_path, content))
    assert ids([first, second, third]) == ["a", None, "c"]
    assert (second.received, third.place) == ({"text": '{"id": "'}, {"line": 3})
    assert "longer than 20 bytes" in str(second.wish)


def test_every_place_is_one_to_go_on_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ndjson, "AT_ONCE", 3)
    lines = [json.dumps({"id": f"ü{row}"}) + "\n" * (1 + row % 2) for row in range(10)]
    file = written(tmp_path, "".join(lines).encode())
    parts = list(file.read(Place()))
    assert [len(records) for records, _ in parts] == [3, 3, 3, 1]
    everything = read(file)
    seen = 0
    for records, place in parts:
        seen += len(records)
        rest = read(file, place)
        assert [(one.place, one.wish) for one in rest] == [(one.place, one.wish) for one in everything[seen:]]


def test_large_lines_are_taken_in_smaller_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ndjson, "_MOST", 30)
    file = written(tmp_path, b'{"id": "a"}\n' * 10)
    assert [len(records) for records, _ in file.read(Place())] == [3, 3, 3, 1]


def test_a_file_that_goes_meanwhile_says_how_far_it_came(tmp_path: Path) -> None:
    file = written(tmp_path, b'{"id": "a"}\n')
    file.path.unlink()
    with pytest.raises(
        SourceError, match=r"a\.ndjson: cannot be read after line 7 .* run the same command again"
    ):
        list(file.read(Place(7, 100)))
