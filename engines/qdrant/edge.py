"""Qdrant's Rust core in-process, through qdrant-edge: a shard with HNSW and payload indexes."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import qdrant_edge as qe
from pydantic import BaseModel, ConfigDict, Field

from engines.base import Batch, Capabilities, Engine, EngineStats, FieldKind, Hits, Ids, Schema, Vectors
from engines.columns import Column, Nullable
from engines.filters import Filter
from engines.qdrant.edge_filters import Conditions, as_filter
from engines.qdrant.points import payload
from engines.qdrant.quantization import oversampled
from engines.values import disk
from engines.values.columns import column_of, prepared
from engines.values.vectors import require_query

_BATCH_BYTES = 4 << 20  # vectors in one operation; each is copied into the write-ahead log as a whole
_DISTANCES = {"l2": qe.Distance.Euclid, "ip": qe.Distance.Dot, "cosine": qe.Distance.Cosine}
_PAYLOAD: dict[FieldKind, Any] = {
    "keyword": qe.PayloadSchemaType.Keyword,
    "tags": qe.PayloadSchemaType.Keyword,  # of which a payload may hold a list
    "integer": qe.PayloadSchemaType.Integer,
    "float": qe.PayloadSchemaType.Float,
    "boolean": qe.PayloadSchemaType.Integer,  # stored as 0 and 1, see edge_filters.py
}


class IndexParams(BaseModel):
    """Under Qdrant's names. Thresholds in KB of vectors, 4 x dim bytes each.

    full_scan_threshold: a filter that matches less is answered by scanning what matches. indexing_threshold:
    a segment with less gets no graph. default_segment_number: 1 makes one graph of everything, as in the
    other engines. max_search_threads: of one query; 1, again as elsewhere (None: every core).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    m: Annotated[int, Field(ge=2, le=512)] = 16
    ef_construct: Annotated[int, Field(ge=4)] = 100
    full_scan_threshold: Annotated[int, Field(ge=10)] = 10_000  # as a server, which refuses less
    indexing_threshold: Annotated[int, Field(ge=1)] = 10_000
    max_indexing_threads: Annotated[int, Field(ge=0)] = 0
    default_segment_number: Annotated[int, Field(ge=0)] = 1
    max_segment_size: Annotated[int, Field(ge=1)] | None = None
    max_search_threads: Annotated[int, Field(ge=1)] | None = 1
    quantization: Literal["none", "scalar", "binary"] = "none"


