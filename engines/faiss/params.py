"""The parameters of the FAISS engine."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from engines.base import EngineError
from engines.values.params import changed

Kind = Literal["flat", "hnsw", "ivf"]
_INDEX_KEYS = {"flat": set[str](), "hnsw": {"M", "efConstruction", "quantization"}, "ivf": {"nlist"}}
_SEARCH_KEYS = {"efSearch": "hnsw", "nprobe": "ivf"}


class IndexParams(BaseModel):
    """kind: which index; the others each only with its kind, most under FAISS' own names.

    quantization: `scalar` builds the graph on a byte a coordinate (SQ8), from the least to the greatest value among the
    vectors of the first refresh; what it finds is compared again by float32 vectors, which are kept too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Kind = "hnsw"
    M: Annotated[int, Field(ge=2, le=512)] = 16
    efConstruction: Annotated[int, Field(ge=1)] = 100  # noqa: N815 - FAISS' name
    nlist: Annotated[int, Field(ge=1)] = 128
    quantization: Literal["none", "scalar"] = "none"

    @property
    def quantized(self) -> bool:
        """Whether the graph is one of bytes."""
        return self.quantization != "none"

    @property
    def trained(self) -> bool:
        """Whether the index has to learn from vectors before it takes any."""
        return self.kind == "ivf" or self.quantized

    @model_validator(mode="after")
    def _goes_with_kind(self) -> IndexParams:
        stray = [name for name in changed(self) if name != "kind" and name not in _INDEX_KEYS[self.kind]]
        if stray:
            raise ValueError(f"{', '.join(stray)}: not a parameter of kind: {self.kind}, remove it")
        return self


class SearchParams(BaseModel):
    """efSearch (hnsw; raised to k where it is less), nprobe (ivf), and how a filter is applied.

    oversampling: of a quantized graph this many times k hits are compared again; efSearch is raised to as many.
    filtering: `pre` hands FAISS a bitmap of the matching rows; `post` fetches `fetch_factor` x k hits and
    drops those that do not match, so that fewer than k may remain. full_scan_threshold (with pre): if at
    most this many rows match, they are scanned instead of searched for in the graph or lists.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    efSearch: Annotated[int, Field(ge=1)] = 64  # noqa: N815 - FAISS' name
    nprobe: Annotated[int, Field(ge=1)] = 8
    filtering: Literal["pre", "post"] = "pre"
    fetch_factor: Annotated[int, Field(ge=1)] = 10
    full_scan_threshold: Annotated[int, Field(ge=0)] = 3000
    oversampling: Annotated[float, Field(ge=1)] = 1.0


def check(search: SearchParams, index: IndexParams) -> None:
    """Raises EngineError for a parameter that this index does not know."""
    for key, owner in _SEARCH_KEYS.items():
        if key in changed(search) and owner != index.kind:
            raise EngineError(f"faiss: {key} goes with kind: {owner}, this index is {index.kind}")
    if "oversampling" in changed(search) and not index.quantized:
        raise EngineError("faiss: oversampling goes with quantization: scalar, this index has none")
