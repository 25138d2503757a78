"""The parameters of the pgvector engine, and what they are called on the server."""

from __future__ import annotations

from math import ceil
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from engines.base import EngineError
from engines.values.params import changed

_OF_TYPE = {"hnsw": ("m", "ef_construction"), "ivfflat": ("lists",), "none": ()}
_BINARY_OVERSAMPLING = 4.0  # at 1 a third of the nearest is lost, see README.md
_MOST_EF = 1000  # that pgvector takes as ef_search
_OF_BUILD = ("quantization", "maintenance_work_mem", "max_parallel_maintenance_workers")


class IndexParams(BaseModel):
    """Under pgvector's and PostgreSQL's names.

    index_type: none scans and sorts. m and ef_construction go with hnsw, lists with ivfflat. quantization: of the
    index; the table keeps float32, and the distances of what the index finds are computed from that.
    maintenance_work_mem ("2GB") and max_parallel_maintenance_workers: while an index is built; None: the
    server's own. index_cleanup: whether the VACUUM of `refresh` takes dead entries out of the indexes, which repairs
    the graph around each; off, as PostgreSQL leaves them until a fifth of the table is dead.
    connections: how many load at the same time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    index_type: Literal["hnsw", "ivfflat", "none"] = "hnsw"
    m: Annotated[int, Field(ge=2, le=100)] = 16
    ef_construction: Annotated[int, Field(ge=4, le=1000)] = 100
    lists: Annotated[int, Field(ge=1, le=32_768)] = 128
    quantization: Literal["none", "halfvec", "binary"] = "none"
    maintenance_work_mem: Annotated[str, Field(pattern=r"^\d+(kB|MB|GB)$")] | None = None
    max_parallel_maintenance_workers: Annotated[int, Field(ge=0, le=1024)] | None = None
    index_cleanup: Literal["auto", "on", "off"] = "off"
    connections: Annotated[int, Field(ge=1, le=64)] = 4

    @model_validator(mode="after")
    def _goes_with_type(self) -> IndexParams:
        known = (*_OF_TYPE[self.index_type], "index_type", "index_cleanup", "connections")
        known += _OF_BUILD if self.index_type != "none" else ()
        if stray := [name for name in changed(self) if name not in known]:
            raise ValueError(f"{', '.join(stray)}: no parameter of index_type: {self.index_type}, remove it")
        if self.index_type == "hnsw" and self.ef_construction < 2 * self.m:
            raise ValueError(f"ef_construction must be >= 2 * m, got {self.ef_construction} with m {self.m}")
        return self

    @property
    def build(self) -> dict[str, int]:
        """The parameters of this index type."""
        return {name: getattr(self, name) for name in _OF_TYPE[self.index_type]}

    @property
    def build_settings(self) -> dict[str, str]:
        """What to set on a connection before it builds an index."""
        given = {name: getattr(self, name) for name in _OF_BUILD[1:]}
        return {name: str(value) for name, value in given.items() if value is not None}


class SearchParams(BaseModel):
    """ef_search, max_scan_tuples and scan_mem_multiplier go with hnsw, probes and max_probes with ivfflat.

    ef_search: raised to the number of candidates (k times oversampling) where it is less, up to 1,000.

    iterative_scan: go on through the index while a filter leaves fewer than k hits; strict_order exists for hnsw
    only. oversampling: k times this many hits of a quantized index are compared by their float32 vectors; None: 4 for
    binary, 1 for halfvec.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    ef_search: Annotated[int, Field(ge=1, le=_MOST_EF)] = 64
    iterative_scan: Literal["off", "relaxed_order", "strict_order"] = "relaxed_order"
    max_scan_tuples: Annotated[int, Field(ge=1)] = 20_000
    scan_mem_multiplier: Annotated[float, Field(ge=1, le=1000)] = 1.0
    probes: Annotated[int, Field(ge=1, le=32_768)] = 8
    max_probes: Annotated[int, Field(ge=1, le=32_768)] = 32_768
    oversampling: Annotated[float, Field(ge=1)] | None = None


_SETTINGS = {
    "hnsw": ("ef_search", "iterative_scan", "max_scan_tuples", "scan_mem_multiplier"),
    "ivfflat": ("probes", "iterative_scan", "max_probes"),
    "none": (),
}


def oversampled(search: SearchParams, index: IndexParams) -> float:
    """How many times k candidates are compared by their float32 vectors."""
    if search.oversampling is not None:
        return search.oversampling
    return _BINARY_OVERSAMPLING if index.quantization == "binary" else 1.0


def effort(search: SearchParams, index: IndexParams, k: int) -> int:
    """The ef_search of queries for k items: at least as many as candidates are wanted, and as PostgreSQL allows."""
    return max(search.ef_search, min(ceil(k * oversampled(search, index)), _MOST_EF))


def settings(search: SearchParams, index: IndexParams, k: int = 1) -> dict[str, str]:
    """Settings of a connection that queries for k items. Raises EngineError for one that the index type lacks."""
    kind, quantized = index.index_type, index.quantization != "none"
    known = (*_SETTINGS[kind], *(["oversampling"] if quantized else []))
    if stray := [name for name in changed(search) if name not in known]:
        what = f"index_type: {kind}, quantization: {index.quantization}"
        raise EngineError(f"pgvector: {', '.join(stray)}: no parameter of {what}, remove it")
    if kind == "ivfflat" and search.iterative_scan == "strict_order":
        raise EngineError("pgvector: ivfflat has no iterative_scan: strict_order, use relaxed_order or off")
    given = {name: getattr(search, name) for name in _SETTINGS[kind]}
    if "ef_search" in given:
        given["ef_search"] = effort(search, index, k)
    return {f"{kind}.{name}": str(value) for name, value in given.items()}
