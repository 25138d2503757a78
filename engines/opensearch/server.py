"""Everything but searching and writing, through the official client."""

from __future__ import annotations

import logging
import re
import time
from typing import Any

import urllib3
from opensearchpy import OpenSearch
from opensearchpy.exceptions import OpenSearchException, TransportError

from engines.base import EngineError
from engines.http.client import CONNECT_TIMEOUT_S
from engines.lucene.params import require_ours
from engines.server.endpoint import REQUEST_TIMEOUT_S, Endpoint
from engines.server.redaction import redact

_OLDEST = (2, 17)  # the first with mode, compression_level and concurrent_segment_search.mode
_POLL_S = 0.1
_ALLOCATION_S = 30

logging.getLogger("opensearch").setLevel(
    logging.CRITICAL
)  # it prints failed requests, which are raised as well


class Server:
    """One server or cluster. Methods raise EngineError with one line."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Asks for the server's version. Raises EngineError for one that is too old, or no OpenSearch."""
        self._url = endpoint.url
        port = endpoint.port(443 if endpoint.secure else 80)
        prefix = endpoint.url.partition("://")[2].partition("/")[2]
        host = {"host": endpoint.host, "port": port, "use_ssl": endpoint.secure, "url_prefix": prefix}
        options: dict[str, Any] = {}
        if endpoint.api_key is not None:
            options["headers"] = {"Authorization": f"ApiKey {endpoint.api_key}"}
        elif endpoint.user is not None:
            options["http_auth"] = (endpoint.user, endpoint.password or "")
        if endpoint.ca_certs is not None:
            options["ca_certs"] = str(endpoint.ca_certs)
        # A failure is reported, never retried unseen.
        timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=REQUEST_TIMEOUT_S)
        self._client = OpenSearch([host], timeout=timeout, max_retries=0, **options)
        try:
            self.version = self._ask_version()
        except BaseException:
            self.close()
            raise

    def _ask_version(self) -> str:
        answer = self._ask("GET", "/", "asking for its version")
        found = answer.get("version") if isinstance(answer, dict) else None
        if not isinstance(found, dict) or found.get("distribution") != "opensearch":
            raise EngineError(f"{self._url} is not OpenSearch: it does not say so in its answers")
        version = str(found["number"])
        if tuple(int(number) for number in re.findall(r"\d+", version)[:2]) < _OLDEST:
            oldest = ".".join(map(str, _OLDEST))
            raise EngineError(f"{self._url} is OpenSearch {version}; version {oldest} or later is needed")
        return version

    def create(self, index: str, mappings: dict[str, Any], settings: dict[str, Any]) -> None:
        """Creates an index and waits for all of its copies; one of this name is dropped if it is ours."""
        self.drop(index)
        body = {"settings": {"index": settings}, "mappings": mappings}
        self._ask("PUT", f"/{index}", "creating the index", body=body)
        # Within the target: the client would take the parameter for a time-out of its own.
        target = f"/_cluster/health/{index}?wait_for_status=green&timeout={_ALLOCATION_S}s"
        health = self._ask("GET", target, "waiting for shards", ignore=(408,))
        if health["timed_out"]:
            raise EngineError(
                f"{self._url}: {health['unassigned_shards']} shards found no node within {_ALLOCATION_S} s; "
                f"number_of_replicas needs as many nodes and one more, there are {health['number_of_data_nodes']}"
            )

    def drop(self, index: str) -> None:
        """Removes an index, if there is one. Raises ForeignError for one that is not ours, or an alias."""
        found = self._ask("GET", f"/{index}/_mapping", "looking for the index", ignore=(404,))
        require_ours(self._url, index, found)
        self._ask("DELETE", f"/{index}", "dropping the index", ignore=(404,))

    def meta(self, index: str) -> dict[str, Any] | None:
        """The _meta of an index's mapping; None if there is no such index."""
        answer = self._ask("GET", f"/{index}/_mapping", "looking for the index", ignore=(404,))
        require_ours(self._url, index, answer)
        if index not in answer:
            return None
        meta: dict[str, Any] = answer[index]["mappings"].get("_meta", {})
        return meta

    def refresh(self, index: str) -> None:
        """Makes every acknowledged write searchable; builds the graphs of new segments."""
        self._require_all_shards(self._ask("POST", f"/{index}/_refresh", "refreshing"))

    def set_refresh_interval(self, index: str, interval: str) -> None:
        body = {"index": {"refresh_interval": interval}}
        self._ask("PUT", f"/{index}/_settings", "setting refresh_interval", body=body)

    def merge(self, index: str) -> None:
        """Merges each shard into one segment, as a task: it may take longer than a request."""
        params = {"max_num_segments": 1, "wait_for_completion": "false"}
        task = self._ask("POST", f"/{index}/_forcemerge", "merging", params)["task"]
        while not (state := self._ask("GET", f"/_tasks/{task}", "merging"))["completed"]:
            time.sleep(_POLL_S)
        if "error" in state:
            raise EngineError(f"{self._url}: merging failed: {state['error']}")
        self._require_all_shards(state["response"])

    def settle(self, index: str) -> None:
        """Returns once no merge runs and merged segments are in use."""
        segments = -1
        while True:
            total = self._stats(index, "merge,segments")
            before, segments = segments, total["segments"]["count"]
            # A merge counts only from when its thread begins, which may be a moment after it was decided on.
            if total["merges"]["current"] == 0 and segments == before:
                break
            time.sleep(_POLL_S)
            self.refresh(index)
        self._require_all_shards(self._ask("POST", f"/{index}/_flush", "committing"))

    def sizes(self, index: str) -> tuple[int, int]:
        """Bytes and number of segments, over all copies of the index."""
        total = self._stats(index, "store,segments")
        return total["store"]["size_in_bytes"], total["segments"]["count"]

    def close(self) -> None:
        self._client.close()

    def _stats(self, index: str, metrics: str) -> Any:
        answer = self._ask("GET", f"/{index}/_stats/{metrics}", "asking for its state")
        self._require_all_shards(answer)
        return answer["_all"]["total"]

    def _require_all_shards(self, answer: Any) -> None:
        """Raises EngineError unless the request succeeded on every shard."""
        shards = answer["_shards"]
        if shards["failed"]:
            raise EngineError(
                f"{self._url}: {shards['failed']} of {shards['total']} shards failed: {shards.get('failures')}"
            )

    def _ask(
        self,
        method: str,
        target: str,
        what: str,
        params: dict[str, Any] | None = None,
        *,
        body: Any = None,
        ignore: tuple[int, ...] = (),
    ) -> Any:
        given = {**(params or {}), "ignore": ignore}
        try:
            return self._client.transport.perform_request(method, target, params=given, body=body)
        except OpenSearchException as error:
            raise EngineError(f"{self._url}: {what}: {_explained(error)}") from error


def _explained(error: OpenSearchException) -> str:
    status = error.status_code if isinstance(error, TransportError) else "N/A"
    if not isinstance(error, TransportError) or not isinstance(status, int):
        return redact(" ".join(str(error).split()))
    cause = error.info.get("error", error.info) if isinstance(error.info, dict) else error.info
    reason = f"{cause.get('type')}: {cause.get('reason')}" if isinstance(cause, dict) else str(cause)
    text = f"HTTP {status}: {redact(' '.join(reason.split()))[:500]}"
    if status in (401, 403):
        text += "; the credentials were refused, check BAKEOFF_OPENSEARCH_USER and _PASSWORD"
    if "index.knn" in text:
        text += "; the server lacks the k-NN plugin, which the images of opensearchproject/opensearch have"
    return text
