"""The parameters of the Milvus engine."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from engines.base import EngineError
from engines.params import changed

GRAPHS, LISTS = ("HNSW", "HNSW_SQ"), ("IVF_FLAT", "IVF_SQ8")
EXACT = ("FLAT", "IVF_FLAT")  # the others cannot be made to compare everything


class IndexParams(BaseModel):
    """Under Milvus' names; M and efConstruction go with the graphs, nlist with the lists."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    index_type: Literal["FLAT", "HNSW", "HNSW_SQ", "IVF_FLAT", "IVF_SQ8"] = "HNSW"
    M: Annotated[int, Field(ge=2, le=512)] = 16
    efConstruction: Annotated[int, Field(ge=1)] = 100  # noqa: N815 - Milvus' name
    nlist: Annotated[int, Field(ge=1)] = 128

    @model_validator(mode="after")
    def _goes_with_type(self) -> IndexParams:
        stray = [name for name in changed(self) if name not in ("index_type", *self.build)]
        if stray:
            raise ValueError(f"{', '.join(stray)}: no parameter of index_type: {self.index_type}, remove it")
        return self

    @property
    def build(self) -> dict[str, int]:
        """The parameters of this index type."""
        if self.index_type in GRAPHS:
            return {"M": self.M, "efConstruction": self.efConstruction}
        return {"nlist": self.nlist} if self.index_type in LISTS else {}


class SearchParams(BaseModel):
    """ef goes with the graphs, nprobe with the lists."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    ef: Annotated[int, Field(ge=1)] = 64
    nprobe: Annotated[int, Field(ge=1)] = 8


def for_type(search: SearchParams, index_type: str) -> dict[str, int]:
    """What Milvus is given with each query. Raises EngineError for what the index does not know."""
    taken: dict[str, int] = {}
    for name, types in {"ef": GRAPHS, "nprobe": LISTS}.items():
        if index_type in types:
            taken[name] = getattr(search, name)
        elif name in changed(search):
            raise EngineError(f"milvus: {name} goes with {' and '.join(types)}, not with {index_type}")
    return taken
