"""OpenSearch with its k-NN plugin: searches and writes over a thin HTTP client, all else through the official one."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial
from importlib.metadata import version
from math import ceil
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel

from engines.base import Vectors
from engines.lucene.adapter import LuceneIndex
from engines.lucene.documents import comparable
from engines.lucene.filters import Query
from engines.opensearch import wire
from engines.opensearch.filters import Queries
from engines.opensearch.params import MOST_CANDIDATES, IndexParams, SearchParams
from engines.opensearch.server import Server


class OpenSearch(LuceneIndex[IndexParams]):
    """One index on a server."""

    IndexParams: ClassVar = IndexParams
    SearchParams: ClassVar = SearchParams
    NAME = "opensearch"
    PRODUCT = "OpenSearch"
    SEARCH = wire.SEARCH
    SERVER = Server
    QUERIES = Queries

    def __init__(self, path: Path, index: BaseModel) -> None:
        assert isinstance(index, IndexParams)
        super().__init__(path, index)
        self.configure(SearchParams())

    @classmethod
    def version(cls) -> str:
        return f"opensearch-py {version('opensearch-py')}"

    def configure(self, search: BaseModel) -> None:
        assert isinstance(search, SearchParams)
        self._factor = search.factor(self._params)
        self._options = lru_cache(partial(search.options, self._params))
        rounded = self._params.quantized and not self._factor
        self.capabilities = replace(type(self).capabilities, exact_scores=not rounded)
        self._warm()

    def _neighbours(self, vector: Vectors, k: int, condition: Query | None, *, exact: bool) -> bytes:
        if exact:
            return wire.script(vector, k, self._schema.metric, condition)
        candidates = max(k, min(ceil(k * self._factor), MOST_CANDIDATES))
        packed = self._pack(comparable(vector, self._schema.metric))
        return wire.knn(packed, k, candidates, condition, self._options(candidates))

    def _details(self) -> dict[str, str]:
        return {"engine": self._params.engine}
