"""Queries as Vespa takes them, and its answers as the contract wants them."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from engines.base import EngineError, Schema, Vectors
from engines.filters import Filter
from engines.server import REQUEST_TIMEOUT_S
from engines.vespa.filters import Yql
from engines.vespa.package import PROFILE, SUMMARY
from engines.vespa.params import SearchParams
from engines.vespa.values import stored

TIMEOUT = f"{REQUEST_TIMEOUT_S - 5:g}s"  # before the connection's own, so that Vespa says what took so long


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
        options = {
            "ranking.profile": PROFILE,
            "ranking.softtimeout.enable": False,  # late answers are errors, not shorter
            "presentation.summary": SUMMARY,
            "timeout": TIMEOUT,
            **search.matching,
        }
        self._options = orjson.dumps(options)[1:]

    def nearest(self, vector: Vectors, k: int, where: Filter | None, *, exact: bool) -> bytes:
        """The body of a query for the k nearest documents that match. Raises EngineError for a wrong vector."""
        explored = self._search.exploreAdditionalHits
        near = "approximate: false" if exact else f'"hnsw.exploreAdditionalHits": {explored}'
        condition = "" if where is None else f" and {self._yql.translate(where)}"
        yql = (
            f"select id from {self._name} where "
            f"({{targetHits: {k}, {near}}}nearestNeighbor(embedding, q)){condition}"
        )
        cells = orjson.dumps(stored(vector, self._schema), option=orjson.OPT_SERIALIZE_NUMPY)
        return b"".join(
            (b'{"yql":', orjson.dumps(yql), b',"input.query(q)":', cells, b',"hits":%d,' % k, self._options)
        )

    def all(self) -> bytes:
        """The body of a query that counts every document."""
        yql = f"select id from {self._name} where true"
        return orjson.dumps({"yql": yql, "hits": 0, "ranking.profile": "unranked", "timeout": TIMEOUT})

    def hits(self, answer: bytes) -> tuple[Sequence[int], Sequence[float]]:
        """(ids, scores) of an answer. Raises ValueError for one without them."""
        sign = -1 if self._schema.metric == "l2" else 1
        hits = orjson.loads(answer)["root"].get("children", [])
        try:
            return [hit["fields"]["id"] for hit in hits], [sign * hit["relevance"] for hit in hits]
        except KeyError as error:
            raise ValueError(f"vespa: a hit lacks {error}: {answer[:500]!r}") from None


def complete(answer: bytes) -> bytes:
    """The answer. Raises EngineError where it is not that of all nodes over all documents."""
    # No text of ours is in it, so that these can only be Vespa's own words.
    if b'"errors":' in answer or b'"full":false' in answer or b'"degraded":' in answer:
        root = orjson.loads(answer)["root"]
        raise EngineError(f"vespa: incomplete answer: {root.get('errors') or root.get('coverage')}")
    return answer


def total(answer: bytes) -> int:
    """How many documents a query matched."""
    return int(orjson.loads(answer)["root"]["fields"]["totalCount"])
