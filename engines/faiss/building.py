"""FAISS indexes by their parameters, and vectors as they hold them."""

from __future__ import annotations

from typing import Any

import faiss as _faiss
import numpy as np

from engines.base import Schema, Vectors
from engines.faiss.params import IndexParams
from engines.values.columns import normalized

faiss: Any = _faiss  # its type hints lack most of what SWIG generates

_SEED = 1234  # of the k-means that places the IVF centroids
_AT_ONCE = 8  # coordinates of bytes; where a few are left over, FAISS compares all of them one by one


def width(schema: Schema, params: IndexParams) -> int:
    """How many coordinates FAISS holds: with bytes some zeros more, which change no product and no distance."""
    return -(-schema.dim // _AT_ONCE) * _AT_ONCE if params.quantized else schema.dim


def held(vectors: Vectors, schema: Schema, params: IndexParams) -> Vectors:
    """Vectors float32[n, dim], or one, as FAISS holds them: float32[..., width]."""
    vectors = np.ascontiguousarray(vectors, np.float32)
    if schema.metric == "cosine":
        vectors = normalized(vectors)
    if more := width(schema, params) - schema.dim:
        vectors = np.concatenate([vectors, np.zeros((*vectors.shape[:-1], more), np.float32)], axis=-1)
    return vectors


def new_index(schema: Schema, params: IndexParams, rows: int) -> Any:
    """An empty index for about so many rows."""
    nlist = min(params.nlist, rows)
    stored = "SQ8,RFlat" if params.quantized else "Flat"
    kinds = {"flat": "Flat", "hnsw": f"HNSW{params.M},{stored}", "ivf": f"IVF{nlist},Flat"}
    metric = faiss.METRIC_L2 if schema.metric == "l2" else faiss.METRIC_INNER_PRODUCT
    index = faiss.index_factory(width(schema, params), kinds[params.kind], metric)
    if params.kind == "hnsw":
        graph = faiss.downcast_index(index.base_index) if params.quantized else index
        graph.hnsw.efConstruction = params.efConstruction
    if params.kind == "ivf":
        index.cp.seed = _SEED
        index.cp.min_points_per_centroid = 1  # the caller may choose fewer than FAISS recommends
    return index


def scanned(index: Any, params: IndexParams) -> Any:
    """What an exact search compares: of a graph the float32 vectors under it, or beside its bytes."""
    if params.kind != "hnsw":
        return index
    return faiss.downcast_index(index.refine_index if params.quantized else index.storage)
