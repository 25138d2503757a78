"""The parameters of both Milvus engines, under Milvus' names."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from engines.base import EngineError
from engines.values.params import changed

_GRAPH, _LISTS = ("M", "efConstruction"), ("nlist",)
# Index type -> the parameters it is built with. What an index type does not take, it is not given.
BUILD: dict[str, tuple[str, ...]] = {
    "FLAT": (),
    "IVF_FLAT": _LISTS,
    "IVF_SQ8": _LISTS,
    "SCANN": (*_LISTS, "with_raw_data"),
    "HNSW": _GRAPH,
    "HNSW_SQ": _GRAPH,
}
# Search parameter -> the index types it goes with.
SEARCH: dict[str, tuple[str, ...]] = {
    "ef": ("HNSW", "HNSW_SQ"),
    "nprobe": ("IVF_FLAT", "IVF_SQ8", "SCANN"),
    "reorder_k": ("SCANN",),
}
EXACT = ("FLAT", "IVF_FLAT")  # no other type has a search that compares everything

ROUNDED = ("IVF_SQ8", "HNSW_SQ")  # scores are those of vectors rounded to one byte a number


class _Typed(BaseModel):
    """M and efConstruction go with the graphs, nlist with the lists."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    index_type: str
    M: Annotated[int, Field(ge=2, le=512)] = 16
    efConstruction: Annotated[int, Field(ge=1)] = 100  # noqa: N815 - Milvus' name
    nlist: Annotated[int, Field(ge=1)] = 128

    @model_validator(mode="after")
    def _goes_with_type(self) -> _Typed:
        known = {name for names in BUILD.values() for name in names}
        stray = [name for name in changed(self) if name in known and name not in self.build]
        if stray:
            raise ValueError(f"{', '.join(stray)}: no parameter of index_type: {self.index_type}, remove it")
        return self

    @property
    def build(self) -> dict[str, Any]:
        """The parameters of this index type."""
        return {name: getattr(self, name) for name in BUILD[self.index_type]}


class IndexParams(_Typed):
    """Milvus Lite's: M and efConstruction go with the graphs, nlist with the lists."""

    index_type: Literal["FLAT", "HNSW", "HNSW_SQ", "IVF_FLAT", "IVF_SQ8"] = "HNSW"


class ServerIndexParams(_Typed):
    """M and efConstruction go with the graphs, nlist with the lists, with_raw_data with SCANN.

    HNSW_SQ needs a server from 2.5 on. DISKANN is not offered: a server that is not configured for it accepts it and
    never finishes. shards_num: channels that writes are spread over. replica_number: copies in memory, each on query
    nodes of its own. in_flight: requests of a batch that are sent before the first is answered, each of at most
    request_bytes.
    """

    index_type: Literal["FLAT", "HNSW", "HNSW_SQ", "IVF_FLAT", "IVF_SQ8", "SCANN"] = "HNSW"
    with_raw_data: bool = True
    shards_num: Annotated[int, Field(ge=1, le=64)] = 1
    replica_number: Annotated[int, Field(ge=1)] = 1
    in_flight: Annotated[int, Field(ge=1, le=64)] = 4
    # A server takes requests of up to 64 MiB (proxy.grpc.serverMaxRecvSize).
    request_bytes: Annotated[int, Field(ge=1 << 12, le=32 << 20)] = 4 << 20


class SearchParams(BaseModel):
    """ef goes with the graphs and is raised to k where it is less; nprobe goes with the lists."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    ef: Annotated[int, Field(ge=1)] = 64
    nprobe: Annotated[int, Field(ge=1)] = 8


class ServerSearchParams(SearchParams):
    """ef goes with the graphs, nprobe with the lists, reorder_k with SCANN.

    consistency_level: how fresh an answer must be. Strong waits for everything acknowledged before the query,
    Session for what this client wrote, Bounded for what is older than 5 s, Eventually for nothing. reorder_k:
    candidates compared by their full vectors; ef and reorder_k are raised to k where they are less, as Milvus
    demands.
    """

    reorder_k: Annotated[int, Field(ge=1)] = 100
    consistency_level: Literal["Strong", "Session", "Bounded", "Eventually"] = "Bounded"


def for_type(search: SearchParams, index_type: str, k: int = 1) -> dict[str, int]:
    """The parameters of a query for k items. Raises EngineError for one that the index type does not have."""
    known = type(search).model_fields
    taken: dict[str, int] = {}
    for name, types in SEARCH.items():
        if name not in known:
            continue
        value = getattr(search, name)
        if index_type in types:
            # A server refuses a search with fewer candidates than hits.
            taken[name] = value if name == "nprobe" else max(value, k)
        elif name in changed(search):
            raise EngineError(f"milvus: {name} goes with {', '.join(types)}, not with {index_type}")
    return taken