class SearchParams(BaseModel):
    """hnsw_ef, acorn (a wider walk of the graph under filters), and how quantized candidates are refined.

    oversampling: see engines/qdrant/quantization.py.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    hnsw_ef: Annotated[int, Field(ge=1)] = 64
    acorn: bool = False
    rescore: bool = True
    oversampling: Annotated[float, Field(ge=1)] | None = None


class QdrantEdge(Engine):
    """One shard. Its binding holds Python's lock while it works: threads are safe and gain nothing."""

    capabilities = Capabilities(
        persistent=True,
        durable=True,
        immediate=True,
        thread_safe=True,
        thread_safe_writes=True,
        lookup=True,
        tags=True,
        missing=True,
        quantization=True,
    )
    IndexParams: ClassVar = IndexParams
    SearchParams: ClassVar = SearchParams

    def __init__(self, path: Path, index: BaseModel) -> None:
        assert isinstance(index, IndexParams)
        self._path, self._params = path, index
        self._shard: qe.EdgeShard | None = None
        self.configure(SearchParams())

    @classmethod
    def version(cls) -> str:
        return f"qdrant-edge {version('qdrant-edge-py')}"

    @property
    def _open(self) -> qe.EdgeShard:
        assert self._shard is not None, "create() or open() comes first"
        return self._shard

    def create(self, schema: Schema) -> None:
        self.close()
        disk.begin(self._path, schema, self._params)
        self._schema, self._conditions = schema, Conditions(schema)
        self._shard = qe.EdgeShard.create(str(self._path / "shard"), self._config(schema))
        for field in schema.fields:
            operation = qe.UpdateOperation.create_field_index(
                schema.aliases[field.name], _PAYLOAD[field.kind]
            )
            self._shard.update(operation)

    def open(self, schema: Schema) -> None:
        self.close()
        disk.verify(self._path, schema, self._params)
        self._schema, self._conditions = schema, Conditions(schema)
        self._shard = qe.EdgeShard.load(str(self._path / "shard"), self._config(schema))

    def _config(self, schema: Schema) -> qe.EdgeConfig:
        params = self._params
        quantization: Any = {
            "none": None,
            "scalar": qe.ScalarQuantizationConfig(qe.ScalarType.Int8, always_ram=True),
            "binary": qe.BinaryQuantizationConfig(always_ram=True),
        }[params.quantization]
        return qe.EdgeConfig(
            vectors=qe.EdgeVectorParams(size=schema.dim, distance=_DISTANCES[schema.metric]),
            hnsw_config=qe.HnswIndexConfig(
                m=params.m,
                ef_construct=params.ef_construct,
                full_scan_threshold=params.full_scan_threshold,
                max_indexing_threads=params.max_indexing_threads,
            ),
            quantization_config=quantization,
            optimizers=qe.EdgeOptimizersConfig(
                indexing_threshold=params.indexing_threshold,
                default_segment_number=params.default_segment_number,
                max_segment_size=params.max_segment_size,
            ),
            max_search_threads=params.max_search_threads,
        )

    def configure(self, search: BaseModel) -> None:
        assert isinstance(search, SearchParams)
        rounded = self._params.quantization != "none" and not search.rescore
        self.capabilities = replace(type(self).capabilities, exact_scores=not rounded)
        oversampling = oversampled(search.oversampling, self._params.quantization)
        refinement = qe.QuantizationSearchParams(rescore=search.rescore, oversampling=oversampling)
        self._approximate = qe.SearchParams(
            hnsw_ef=search.hnsw_ef,
            quantization=refinement if self._params.quantization != "none" else None,
            acorn=qe.AcornSearchParams(enable=True) if search.acorn else None,
        )
        self._exact = qe.SearchParams(exact=True, quantization=qe.QuantizationSearchParams(ignore=True))

    def index(self, batch: Batch) -> None:
        batch = prepared(batch, self._schema)
        size = max(1, _BATCH_BYTES // (4 * self._schema.dim))
        for start in range(0, len(batch), size):
            rows = slice(start, start + size)
            columns = {
                key: _values(batch.attributes[name][rows], name) for name, key in self._schema.aliases.items()
            }
            points = [
                qe.Point(id_, vector, payload.of_row(columns, row))
                for row, (id_, vector) in enumerate(
                    zip(batch.ids[rows].tolist(), batch.vectors[rows].tolist(), strict=True)
                )
            ]
            self._open.update(qe.UpdateOperation.upsert_points(points))

    def refresh(self) -> None:
        """Merges segments and builds their graphs; writes are searchable before, by scanning."""
        self._open.optimize()

    def query(self, vector: Vectors, k: int, where: Filter | None = None, *, exact: bool = False) -> Hits:
        require_query(vector, self._schema)
        hits = self._open.search(
            qe.SearchRequest(
                query=qe.Query.Nearest(vector.tolist()),
                limit=k,
                filter=None if where is None else as_filter(self._conditions.translate(where)),
                params=self._exact if exact else self._approximate,
            )
        )
        power = 2 if self._schema.metric == "l2" else 1  # Qdrant's distance is not squared
        ids: list[Any] = [hit.id for hit in hits]
        return Hits(ids, [hit.score**power for hit in hits])

    def get(self, ids: Ids) -> Batch:
        """Floats as they are stored, see `points.payload`; under cosine vectors of length 1."""
        asked = list(dict.fromkeys(ids.tolist()))
        held = {record.id: record for record in self._open.retrieve(asked, True, True)}
        found: list[Any] = [held[id_] for id_ in asked if id_ in held]
        columns = {
            field.name: column_of(
                [record.payload.get(self._schema.aliases[field.name]) for record in found], field.kind
            )
            for field in self._schema.fields
        }
        vectors = np.array([record.vector for record in found], np.float32).reshape(-1, self._schema.dim)
        return Batch(np.array([record.id for record in found], np.int64), vectors, columns)

    def delete(self, ids: Ids) -> None:
        self._open.update(qe.UpdateOperation.delete_points(ids.tolist()))

    def count(self) -> int:
        return self._open.count(qe.CountRequest(exact=True))

    def stats(self) -> EngineStats:
        info = self._open.info()
        details = {"segments": info.segments_count, "indexed_vectors": info.indexed_vectors_count}
        return EngineStats(self.count(), disk.used_bytes(self._path), details)

    def close(self) -> None:
        if self._shard is not None:
            self._shard.close()
            self._shard = None


def _values(column: Column, name: str) -> list[Any]:
    # Booleans as 0 and 1, see edge_filters.py.
    if isinstance(column, Nullable) and column.values.dtype == np.bool_:
        column = Nullable(column.values.astype(np.int64), column.present)
    elif isinstance(column, np.ndarray) and column.dtype == np.bool_:
        column = column.astype(np.int64)
    return payload.values(column, name)
