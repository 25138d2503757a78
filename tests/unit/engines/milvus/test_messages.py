"""Filters, rows and queries as Milvus' own types have them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.base import Batch, Field, Schema, UnsupportedError
from engines.columns import Nullable, Tags
from engines.filters import And, Eq, Exists, In, Not, Range

pytest.importorskip("pymilvus")

from pymilvus.grpc_gen import common_pb2, milvus_pb2, schema_pb2

from engines.milvus import messages
from engines.milvus.adapter import Milvus
from engines.milvus.filters import Expressions
from engines.milvus.params import ServerIndexParams
from tests.servers.fake_milvus import FakeMilvus
from tests.unit.engines.milvus.contents import SCHEMA, batch


@pytest.mark.parametrize(
    ("where", "text"),
    [
        (Eq("brand", 'a"\\\n'), 'f0 == "a\\"\\\\\\n"'),
        (In("brand", ("a", "b")), 'f0 in ["a", "b"]'),
        (Eq("price", -(2**63)), "f1 < -9223372036854775807"),
        (In("price", (-(2**63), 7)), "f1 == 7 or f1 < -9223372036854775807"),
        (Range("price", gte=-(2**63), lte=-(2**63)), "f1 < -9223372036854775807"),
        (Range("price", gt=1, lte=5), "f1 >= 2 and f1 < 6"),
        (Range("size", gt=0.1, lte=1e22), "f2 > 0.1 and f2 <= 1e+22"),
        (Not(And((Eq("new", True), Eq("size", 1)))), "not ((f3 == true) and (f2 == 1.0))"),
    ],
)
def test_filters_become_expressions(where: Any, text: str) -> None:
    assert Expressions(SCHEMA).translate(where) == text


LACKING = Schema(4, "l2", (Field("colours", "tags"), Field("stock", "integer", optional=True)))


@pytest.mark.parametrize(
    ("where", "text"),
    [
        (Eq("colours", 'a"'), 'array_contains(f0, "a\\"")'),
        (In("colours", ("a", "b")), 'array_contains_any(f0, ["a", "b"])'),
        (Exists("colours"), "f0_known == true"),
        (Not(Eq("stock", 3)), "not (f1_known == true and (f1 == 3))"),
        (Range("stock", gt=3), "f1_known == true and (f1 >= 4)"),
        (Range("stock", gte=-(2**63)), "f1_known == true"),
    ],
)
def test_what_may_be_missing_has_a_field_that_tells(where: Any, text: str) -> None:
    assert Expressions(LACKING).translate(where) == text


def test_tags_are_arrays_and_what_is_missing_is_told() -> None:
    columns = {
        "colours": Tags.encode([["red", "blue"], []]),
        "stock": Nullable(np.array([0, 3]), np.array([False, True])),
    }
    given = Batch(np.arange(2), np.zeros((2, 4), np.float32), columns)
    (request,) = messages.writes(milvus_pb2.InsertRequest, "c", LACKING, given, 1 << 20)
    held = {data.field_name: data.scalars for data in request.fields_data[2:]}
    assert [list(one.string_data.data) for one in held["f0"].array_data.data] == [["red", "blue"], []]
    assert list(held["f0_known"].bool_data.data) == [True, False]
    assert list(held["f1"].long_data.data) == [0, 3]
    assert list(held["f1_known"].bool_data.data) == [False, True]
    fields = messages.collection_schema("c", LACKING, "").fields[2:]
    assert [(field.name, field.data_type, field.element_type) for field in fields] == [
        ("f0", schema_pb2.DataType.Array, schema_pb2.DataType.VarChar),
        ("f0_known", schema_pb2.DataType.Bool, 0),
        ("f1", schema_pb2.DataType.Int64, 0),
        ("f1_known", schema_pb2.DataType.Bool, 0),
    ]


def test_more_tags_than_an_array_holds_are_refused() -> None:
    columns = {
        "colours": Tags.encode([[str(number) for number in range(4097)]]),
        "stock": np.zeros(1, np.int64),
    }
    given = Batch(np.arange(1), np.zeros((1, 4), np.float32), columns)
    with pytest.raises(
        UnsupportedError, match="'colours' has 4,097 tags of one item; Milvus holds 4,096 at most"
    ):
        list(messages.writes(milvus_pb2.InsertRequest, "c", LACKING, given, 1 << 20))


def test_rows_are_written_as_the_client_would() -> None:
    rows = 300
    column = np.random.default_rng(0).integers(-(2**63), 2**63 - 1, rows, dtype=np.int64)
    given = batch(rows)
    given = Batch(given.ids, given.vectors, {**given.attributes, "price": column})
    (request,) = messages.writes(milvus_pb2.InsertRequest, "c", SCHEMA, given, 1 << 20)
    expected = milvus_pb2.InsertRequest(
        collection_name="c",
        num_rows=rows,
        fields_data=[
            schema_pb2.FieldData(type=5, field_name="id", scalars={"long_data": {"data": range(rows)}}),
            schema_pb2.FieldData(
                type=101,
                field_name="vector",
                vectors={"dim": 4, "float_vector": {"data": given.vectors.reshape(-1).tolist()}},
            ),
            schema_pb2.FieldData(type=21, field_name="f0", scalars={"string_data": {"data": ["x"] * rows}}),
            schema_pb2.FieldData(type=5, field_name="f1", scalars={"long_data": {"data": column.tolist()}}),
            schema_pb2.FieldData(type=11, field_name="f2", scalars={"double_data": {"data": [0.5] * rows}}),
            schema_pb2.FieldData(type=1, field_name="f3", scalars={"bool_data": {"data": [True] * rows}}),
        ],
    )
    assert request == expected


def test_requests_are_bounded_by_bytes_whatever_the_strings() -> None:
    sizes = [
        (request.num_rows, request.ByteSize())
        for request in messages.writes(
            milvus_pb2.UpsertRequest, "c", SCHEMA, batch(50, word="é" * 3000), 1 << 16
        )
    ]
    assert sum(rows for rows, _ in sizes) == 50
    assert len(sizes) == 5
    assert all(size < 1 << 16 for _, size in sizes)
    # A row that is too large for one request goes alone, and the server says what it thinks of it.
    alone = messages.writes(milvus_pb2.UpsertRequest, "c", SCHEMA, batch(3, word="x" * 70_000), 1 << 16)
    assert [request.num_rows for request in alone] == [1, 1, 1]


@pytest.mark.parametrize("dim", [1, 31, 32, 4096, 32_768])
def test_a_query_holds_the_vector_as_the_client_would_write_it(dim: int) -> None:
    vector = np.random.default_rng(dim).standard_normal(dim).astype(np.float32)
    group = common_pb2.PlaceholderGroup.FromString(messages.search_head(dim) + vector.tobytes())
    value = common_pb2.PlaceholderValue(
        tag="$0", type=common_pb2.PlaceholderType.FloatVector, values=[vector.tobytes()]
    )
    assert group == common_pb2.PlaceholderGroup(placeholders=[value])


def test_older_servers_get_the_scalar_indexes_that_they_have() -> None:
    kinds = ("keyword", "integer", "float", "boolean")
    old = [messages.scalar_index(kind, (2, 3)) for kind in kinds]  # type: ignore[arg-type]
    assert old == ["Trie", "STL_SORT", "STL_SORT", None]
    assert {messages.scalar_index(kind, (2, 4)) for kind in kinds} == {"INVERTED"}  # type: ignore[arg-type]


def test_cosines_are_products_of_unit_vectors(server: FakeMilvus, tmp_path: Path) -> None:
    engine = Milvus(tmp_path, ServerIndexParams())
    engine.create(Schema(2, "cosine"))
    engine.index(Batch(np.arange(2), np.array([[3, 4], [0, 0]], dtype=np.float32)))
    engine.query(np.array([0, 5], dtype=np.float32), 1)
    engine.close()
    (index,), (insert,), (search,) = (server.requests(name) for name in ("CreateIndex", "Insert", "Search"))
    assert "IP" in {pair.value for pair in index.extra_params}
    assert insert.fields_data[1].vectors.float_vector.data[:] == pytest.approx([0.6, 0.8, 0, 0])
    assert search.placeholder_group.endswith(np.array([0, 1], np.float32).tobytes())
