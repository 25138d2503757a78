"""Elasticsearch: searches and writes over a thin HTTP client, all else through the official one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel

from engines.base import UnsupportedError, Vectors
from engines.elasticsearch import wire
from engines.elasticsearch.params import IndexParams, SearchParams
from engines.elasticsearch.server import Server
from engines.lucene.adapter import LuceneIndex
from engines.lucene.documents import comparable
from engines.lucene.filters import Query

_PACKED_SINCE = (9, 4)


class Elasticsearch(LuceneIndex[IndexParams]):
    """One index on a server."""

    IndexParams: ClassVar = IndexParams
    SearchParams: ClassVar = SearchParams
    NAME = "elasticsearch"
    PRODUCT = "Elasticsearch"
    SEARCH = "_search?allow_partial_search_results=false"
    SERVER = Server

    def __init__(self, path: Path, index: BaseModel) -> None:
        assert isinstance(index, IndexParams)
        super().__init__(path, index)
        exact = index.type == "flat" or index.script_score
        self.capabilities = replace(type(self).capabilities, exact=exact)
        self.configure(SearchParams())

    @classmethod
    def version(cls) -> str:
        return f"elasticsearch {version('elasticsearch')}"

    def configure(self, search: BaseModel) -> None:
        assert isinstance(search, SearchParams)
        self._candidates, self._options = search.num_candidates, search.rescoring(self._params)
        rounded = self._params.quantized and search.oversample == 0
        self.capabilities = replace(self.capabilities, exact_scores=not rounded)
        self._warm()

    def _packing(self) -> Callable[[Vectors], bytes]:
        return wire.pack if self._server.release >= _PACKED_SINCE else super()._packing()

    def _neighbours(self, vector: Vectors, k: int, condition: Query | None, *, exact: bool) -> bytes:
        vector = comparable(vector, self._schema.metric)
        if not exact or self._params.type == "flat":
            return wire.knn(self._pack(vector), k, self._candidates, condition, self._options)
        if self._params.script_score:
            return wire.script(vector, k, self._schema.metric, condition)
        raise UnsupportedError(
            f"elasticsearch: no exact search over type: {self._params.type} without script_score: true"
        )

    def _details(self) -> dict[str, str]:
        return {"type": self._params.type}
