"""The parameters of the OpenSearch engine, and the mapping, settings and search options made of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, model_validator

from engines.base import EngineError, Metric, Schema
from engines.lucene.params import LuceneParams

MOST_CANDIDATES = 10_000  # that OpenSearch takes as k
# Cosines are the inner products of vectors that the adapter gives length 1: the space cosinesimil refuses zero vectors.
SPACES: dict[Metric, str] = {"l2": "l2", "ip": "innerproduct", "cosine": "innerproduct"}


class IndexParams(LuceneParams):
    """Under OpenSearch's names.

    engine: the library that builds and walks the graphs, with m and ef_construction. mode, compression_level: of the
    mapping; which go together and with an engine depends on the version, and the server refuses the others.
    concurrent_segment_search: index.search.concurrent_segment_search.mode; none: one thread a query. The others: see
    LuceneParams.
    """

    engine: Literal["lucene", "faiss"] = "lucene"
    m: Annotated[int, Field(ge=2, le=100)] = 16
    ef_construction: Annotated[int, Field(ge=2)] = 100
    mode: Literal["in_memory", "on_disk"] = "in_memory"
    compression_level: Literal["1x", "2x", "4x", "8x", "16x", "32x"] = "1x"
    concurrent_segment_search: Literal["none", "auto", "all"] = "none"

    @property
    def quantized(self) -> bool:
        """Whether vectors are compared in a shorter form first."""
        return self.compression_level != "1x"

    def vector(self, schema: Schema) -> dict[str, Any]:
        return {
            "type": "knn_vector",
            "dimension": schema.dim,
            "space_type": SPACES[schema.metric],
            "mode": self.mode,
            "compression_level": self.compression_level,
            "method": {
                "name": "hnsw",
                "engine": self.engine,
                "parameters": {"m": self.m, "ef_construction": self.ef_construction},
            },
        }

    def settings(self) -> dict[str, Any]:
        mode = self.concurrent_segment_search
        return {**super().settings(), "knn": True, "search.concurrent_segment_search.mode": mode}


class SearchParams(BaseModel):
    """ef_search: of each segment; raised to the number of candidates where it is less.

    oversample_factor: of rescore, for compressed vectors: this many times k candidates are compared again by the
    original vectors. 0: none are, and scores are approximate. Default: 1 up to 4x, 3 beyond, as 8x and more lose.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    ef_search: Annotated[int, Field(ge=1, le=MOST_CANDIDATES)] = 64
    oversample_factor: Annotated[float, Field(ge=0, le=100)] | None = None

    @model_validator(mode="after")
    def _is_known(self) -> SearchParams:
        if self.oversample_factor is not None and 0 < self.oversample_factor < 1:
            raise ValueError(
                f"oversample_factor must be 0 or between 1 and 100, got {self.oversample_factor}"
            )
        return self

    def factor(self, index: IndexParams) -> float:
        """How many times k candidates there are. Raises EngineError where the index has nothing to rescore."""
        if not index.quantized:
            if self.oversample_factor is not None:
                raise EngineError("opensearch: oversample_factor needs a compression_level other than 1x")
            return 0.0
        if self.oversample_factor is not None:
            return self.oversample_factor
        return 1.0 if index.compression_level in ("2x", "4x") else 3.0

    def options(self, index: IndexParams, candidates: int) -> bytes:
        """The parameters of a knn query for this many candidates, as members in JSON.

        Not the factor, which the adapter applies to k: OpenSearch 3.5 ignores it with the engine lucene.
        """
        options: dict[str, Any] = {"method_parameters": {"ef_search": max(self.ef_search, candidates)}}
        if index.quantized:
            options["rescore"] = {"oversample_factor": 1.0} if self.factor(index) else False
        return b",%b" % orjson.dumps(options)[1:-1]
