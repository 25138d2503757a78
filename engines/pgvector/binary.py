"""PostgreSQL's binary format, in which parameters and COPY data travel: big-endian, each value after its length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from struct import Struct
from typing import Any

import numpy as np

from engines.base import Batch, EngineError, Field, FieldKind, Ids, Schema, Vectors
from engines.columns import Column, Keywords, Tags, Value, decoded, occurring

OIDS: dict[FieldKind, int] = {
    "keyword": 25,
    "integer": 20,
    "float": 701,
    "boolean": 16,
}  # fixed in PostgreSQL
_ARRAY, _LENGTH, _DIM = Struct(">5i"), Struct(">i"), Struct(">HH")
_NULL = _LENGTH.pack(-1)
_INT8, _FLOAT8 = Struct(">q"), Struct(">d")
integer, double = _INT8.pack, _FLOAT8.pack  # a bigint, a double precision
_COPY_HEADER, _COPY_TRAILER = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
_PIECE_BYTES = 120 << 10
_ONE_DIMENSION, _NO_NULLS, _FIRST = 1, 0, 1
_DTYPES: dict[FieldKind, str] = {"integer": ">i8", "float": ">f8", "boolean": "?"}


def vector(values: Vectors) -> bytes:
    """float32[dim] as a value of the type vector."""
    return _DIM.pack(len(values), 0) + values.astype(">f4").tobytes()


def text(word: str) -> bytes:
    """A str as a value of the type text, which holds no NUL: that is written as U+0001 U+0002, and U+0001 as
    U+0001 U+0001. Raises EngineError for a lone surrogate, which UTF-8 cannot express.
    """
    if "\0" in word or "\1" in word:
        word = word.replace("\1", "\1\1").replace("\0", "\1\2")
    try:
        return word.encode()
    except UnicodeEncodeError:
        raise EngineError(f"pgvector: {word!r} is no valid Unicode, PostgreSQL cannot store it") from None


def value(kind: FieldKind, given: Value) -> bytes:
    """A value of a field of this kind."""
    if kind == "keyword":
        return text(str(given))
    if kind == "boolean":
        return b"\1" if given else b"\0"
    return integer(int(given)) if kind == "integer" else double(float(given))


def array(kind: FieldKind, given: Sequence[Value]) -> bytes:
    """An array of values of a field of this kind; at least one."""
    parts = [value(kind, one) for one in given]
    header = _ARRAY.pack(_ONE_DIMENSION, _NO_NULLS, OIDS[kind], len(parts), _FIRST)
    return header + b"".join([_LENGTH.pack(len(part)) + part for part in parts])


def id_array(ids: Ids) -> bytes:
    """int64[n], n >= 1, as a bigint[]."""
    elements = np.empty(len(ids), dtype=[("length", ">i4"), ("value", ">i8")])
    elements["length"], elements["value"] = 8, ids
    return _ARRAY.pack(_ONE_DIMENSION, _NO_NULLS, OIDS["integer"], len(ids), _FIRST) + elements.tobytes()


def unpack_id(data: bytes | None) -> int:
    """A bigint."""
    return int(_INT8.unpack(data or b"")[0])


def unpack_float(data: bytes | None) -> float:
    """A double precision."""
    return float(_FLOAT8.unpack(data or b"")[0])


def copy_columns(schema: Schema) -> list[str]:
    """The columns in the order in which `copy_data` writes them: those of fixed width first."""
    aliases = [schema.aliases[field.name] for field in sorted(schema.fields, key=_varies)]
    return ["id", "embedding", *aliases]


def _varies(field: Field) -> bool:
    """Whether its values differ in width: texts do, and what may be missing."""
    return field.can_lack or field.kind == "keyword"


def copy_data(batch: Batch, schema: Schema) -> Iterator[bytes]:
    """A batch as COPY reads it, in pieces. Raises EngineError for values that PostgreSQL cannot store unchanged.

    The pieces are small enough for their memory to be used over and over: as a whole the data took twenty times as
    long to make, most of it for the kernel to hand out new pages.
    """
    fixed = [field for field in schema.fields if not _varies(field)]
    for field in schema.fields:
        if field.kind == "float" and np.isnan(occurring(batch.attributes[field.name])).any():
            raise EngineError(f"pgvector: NaN in '{field.name}': PostgreSQL takes it for the largest number")
    varying = [_encoded(field, batch.attributes[field.name]) for field in schema.fields if _varies(field)]
    layout = _row_layout(schema.dim, fixed)
    step = max(1, _PIECE_BYTES // layout.itemsize)
    yield _COPY_HEADER
    for start in range(0, len(batch), step):
        span = slice(start, start + step)
        rows = np.zeros(len(batch.ids[span]), dtype=layout)
        rows["columns"] = 2 + len(schema.fields)
        rows["id_length"], rows["id"] = 8, batch.ids[span]
        rows["embedding_length"], rows["dim"] = 4 + 4 * schema.dim, schema.dim
        rows["embedding"] = batch.vectors[span]
        for number, field in enumerate(fixed):
            rows[f"length{number}"] = layout[f"value{number}"].itemsize
            rows[f"value{number}"] = batch.attributes[field.name][span]
        if varying:
            records = rows.view(f"V{layout.itemsize}").tolist()
            values = [column[span] for column in varying]
            yield b"".join(chain.from_iterable(zip(records, *values, strict=True)))
        else:
            yield rows.tobytes()
    yield _COPY_TRAILER


def _row_layout(dim: int, fixed: Sequence[Field]) -> np.dtype[Any]:
    """Every column of fixed width of a row, each after its length."""
    layout: list[Any] = [
        ("columns", ">i2"),
        ("id_length", ">i4"),
        ("id", ">i8"),
        ("embedding_length", ">i4"),
        ("dim", ">u2"),
        ("unused", ">u2"),
        ("embedding", ">f4", (dim,)),
    ]
    for number, field in enumerate(fixed):
        layout += [(f"length{number}", ">i4"), (f"value{number}", _DTYPES[field.kind])]
    return np.dtype(layout)


def _encoded(field: Field, column: Column) -> list[bytes]:
    """One length and value a row; a missing value is null."""
    if isinstance(column, Keywords):
        return _words(column)
    return [
        _NULL if held is None or held == [] else _sized(_value_of(field.kind, held))
        for held in decoded(column)
    ]


def _value_of(kind: FieldKind, held: Any) -> bytes:
    return array("keyword", held) if kind == "tags" else value(kind, held)


def _sized(data: bytes) -> bytes:
    return _LENGTH.pack(len(data)) + data


def _words(column: Keywords) -> list[bytes]:
    """Each word is encoded once."""
    used, codes = np.unique(column.codes, return_inverse=True)
    encoded = np.empty(len(used), dtype=object)
    encoded[:] = [_NULL if code < 0 else _sized(text(column.vocabulary[code])) for code in used.tolist()]
    words: list[bytes] = encoded[codes].tolist()
    return words


def columns_beyond(batch: Batch, schema: Schema, size: int) -> list[str]:
    """The columns in which a batch has a text of more than `size` bytes."""
    keywords = {
        name: column for name, column in batch.attributes.items() if isinstance(column, Keywords | Tags)
    }
    return [
        schema.aliases[name]
        for name, column in keywords.items()
        if any(len(text(column.vocabulary[code])) > size for code in np.unique(occurring(column)).tolist())
    ]
