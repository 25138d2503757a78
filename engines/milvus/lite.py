"""Milvus Lite through pymilvus. It is a gRPC server on threads of this very process, written in Python."""

from __future__ import annotations

import logging
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar
from zlib import crc32

from milvus_lite.server_manager import server_manager_instance  # type: ignore[import-untyped]
from pydantic import BaseModel
from pymilvus import DataType, MilvusClient  # type: ignore[import-untyped]

from engines.base import (
    Batch,
    Capabilities,
    Engine,
    EngineError,
    EngineStats,
    FieldKind,
    Hits,
    Ids,
    Schema,
    UnsupportedError,
    Vectors,
)
from engines.filters import Filter
from engines.milvus.fields import MOST_TAGS, stored_columns, stored_fields
from engines.milvus.filters import Expressions
from engines.milvus.params import EXACT, ROUNDED, IndexParams, SearchParams, for_type
from engines.values import disk
from engines.values.columns import prepared
from engines.values.vectors import require_query

# They print the traceback of every failed request, which is raised here as well. gRPC's server also prints that of a
# call at every connect, which Milvus Lite does not have and pymilvus can do without.
for _name in ("pymilvus", "milvus_lite", "grpc._server"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)

_BATCH_BYTES = 16 << 20  # vectors in one request; gRPC refuses messages of 256 MiB
_METRICS = {"l2": "L2", "ip": "IP", "cosine": "COSINE"}
_TYPES: dict[FieldKind, tuple[DataType, dict[str, Any]]] = {
    "keyword": (DataType.VARCHAR, {"max_length": 65_535}),
    "tags": (
        DataType.ARRAY,
        {"element_type": DataType.VARCHAR, "max_length": 65_535, "max_capacity": MOST_TAGS},
    ),
    "integer": (DataType.INT64, {}),
    "float": (DataType.DOUBLE, {}),
    "boolean": (DataType.BOOL, {}),
}


class MilvusLite(Engine):
    """One collection in one Milvus Lite database."""

    capabilities = Capabilities(
        persistent=True,
        durable=True,
        immediate=True,
        thread_safe=True,
        tags=True,
        missing=True,
        quantization=True,
    )
    IndexParams: ClassVar = IndexParams
    SearchParams: ClassVar = SearchParams

    def __init__(self, path: Path, index: BaseModel) -> None:
        assert isinstance(index, IndexParams)
        self._database, self._path, self._params = str(path.absolute() / "milvus.db"), path, index
        self._client: MilvusClient | None = None
        self.capabilities = replace(
            type(self).capabilities,
            exact=index.index_type in EXACT,
            exact_scores=index.index_type not in ROUNDED,
        )
        self.configure(SearchParams())

    @classmethod
    def version(cls) -> str:
        return f"milvus-lite {version('milvus-lite')}, pymilvus {version('pymilvus')}"

    @property
    def _open(self) -> MilvusClient:
        assert self._client is not None, "create() or open() comes first"
        return self._client

    def create(self, schema: Schema) -> None:
        self.close()
        disk.begin(self._path, schema, self._params)
        self._name(schema)
        fields = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        fields.add_field("id", DataType.INT64, is_primary=True)
        fields.add_field("vector", DataType.FLOAT_VECTOR, dim=schema.dim)
        for field, kind in stored_fields(schema).items():
            fields.add_field(field, _TYPES[kind][0], **_TYPES[kind][1])
        index = MilvusClient.prepare_index_params()
        index.add_index(
            "vector",
            index_type=self._params.index_type,
            metric_type=_METRICS[schema.metric],
            # Twice wrapped: pymilvus unwraps the outer one, Milvus Lite ignores parameters without the inner.
            params={"params": self._params.build},
        )
        self._client = MilvusClient(self._database)
        self._client.create_collection(self._collection, schema=fields, index_params=index)
        self._check_index()

    def _name(self, schema: Schema) -> None:
        # pymilvus remembers a collection's fields by port and name beyond the life of the server on that
        # port, so collections of different fields must not share a name.
        self._expressions = Expressions(schema)
        self._schema, self._collection = schema, f"items_{crc32(repr(schema).encode()):08x}"

    def _check_index(self) -> None:
        taken = self._open.describe_index(self._collection, "vector")
        if taken.get("params", {}) != self._params.build:
            raise EngineError(f"milvus: index parameters {self._params.build} were ignored, it made {taken}")

    def open(self, schema: Schema) -> None:
        self.close()
        disk.verify(self._path, schema, self._params)
        self._name(schema)
        self._client = MilvusClient(self._database)
        self._client.load_collection(self._collection)

    def configure(self, search: BaseModel) -> None:
        assert isinstance(search, SearchParams)
        for_type(search, self._params.index_type)
        self._search = search

    def index(self, batch: Batch) -> None:
        batch = prepared(batch, self._schema)
        size = max(1, _BATCH_BYTES // (4 * self._schema.dim))
        for start in range(0, len(batch), size):
            rows = slice(start, start + size)
            columns: dict[str, Any] = {"id": batch.ids[rows].tolist(), "vector": batch.vectors[rows]}
            for name, column in stored_columns(batch[rows], self._schema).items():
                columns[name] = column if isinstance(column, list) else column.tolist()
            items = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
            self._open.upsert(self._collection, items)

    def refresh(self) -> None:
        """Writes segments, merges them and builds their indexes; writes are searchable before, by scanning.

        Milvus Lite calls every index finished whether it is built or not, and only logs when building
        fails: so this waits for its background worker and looks at the files.
        """
        self._open.flush(self._collection)
        _, database, _ = server_manager_instance._servers[self._database]
        database.get_collection(self._collection)._wait_for_bg()
        partitions = Path(self._database, "collections", self._collection, "partitions")
        segments = {file.stem for file in partitions.glob("*/data/data_*.parquet")}
        indexed = {file.name.partition(".")[0] for file in partitions.glob("*/indexes/*.idx")}
        if missing := segments - indexed:
            raise EngineError(f"milvus: {len(missing)} of {len(segments)} segments were not indexed")

    def query(self, vector: Vectors, k: int, where: Filter | None = None, *, exact: bool = False) -> Hits:
        if exact and self._params.index_type not in EXACT:
            raise UnsupportedError(f"Milvus Lite has no exact search over {self._params.index_type}")
        require_query(vector, self._schema)
        params = for_type(self._search, self._params.index_type, k)
        if exact and "nprobe" in params:
            params["nprobe"] = self._params.nlist
        found = self._open.search(
            self._collection,
            data=[vector],
            anns_field="vector",
            limit=k,
            filter="" if where is None else self._expressions.translate(where),
            search_params={"params": params},
        )
        return Hits(found[0].ids, found[0].distances)  # for L2 they are squared already

    def delete(self, ids: Ids) -> None:
        if len(ids):
            self._open.delete(self._collection, ids=ids.tolist())

    def count(self) -> int:
        return int(self._open.get_collection_stats(self._collection)["row_count"])

    def stats(self) -> EngineStats:
        return EngineStats(self.count(), disk.used_bytes(self._path), {"index_type": self._params.index_type})

    def close(self) -> None:
        if self._client is not None:
            self._client.flush(self._collection)
            self._client.close()
            self._client = None
            server_manager_instance.release_server(self._database)
