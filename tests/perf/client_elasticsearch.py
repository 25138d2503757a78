"""What a query costs in the client, beside a bare socket and the official client's search: CPU time of the thread.

Asks a real node: `python -m tests.perf.client_elasticsearch`.
"""

from __future__ import annotations

from typing import Any

import elasticsearch

from engines.base import Vectors
from engines.elasticsearch.adapter import Elasticsearch
from engines.elasticsearch.params import SearchParams
from engines.lucene.params import ID, VECTOR
from tests.perf.client_lucene import K, Official, beside
from tests.perf.table import show

_CANDIDATES = SearchParams().num_candidates


def figures() -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit."""
    return beside(Elasticsearch, Official("elasticsearch-py", elasticsearch.Elasticsearch, _official))


def _official(client: elasticsearch.Elasticsearch, index: str, vector: Vectors) -> list[int]:
    knn = {"field": VECTOR, "query_vector": vector.tolist(), "k": K, "num_candidates": _CANDIDATES}
    found = client.search(
        index=index,
        query={"knn": knn},
        size=K,
        source=False,
        stored_fields=["_none_"],
        docvalue_fields=[ID],
        track_total_hits=False,
    )
    return [hit["fields"][ID][0] for hit in found["hits"]["hits"]]


if __name__ == "__main__":
    show(figures())
