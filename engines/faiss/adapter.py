"""FAISS in-process: flat, HNSW and IVF indexes, HNSW also on bytes, filtered before or after the search.

FAISS stores vectors under row numbers and nothing else. Attributes, ids and deletions live in a
`ColumnStore` beside it; a filter becomes a bitmap over the rows.
"""

from __future__ import annotations

import math
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import faiss as _faiss
import numpy as np
from pydantic import BaseModel

from engines.base import Batch, Capabilities, Engine, EngineError, EngineStats, Hits, Ids, Schema, Vectors
from engines.faiss.building import held, new_index, scanned, width
from engines.faiss.params import IndexParams, SearchParams, check
from engines.filters import Filter, Mask, matches
from engines.values import disk
from engines.values.columns import ColumnStore, prepared
from engines.values.growing import Growable
from engines.values.vectors import require_query

faiss: Any = _faiss  # its type hints lack most of what SWIG generates

_INDEX_FILE = "index.faiss"
_MANY = 256  # rows in a batch
_NONE = Hits(np.empty(0, np.int64), np.empty(0, np.float32))


class Faiss(Engine):
    """One FAISS index. Queries and small batches run on the calling thread, builds on every core."""

    capabilities = Capabilities(
        persistent=True,
        immediate=True,
        thread_safe=True,
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
        # What has to be trained first is searchable only after the first refresh that found vectors.
        self.capabilities = replace(
            type(self).capabilities, immediate=not index.trained, lookup=index.kind != "ivf"
        )
        self._search = SearchParams()
        self._cores = len(os.sched_getaffinity(0))
        self._index: Any = None

    @classmethod
    def version(cls) -> str:
        return str(faiss.__version__)

    def create(self, schema: Schema) -> None:
        disk.begin(self._path, schema, self._params)
        self._store = ColumnStore(schema)
        # IVF needs data to place its centroids, bytes to know their range: until the first refresh vectors wait here.
        self._waiting = Growable(np.float32, width(schema, self._params))
        self._index = None if self._params.trained else new_index(schema, self._params, 0)
        self._attach()

    def _attach(self) -> None:
        """Derives what queries need from the index and the search parameters."""
        self._scan: Any = None if self._index is None else scanned(self._index, self._params)
        self._approximate: dict[int, Any] = {}  # k -> parameters of queries without a mask

    def open(self, schema: Schema) -> None:
        disk.verify(self._path, schema, self._params)
        self._store = ColumnStore.load(self._path, schema)
        self._waiting = Growable(np.float32, width(schema, self._params))
        file = self._path / _INDEX_FILE
        self._index = faiss.read_index(str(file)) if file.exists() else None
        self._attach()

    def configure(self, search: BaseModel) -> None:
        assert isinstance(search, SearchParams)
        check(search, self._params)
        self._search = search
        self._attach()

    def index(self, batch: Batch) -> None:
        # Threads that wait for each other at every level of the graph cost a small batch more than they do.
        faiss.omp_set_num_threads(self._cores if len(batch) >= _MANY else 1)
        batch = prepared(batch, self._store.schema)
        vectors = held(batch.vectors, self._store.schema, self._params)
        if self._index is None:
            self._waiting.append(vectors)
        else:
            self._index.add(vectors)
        self._store.append(batch)

    def refresh(self) -> None:
        """Trains an index that needs it on what has come in so far, the first time; else everything is searchable."""
        waiting = self._waiting.view
        if self._index is not None or not len(waiting):
            return
        faiss.omp_set_num_threads(self._cores)
        self._index = new_index(self._store.schema, self._params, len(waiting))
        self._index.train(waiting)
        self._index.add(waiting)
        self._waiting = Growable(np.float32, waiting.shape[1])
        self._attach()

    def query(self, vector: Vectors, k: int, where: Filter | None = None, *, exact: bool = False) -> Hits:
        if self._index is None:
            if len(self._store):
                raise EngineError("faiss: refresh() trains this index, call it before the first query")
            return _NONE
        require_query(vector, self._store.schema)  # FAISS would read beyond the end of a shorter one
        vector = held(vector, self._store.schema, self._params)
        if where is not None and not exact and self._search.filtering == "post":
            return self._filtered_afterwards(vector, k, where)
        # Computed for every query: the filters of a real load keep changing, and a mask kept from an earlier
        # query would be stale after the next write.
        mask = self._store.select(where)
        if mask is None:
            return self._run(vector, k, None, exact=exact)
        matching = int(np.count_nonzero(mask))
        if not matching:
            return _NONE
        scan = self._params.kind == "flat" or (where and matching <= self._search.full_scan_threshold)
        return self._run(vector, k, mask, exact=exact or bool(scan))

    def _filtered_afterwards(self, vector: Vectors, k: int, where: Filter) -> Hits:
        wanted, alive = k * self._search.fetch_factor, self._store.select(None)
        rows, scores = self._rows(vector, wanted, alive, exact=False)
        columns = {name: column[rows] for name, column in self._store.columns.items()}
        keep = np.flatnonzero(matches(where, columns, len(rows)))[:k]
        return Hits(self._store.ids[rows[keep]], scores[keep])

    def _run(self, vector: Vectors, k: int, mask: Mask | None, *, exact: bool) -> Hits:
        rows, scores = self._rows(vector, k, mask, exact=exact)
        return Hits(self._store.ids[rows], scores)

    def _rows(self, vector: Vectors, k: int, mask: Mask | None, *, exact: bool) -> tuple[Ids, Vectors]:
        rows, scores = np.empty(k, np.int64), np.empty(k, np.float32)
        params = (
            self._without_mask(k) if mask is None and not exact else self._search_params(mask, k, exact=exact)
        )
        # One query a thread: by default FAISS would split a flat scan over every core, at each query.
        faiss.omp_set_num_threads(1)
        # search_c rather than search: the checks of the Python wrapper cost several microseconds a query.
        (self._scan if exact else self._index).search_c(
            1, faiss.swig_ptr(vector), k, faiss.swig_ptr(scores), faiss.swig_ptr(rows), params
        )
        if k and rows[-1] < 0:  # FAISS fills up with -1
            found = rows >= 0
            return rows[found], scores[found]
        return rows, scores

    def _without_mask(self, k: int) -> Any:
        params = self._approximate.get(k)
        if params is None:
            params = self._approximate[k] = self._search_params(None, k, exact=False)
        return params

    def _search_params(self, mask: Mask | None, k: int, *, exact: bool) -> Any:
        ivf = self._params.kind == "ivf"
        options = {}
        if mask is not None and exact and not ivf:
            # On flat vectors FAISS visits only the rows of a list, but tests every row against a bitmap.
            options["sel"] = faiss.IDSelectorArray(np.flatnonzero(mask))
        elif mask is not None:
            options["sel"] = faiss.IDSelectorBitmap(np.packbits(mask, bitorder="little"))
        if ivf:
            nprobe = self._index.nlist if exact and self._index is not None else self._search.nprobe
            return faiss.SearchParametersIVF(nprobe=nprobe, **options)
        if self._params.kind == "hnsw" and not exact:
            factor = self._search.oversampling
            # With a smaller efSearch FAISS returns fewer than k hits.
            effort = max(self._search.efSearch, math.ceil(k * factor))
            graph = faiss.SearchParametersHNSW(efSearch=effort, **options)
            if not self._params.quantized:
                return graph
            return faiss.IndexRefineSearchParameters(k_factor=factor, base_index_params=graph)
        return faiss.SearchParameters(**options)

    def get(self, ids: Ids) -> Batch:
        rows = self._store.rows_of(ids)
        columns = {name: column[rows] for name, column in self._store.columns.items()}
        # A scan's vectors lie under their rows, in an IVF index they do not.
        held = self._waiting.view[rows] if self._index is None else self._scan.reconstruct_batch(rows)
        return Batch(self._store.ids[rows], held[:, : self._store.schema.dim], columns)

    def delete(self, ids: Ids) -> None:
        self._store.delete(ids)

    def count(self) -> int:
        return self._store.count

    def stats(self) -> EngineStats:
        written = (self._path / _INDEX_FILE).exists()  # by close(); until then everything is in memory
        disk_bytes = disk.used_bytes(self._path) if written else None
        details: dict[str, str | int] = {"kind": self._params.kind, "rows": len(self._store)}
        if self._params.kind == "ivf" and self._index is not None:
            details["nlist"] = int(self._index.nlist)
        return EngineStats(self.count(), disk_bytes, details)

    def close(self) -> None:
        if not hasattr(self, "_store"):
            return
        self.refresh()
        self._store.save(self._path)
        if self._index is not None:
            faiss.write_index(self._index, str(self._path / _INDEX_FILE))
        self._index = self._scan = None
        self._approximate = {}
        del self._store, self._waiting
