"""Queries in Vespa's form, and its answers as the protocol wants them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import orjson

from engines.base import EngineError, Schema, UnsupportedError, Vectors
from engines.filters import Filter
from engines.server.endpoint import REQUEST_TIMEOUT_S
from engines.values.columns import normalized
from engines.values.vectors import require_query
from engines.values.words import words
from engines.vespa.filters import Yql
from engines.vespa.package import PROFILE, SUMMARY, WORDS
from engines.vespa.params import SearchParams
from engines.vespa.values import TEXT, term

TIMEOUT = f"{REQUEST_TIMEOUT_S - 5:g}s"  # shorter than the connection's own, so that Vespa reports what took so long

Decoded = tuple[Sequence[int], Sequence[float]]
_COMMON = {
    "ranking.softtimeout.enable": False,  # late answers are errors, not shorter
    "presentation.summary": SUMMARY,
    "timeout": TIMEOUT,
}


class Queries:
    """The queries over one schema. search: the parameters of those that follow."""

    def __init__(self, name: str, schema: Schema, search: SearchParams) -> None:
        self._name, self._schema, self._yql = name, schema, Yql(schema)
        self.search = search

    @property
    def search(self) -> SearchParams:
        return self._search

    @search.setter
    def search(self, search: SearchParams) -> None:
        self._search = search
        options = orjson.dumps({**_COMMON, "ranking.profile": PROFILE, **search.matching})
        self._options = b"," + options[1:]

    def nearest(self, vector: Vectors, k: int, where: Filter | None, *, exact: bool) -> bytes:
        """The body of a query for the k nearest documents that match. Raises EngineError for a wrong vector."""
        require_query(vector, self._schema)
        if self._schema.metric == "cosine":
            vector = normalized(vector)
        cells = orjson.dumps(np.ascontiguousarray(vector), option=orjson.OPT_SERIALIZE_NUMPY)
        explored = None if exact else self._search.additional(k)
        condition = b"" if where is None else orjson.dumps(f" and {self._yql.translate(where)}")[1:-1]
        return b"".join(
            (_opening(self._name, k, explored), condition, b'","input.query(q)":', cells, self._options)
        )

    def words(self, text: str, k: int, where: Filter | None) -> bytes:
        """The body of a query for the k documents with the highest BM25 among those that match.

        Raises UnsupportedError where documents have no text.
        """
        if self._schema.text is None:
            raise UnsupportedError("vespa: the collection has no text")
        found = [f'{TEXT} contains "{term(word)}"' for word in dict.fromkeys(words(text))]
        parts = [self._yql.any_of(found) if found else self._yql.nothing()]
        if where is not None:
            parts.append(self._yql.translate(where))
        yql = f"select id from {self._name} where {self._yql.all_of(parts)}"
        return orjson.dumps({**_COMMON, "yql": yql, "hits": k, "ranking.profile": WORDS})

    def all(self) -> bytes:
        """The body of a query that counts every document."""
        yql = f"select id from {self._name} where true"
        return orjson.dumps({"yql": yql, "hits": 0, "ranking.profile": "unranked", "timeout": TIMEOUT})

    def hits(self, answer: bytes) -> Decoded:
        """(ids, scores) of an answer to `nearest`. Raises ValueError for one without them."""
        ids, scores = ranked(answer)
        return ids, [-score for score in scores] if self._schema.metric == "l2" else scores


@lru_cache
def _opening(name: str, k: int, explored: int | None) -> bytes:
    """The body of a query for neighbours, up to where its YQL may go on. explored: None makes it exact."""
    near = "approximate: false" if explored is None else f'"hnsw.exploreAdditionalHits": {explored}'
    yql = f"select id from {name} where ({{targetHits: {k}, {near}}}nearestNeighbor(embedding, q))"
    return b'{"hits":%d,"yql":%b' % (k, orjson.dumps(yql)[:-1])


def ranked(answer: bytes) -> Decoded:
    """(ids, relevances) of an answer. Raises ValueError for one without them."""
    hits = orjson.loads(answer)["root"].get("children", [])
    try:
        return [hit["fields"]["id"] for hit in hits], [hit["relevance"] for hit in hits]
    except KeyError as error:
        raise ValueError(f"vespa: a hit lacks {error}: {answer[:500]!r}") from None


def complete(answer: bytes) -> bytes:
    """The answer. Raises EngineError where it is not that of all nodes over all documents."""
    # The answer holds no text of users, so this can only be Vespa's own field.
    if b'"errors":' in answer or b'"full":false' in answer or b'"degraded":' in answer:
        root = orjson.loads(answer)["root"]
        raise EngineError(f"vespa: incomplete answer: {root.get('errors') or root.get('coverage')}")
    return answer


def total(answer: bytes) -> int:
    """How many documents a query matched."""
    return int(orjson.loads(answer)["root"]["fields"]["totalCount"])
