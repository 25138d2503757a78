"""The parameters of the Qdrant server engine, and the collection they make."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from qdrant_client import models

from engines.base import FieldKind, Metric, Schema
from engines.qdrant.quantization import oversampled
from engines.server.ownership import MARK
from engines.values.contents import contents
from engines.values.params import changed

DISTANCES: dict[Metric, models.Distance] = {
    "l2": models.Distance.EUCLID,
    "ip": models.Distance.DOT,
    "cosine": models.Distance.COSINE,
}
PAYLOAD: dict[FieldKind, models.PayloadSchemaType] = {
    "keyword": models.PayloadSchemaType.KEYWORD,
    "tags": models.PayloadSchemaType.KEYWORD,  # of which a payload may hold a list
    "integer": models.PayloadSchemaType.INTEGER,
    "float": models.PayloadSchemaType.FLOAT,
    "boolean": models.PayloadSchemaType.BOOL,
}
NEVER = 0  # as indexing_threshold: no segment gets a graph
_GOES_WITH = {"quantile": "scalar", "compression": "product"}


class IndexParams(BaseModel):
    """Under Qdrant's names. Thresholds in KB of vectors, 4 x dim bytes each.

    full_scan_threshold: a filter that matches less is answered by scanning what matches. indexing_threshold:
    a segment with less gets no graph; 0: none does. default_segment_number: 1 makes one graph of everything and
    so one thread of a query, as in the other engines (0: a segment a core). max_segment_size: bounds a
    segment, and so a graph (None: by the number of cores). No graph is built before the first refresh that finds
    points, as Qdrant advises for loading in bulk. always_ram: of quantized vectors. prefer_grpc: gRPC instead of REST.
    batch_size, parallel: points in a request and requests in flight while loading.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    m: Annotated[int, Field(ge=2, le=512)] = 16
    ef_construct: Annotated[int, Field(ge=4)] = 100
    full_scan_threshold: Annotated[int, Field(ge=10)] = 10_000  # a server refuses less
    max_indexing_threads: Annotated[int, Field(ge=0)] = 0
    hnsw_on_disk: bool = False
    vectors_on_disk: bool = False
    indexing_threshold: Annotated[int, Field(ge=0)] = 10_000
    default_segment_number: Annotated[int, Field(ge=0)] = 1
    max_segment_size: Annotated[int, Field(ge=1)] | None = None
    quantization: Literal["none", "scalar", "binary", "product"] = "none"
    quantile: Annotated[float, Field(ge=0.5, le=1)] | None = None
    compression: Literal["x4", "x8", "x16", "x32", "x64"] = "x16"
    always_ram: bool = True
    shard_number: Annotated[int, Field(ge=1)] = 1
    replication_factor: Annotated[int, Field(ge=1)] = 1
    write_consistency_factor: Annotated[int, Field(ge=1)] = 1
    prefer_grpc: bool = False
    batch_size: Annotated[int, Field(ge=1)] = 1000
    parallel: Annotated[int, Field(ge=1, le=64)] = 4

    @model_validator(mode="after")
    def _goes_with_quantization(self) -> IndexParams:
        given = changed(self)
        stray = [name for name, kind in _GOES_WITH.items() if name in given and self.quantization != kind]
        stray += ["always_ram"] if "always_ram" in given and self.quantization == "none" else []
        if stray:
            raise ValueError(
                f"{', '.join(stray)}: no parameter of quantization: {self.quantization}, remove it"
            )
        return self


class SearchParams(BaseModel):
    """hnsw_ef, acorn (a wider walk of the graph under filters), and how quantized candidates are refined.

    rescore: compare candidates by their original vectors. oversampling: this many times k candidates; None: 4 for
    binary and product quantization, 1 for scalar.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    hnsw_ef: Annotated[int, Field(ge=1)] = 64
    acorn: bool = False
    rescore: bool = True
    oversampling: Annotated[float, Field(ge=1)] | None = None


def collection(schema: Schema, params: IndexParams) -> dict[str, Any]:
    """The arguments of `QdrantClient.create_collection`, but for the name."""
    return {
        "vectors_config": models.VectorParams(
            size=schema.dim, distance=DISTANCES[schema.metric], on_disk=params.vectors_on_disk
        ),
        "hnsw_config": models.HnswConfigDiff(
            m=params.m,
            ef_construct=params.ef_construct,
            full_scan_threshold=params.full_scan_threshold,
            max_indexing_threads=params.max_indexing_threads,
            on_disk=params.hnsw_on_disk,
        ),
        "optimizers_config": models.OptimizersConfigDiff(
            indexing_threshold=NEVER,  # while it is loaded; see `settle`
            default_segment_number=params.default_segment_number,
            max_segment_size=params.max_segment_size,
        ),
        "quantization_config": _quantization(params),
        "shard_number": params.shard_number,
        "replication_factor": params.replication_factor,
        "write_consistency_factor": params.write_consistency_factor,
        "metadata": {MARK: contents(schema, params)},
    }


def _quantization(params: IndexParams) -> models.QuantizationConfig | None:
    ram = params.always_ram
    match params.quantization:
        case "scalar":
            scalar = models.ScalarQuantizationConfig(
                type=models.ScalarType.INT8, quantile=params.quantile, always_ram=ram
            )
            return models.ScalarQuantization(scalar=scalar)
        case "binary":
            return models.BinaryQuantization(binary=models.BinaryQuantizationConfig(always_ram=ram))
        case "product":
            ratio = models.CompressionRatio(params.compression)
            return models.ProductQuantization(
                product=models.ProductQuantizationConfig(compression=ratio, always_ram=ram)
            )
        case _:
            return None


def searching(search: SearchParams, params: IndexParams, *, exact: bool) -> models.SearchParams:
    """What goes with every query."""
    if exact:
        ignore = models.QuantizationSearchParams(ignore=True)
        return models.SearchParams(exact=True, quantization=ignore)
    refinement = models.QuantizationSearchParams(
        rescore=search.rescore, oversampling=oversampled(search.oversampling, params.quantization)
    )
    return models.SearchParams(
        hnsw_ef=search.hnsw_ef,
        quantization=refinement if params.quantization != "none" else None,
        acorn=models.AcornSearchParams(enable=True) if search.acorn else None,
    )
