"""What a query costs in the client, beside a bare socket and the official client's search: CPU time of the thread.

Asks a real node: `python -m tests.perf.client_opensearch`.
"""

from __future__ import annotations

from typing import Any

import opensearchpy

from engines.base import Vectors
from engines.lucene.params import ID, VECTOR
from engines.opensearch.adapter import OpenSearch
from engines.opensearch.params import SearchParams
from tests.perf.client_lucene import K, Official, beside
from tests.perf.table import show


def figures() -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit."""
    return beside(OpenSearch, Official("opensearch-py", opensearchpy.OpenSearch, _official))


def _official(client: opensearchpy.OpenSearch, index: str, vector: Vectors) -> list[int]:
    knn = {"vector": vector.tolist(), "k": K, "method_parameters": {"ef_search": SearchParams().ef_search}}
    body = {
        "size": K,
        "query": {"knn": {VECTOR: knn}},
        "_source": False,
        "stored_fields": "_none_",
        "docvalue_fields": [ID],
        "track_total_hits": False,
    }
    found = client.search(index=index, body=body, params={"filter_path": "hits.hits.fields,hits.hits._score"})
    return [hit["fields"][ID][0] for hit in found["hits"]["hits"]]


if __name__ == "__main__":
    show(figures())
