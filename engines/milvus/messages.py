"""A collection's schema, rows and queries as messages of Milvus' gRPC interface."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from pymilvus.grpc_gen import common_pb2, milvus_pb2, schema_pb2  # type: ignore[import-untyped]

from engines.base import Batch, FieldKind, Schema
from engines.milvus.fields import MOST_TAGS, stored_columns, stored_fields
from engines.values.columns import normalized

# Of unit vectors: under COSINE, Milvus 2.3 gives zero vectors no score, or NaN, which upsets the order of the others.
METRICS = {"l2": "L2", "ip": "IP", "cosine": "IP"}
STRONG = common_pb2.ConsistencyLevel.Strong
_TYPES: dict[FieldKind, Any] = {
    "keyword": schema_pb2.DataType.VarChar,
    "tags": schema_pb2.DataType.Array,
    "integer": schema_pb2.DataType.Int64,
    "float": schema_pb2.DataType.Double,
    "boolean": schema_pb2.DataType.Bool,
}
_LONGEST_TEXT = 65_535  # bytes that a VARCHAR can hold
_OPTIONS = {
    "keyword": {"max_length": str(_LONGEST_TEXT)},
    "tags": {"max_length": str(_LONGEST_TEXT), "max_capacity": str(MOST_TAGS)},
}
_SORTED: dict[FieldKind, str] = {"keyword": "Trie", "integer": "STL_SORT", "float": "STL_SORT"}


def pairs(values: Mapping[str, Any]) -> list[Any]:
    """Key-value pairs; values other than text become JSON."""
    return [
        common_pb2.KeyValuePair(key=key, value=value if isinstance(value, str) else json.dumps(value))
        for key, value in values.items()
    ]


def collection_schema(name: str, schema: Schema, description: str) -> Any:
    """The fields `id`, `vector` and one for each alias."""
    fields = [
        schema_pb2.FieldSchema(name="id", data_type=schema_pb2.DataType.Int64, is_primary_key=True),
        schema_pb2.FieldSchema(
            name="vector",
            data_type=schema_pb2.DataType.FloatVector,
            type_params=pairs({"dim": str(schema.dim)}),
        ),
    ]
    for field, kind in stored_fields(schema).items():
        fields.append(
            schema_pb2.FieldSchema(
                name=field, data_type=_TYPES[kind], type_params=pairs(_OPTIONS.get(kind, {}))
            )
        )
        if kind == "tags":
            fields[-1].element_type = schema_pb2.DataType.VarChar
    return schema_pb2.CollectionSchema(name=name, description=description, fields=fields)


def scalar_index(kind: FieldKind, version: tuple[int, int]) -> str | None:
    """The index over a scalar field, None where the server has none."""
    return "INVERTED" if version >= (2, 4) else _SORTED.get(kind)


def writes(kind: Any, name: str, schema: Schema, batch: Batch, limit: int) -> Iterator[Any]:
    """A batch as requests of at most about `limit` bytes each. kind: InsertRequest or UpsertRequest."""
    columns = stored_columns(batch, schema)
    sizes = np.full(len(batch), 4 * schema.dim + 8 * (1 + len(columns)), np.int64)
    for column in columns.values():
        if isinstance(column, list):
            sizes += np.fromiter(map(_bytes_of, column), np.int64, len(batch))
    vectors = normalized(batch.vectors) if schema.metric == "cosine" else batch.vectors
    kinds = stored_fields(schema)
    for rows in _parts(sizes, limit):
        request = kind(collection_name=name, num_rows=rows.stop - rows.start)
        ids = request.fields_data.add(type=schema_pb2.DataType.Int64, field_name="id")
        ids.scalars.long_data.data.extend(batch.ids[rows].tolist())
        data = request.fields_data.add(type=schema_pb2.DataType.FloatVector, field_name="vector")
        data.vectors.dim = schema.dim
        data.vectors.float_vector.MergeFromString(_packed(vectors[rows].astype("<f4", copy=False)))
        for alias, column in columns.items():
            data = request.fields_data.add(type=_TYPES[kinds[alias]], field_name=alias)
            _fill(data.scalars, kinds[alias], column[rows])
        yield request


def _bytes_of(words: str | list[str]) -> int:
    if isinstance(words, str):
        return len(words.encode())
    return sum(8 + len(word.encode()) for word in words)


def _parts(sizes: npt.NDArray[np.int64], limit: int) -> Iterator[slice]:
    """Consecutive rows that together have at most `limit` bytes; a row that has more goes alone."""
    ends, start = np.cumsum(sizes), 0
    while start < len(sizes):
        before = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + limit, side="right")))
        yield slice(start, stop)
        start = stop


def _fill(scalars: Any, kind: FieldKind, column: Any) -> None:
    if kind == "keyword":
        scalars.string_data.data.extend(column)
    elif kind == "tags":
        scalars.array_data.element_type = schema_pb2.DataType.VarChar
        for words in column:
            scalars.array_data.data.add().string_data.data.extend(words)
    elif kind == "integer":
        scalars.long_data.data.extend(column.tolist())
    elif kind == "float":
        scalars.double_data.MergeFromString(_packed(column.astype("<f8", copy=False)))
    else:
        scalars.bool_data.MergeFromString(_packed(column.astype(np.uint8)))


def _packed(values: npt.NDArray[Any]) -> bytes:
    """A message whose field 1 is a packed list of these numbers: as extend() makes it, but 60 times as fast."""
    data, length, head = values.tobytes(), values.nbytes, bytearray(b"\n")
    while length > 127:
        head.append(length & 127 | 128)
        length >>= 7
    head.append(length)
    return bytes(head) + data


def search_head(dim: int) -> bytes:
    """What precedes a vector's bytes in the placeholder group of a search for one vector."""
    value = common_pb2.PlaceholderValue(
        tag="$0", type=common_pb2.PlaceholderType.FloatVector, values=[bytes(4 * dim)]
    )
    group: bytes = common_pb2.PlaceholderGroup(placeholders=[value]).SerializeToString()
    return group[: -4 * dim]


def search(name: str, metric: str, k: int, params: Mapping[str, Any], level: str) -> Any:
    """A search for the k nearest to one vector; vector, filter and guarantee timestamp are to be filled in."""
    options = {
        "anns_field": "vector",
        "topk": k,
        "metric_type": metric,
        "params": params,
        "round_decimal": -1,
    }
    return milvus_pb2.SearchRequest(
        collection_name=name,
        nq=1,
        dsl_type=common_pb2.DslType.BoolExprV1,
        search_params=pairs(options),
        consistency_level=common_pb2.ConsistencyLevel.Value(level),
    )


def decoded(reply: Any) -> tuple[list[int], list[float]]:
    """Ids and scores of the answer to a search for one vector."""
    results = reply.results
    return list(results.ids.int_id.data), list(results.scores)
