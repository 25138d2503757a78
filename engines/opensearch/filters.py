"""Filters in OpenSearch's query language: Lucene's, except where its rewriting of negations is wrong."""

from __future__ import annotations

from engines.lucene import filters as lucene_filters
from engines.lucene.filters import Query

_REWRITTEN_RIGHTLY = {"term", "range"}  # a negated one becomes the union of the values on both sides


class Queries(lucene_filters.Queries):
    """A filter as a query that is run for its matches, not for its score."""

    def negate(self, part: Query) -> Query:
        # OpenSearch rewrites what is negated, and some versions do so wrongly: 3.2 the terms of a numeric field (its
        # issue 19566), the first builds of 3.3 a negation of a negation (19266). It does not look into constant_score.
        if not part.keys() & _REWRITTEN_RIGHTLY:
            part = {"constant_score": {"filter": part}}
        return super().negate(part)
