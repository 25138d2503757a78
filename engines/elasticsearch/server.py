"""Everything but searching and writing, through the official client."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from elasticsearch import ApiError, Elasticsearch, TransportError, UnsupportedProductError

from engines.base import EngineError
from engines.lucene.params import require_ours
from engines.server.endpoint import REQUEST_TIMEOUT_S, Endpoint
from engines.server.redaction import redact

_OLDEST = (9, 0)
_POLL_S = 0.1


class Server:
    """One server or cluster. Methods raise EngineError with one line."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Asks for the server's version. Raises EngineError for one that is too old, or no Elasticsearch."""
        self._url = endpoint.url
        options: dict[str, Any] = {"request_timeout": REQUEST_TIMEOUT_S}
        options["max_retries"] = 0  # a failure is reported, never retried unseen
        if endpoint.api_key is not None:
            options["api_key"] = endpoint.api_key
        elif endpoint.user is not None:
            options["basic_auth"] = (endpoint.user, endpoint.password or "")
        if endpoint.ca_certs is not None:
            options["ca_certs"] = str(endpoint.ca_certs)
        self._client = Elasticsearch(endpoint.url, **options)
        try:
            self.version = self._ask_version()
        except EngineError:
            self._client.close()
            raise

    @property
    def release(self) -> tuple[int, int]:
        """The first two numbers of the version."""
        major, minor = re.findall(r"\d+", self.version)[:2]
        return int(major), int(minor)

    def _ask_version(self) -> str:
        # Not GET /: a node may lack the module that answers it and still have all that is needed.
        with self._explained("asking for its version"):
            answer = self._client.nodes.info(node_id="_local", filter_path="nodes.*.version")
        versions: list[str] = [node["version"] for node in answer["nodes"].values()]
        self.version = versions[0]
        if self.release < _OLDEST:
            raise EngineError(f"{self._url} is Elasticsearch {self.version}; version 9 or later is needed")
        return versions[0]

    def create(self, index: str, mappings: dict[str, Any], settings: dict[str, Any]) -> None:
        """Creates an index; one of this name is dropped if it is ours. Raises ForeignError if it is not."""
        self.drop(index)
        with self._explained("creating the index"):
            self._client.indices.create(index=index, mappings=mappings, settings=settings)

    def drop(self, index: str) -> None:
        """Removes an index, if there is one. Raises ForeignError for one that is not ours, or an alias."""
        with self._explained("looking for the index"):
            found = self._client.options(ignore_status=404).indices.get_mapping(index=index)
        require_ours(self._url, index, found.body)
        with self._explained("dropping the index"):
            self._client.indices.delete(index=index, ignore_unavailable=True)

    def meta(self, index: str) -> dict[str, Any] | None:
        """The _meta of an index's mapping; None if there is no such index."""
        with self._explained("looking for the index"):
            if not self._client.indices.exists(index=index):
                return None
            mapping = self._client.indices.get_mapping(index=index)
        require_ours(self._url, index, mapping.body)
        meta: dict[str, Any] = mapping[index]["mappings"].get("_meta", {})
        return meta

    def refresh(self, index: str) -> None:
        """Makes every acknowledged write searchable; builds the graphs of new segments."""
        with self._explained("refreshing"):
            _require_all_shards(self._client.indices.refresh(index=index))

    def set_refresh_interval(self, index: str, interval: str) -> None:
        with self._explained("setting refresh_interval"):
            self._client.indices.put_settings(index=index, settings={"refresh_interval": interval})

    def merge(self, index: str) -> None:
        """Merges each shard into one segment, as a task: it may take longer than a request."""
        with self._explained("merging"):
            task = self._client.indices.forcemerge(
                index=index, max_num_segments=1, wait_for_completion=False
            )["task"]
            while not (state := self._task(task))["completed"]:
                time.sleep(_POLL_S)
            if "error" in state:
                raise EngineError(f"{self._url}: merging failed: {state['error']}")
            _require_all_shards(state["response"])

    def _task(self, task: str) -> Any:
        # Called by its path: the client's method warns at every call that the interface is a preview, which it has
        # been since version 5.
        return self._client.perform_request("GET", f"/_tasks/{task}", headers={"accept": "application/json"})

    def settle(self, index: str) -> None:
        """Returns once no shard is being copied and no merge runs or waits, and merged segments are in use."""
        with self._explained("waiting for shards"):
            while (
                health := self._client.cluster.health(
                    index=index,
                    wait_for_no_initializing_shards=True,
                    wait_for_no_relocating_shards=True,
                    timeout="30s",
                )
            )["timed_out"]:
                if health["status"] == "red":
                    raise EngineError(
                        f"{self._url}: {index} is red, a shard has no copy; see _cluster/allocation/explain"
                    )
        segments = -1
        while True:
            merging = self._merging(index)
            self.refresh(index)
            before, segments = segments, self.sizes(index)[1]
            # Twice: just after it is decided on, a merge is for a moment neither running nor queued.
            if not merging and segments == before:
                break
            time.sleep(_POLL_S)
        with self._explained("committing"):
            _require_all_shards(self._client.indices.flush(index=index))

    def _merging(self, index: str) -> bool:
        with self._explained("asking for merges"):
            stats = self._client.indices.stats(
                index=index, metric="merge", filter_path="_all.total.merges.current"
            )
            pools = self._client.nodes.stats(metric="thread_pool", filter_path="nodes.*.thread_pool.merge")
        waiting = sum(
            node["thread_pool"]["merge"][state]
            for node in pools.get("nodes", {}).values()
            for state in ("active", "queue")
        )
        return bool(stats["_all"]["total"]["merges"]["current"] or waiting)

    def sizes(self, index: str) -> tuple[int, int]:
        """Bytes and number of segments, over all copies of the index."""
        with self._explained("asking for its size"):
            total = self._client.indices.stats(index=index, metric="store,segments")["_all"]["total"]
        return total["store"]["size_in_bytes"], total["segments"]["count"]

    def close(self) -> None:
        self._client.close()

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
        except UnsupportedProductError as error:
            raise EngineError(
                f"{self._url} is not Elasticsearch: it does not say so in its answers"
            ) from error
        except ApiError as error:
            text = redact(str(error))
            hint = ""
            if error.status_code in (401, 403):
                hint = "; the credentials were refused, check BAKEOFF_ELASTICSEARCH_USER and _PASSWORD or _API_KEY"
            elif "media_type_header_exception" in text:
                hint = "; the server is older than this client, version 9 or later is needed"
            raise EngineError(f"{self._url}: {what}: {text}{hint}") from error
        except TransportError as error:
            text = redact(f"{type(error).__name__}: {error.message}")
            raise EngineError(f"{self._url}: {what}: {text}; is the server still running?") from error


def _require_all_shards(answer: Any) -> None:
    """Raises EngineError unless the request succeeded on every shard."""
    shards = answer["_shards"]
    if shards["failed"]:
        raise EngineError(
            f"elasticsearch: {shards['failed']} of {shards['total']} shards failed: {shards.get('failures')}"
        )
