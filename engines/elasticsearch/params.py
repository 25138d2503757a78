"""The parameters of the Elasticsearch engine, and the mapping and search options made of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from engines.base import EngineError, Metric, Schema
from engines.lucene.params import LuceneParams
from engines.values.params import changed

# Docs: "dense_vector", similarity. Cosines are the inner products of vectors that the adapter gives length 1, which the
# docs call the most efficient way; the similarities cosine and dot_product refuse zero vectors.
_SIMILARITY: dict[Metric, str] = {
    "l2": "l2_norm",
    "ip": "max_inner_product",
    "cosine": "max_inner_product",
}


class IndexParams(LuceneParams):
    """Under Elasticsearch's names.

    type, m, ef_construction: of index_options; m and ef_construction go with the graphs (*_hnsw). script_score: exact
    queries over any type, by a script that every official distribution can run. The others: see LuceneParams.
    """

    type: Literal[
        "hnsw", "int8_hnsw", "int4_hnsw", "bbq_hnsw", "flat", "int8_flat", "int4_flat", "bbq_flat"
    ] = "hnsw"
    m: Annotated[int, Field(ge=2, le=512)] = 16
    ef_construction: Annotated[int, Field(ge=1, le=3200)] = 100
    hnsw_filter_heuristic: Literal["acorn", "fanout"] = "acorn"
    script_score: bool = False

    @model_validator(mode="after")
    def _goes_with_type(self) -> IndexParams:
        graph = ("m", "ef_construction", "hnsw_filter_heuristic")
        stray = [name for name in changed(self) if name in graph and not self.graph]
        if stray:
            raise ValueError(f"{', '.join(stray)}: no parameter of type: {self.type}, remove it")
        return self

    @property
    def graph(self) -> bool:
        """Whether there is a graph, and so approximate search."""
        return self.type.endswith("hnsw")

    @property
    def quantized(self) -> bool:
        """Whether vectors are compared in a shorter form first."""
        return self.type not in ("hnsw", "flat")

    def vector(self, schema: Schema) -> dict[str, Any]:
        options: dict[str, Any] = {"type": self.type}
        if self.graph:
            options |= {"m": self.m, "ef_construction": self.ef_construction}
        return {
            "type": "dense_vector",
            "dims": schema.dim,
            "similarity": _SIMILARITY[schema.metric],
            "index_options": options,
        }

    def settings(self) -> dict[str, Any]:
        graph = {"dense_vector.hnsw_filter_heuristic": self.hnsw_filter_heuristic} if self.graph else {}
        return {**super().settings(), **graph}


# Rescoring k candidates only orders them: an item that is not among them stays lost. README.md has the recall.
_OVERSAMPLE = {"int8": 1.0, "int4": 2.0, "bbq": 3.0}


class SearchParams(BaseModel):
    """num_candidates: of each shard; Elasticsearch's ef, raised to k where it is less.

    oversample: of rescore_vector, for the quantized types: this many times k candidates are compared again by the
    original vectors. 0: none are, and scores are approximate. Default: 3 for bbq_*, which is Elasticsearch's, 2 for
    int4_*, which its documentation advises, 1 for int8_*.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    num_candidates: Annotated[int, Field(ge=1, le=10_000)] = 64
    oversample: Annotated[float, Field(ge=0, le=10)] | None = None

    @model_validator(mode="after")
    def _is_known(self) -> SearchParams:
        if self.oversample is not None and 0 < self.oversample < 1:
            raise ValueError(f"oversample must be 0 or between 1 and 10, got {self.oversample}")
        return self

    def rescoring(self, index: IndexParams) -> bytes:
        """These parameters as members of a knn query, in JSON. Raises EngineError where there is nothing to rescore."""
        if not index.quantized:
            if self.oversample is not None:
                raise EngineError(
                    f"elasticsearch: oversample goes with quantized types, not with {index.type}"
                )
            return b""
        factor = _OVERSAMPLE[index.type.partition("_")[0]] if self.oversample is None else self.oversample
        return b',"rescore_vector":{"oversample":%b}' % str(factor).encode()
