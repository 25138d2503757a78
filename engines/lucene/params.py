"""The parameters and the mapping that Elasticsearch and OpenSearch have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from engines.base import FieldKind, Schema
from engines.server.ownership import MARK, ForeignError
from engines.values.contents import contents

VECTOR, ID, TEXT = "vector", "id", "text"  # fields beside the schema's f0, f1, ...
_TYPES: dict[FieldKind, str] = {
    "keyword": "keyword",
    "tags": "keyword",  # of which a document may hold any number
    "integer": "long",
    "float": "double",
    "boolean": "boolean",
}
# Words are cut beforehand. Of each document only how often it has them is kept, not where.
_TEXT = {"type": "text", "analyzer": "whitespace", "index_options": "freqs"}


def require_ours(server: str, index: str, mappings: Mapping[str, Any]) -> None:
    """Raises ForeignError where the name of an index leads to one that is not ours.

    mappings: the server's answer to a request for the name's mapping, one entry for each index behind the name; no
    entry: the name is free.
    """
    found = {
        name: entry["mappings"]
        for name, entry in mappings.items()
        if isinstance(entry, Mapping) and "mappings" in entry
    }
    if not found:
        return
    if list(found) != [index]:
        raise ForeignError(server, index, f"an alias of {', '.join(found)}")
    if MARK not in found[index].get("_meta", {}):
        raise ForeignError(server, index, "an index")


class LuceneParams(BaseModel):
    """Under the names of Elasticsearch and OpenSearch.

    refresh_interval: after loading; before, it is off. force_merge: the first refresh() after create() merges
    everything into one segment, so one graph, as in the other engines; later ones only wait for merges that the server
    starts itself. thread_count, chunk_size: bulk requests in flight and documents in each, as in parallel_bulk of the
    clients' helpers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    number_of_shards: Annotated[int, Field(ge=1, le=1024)] = 1
    number_of_replicas: Annotated[int, Field(ge=0)] = 0
    refresh_interval: Annotated[str, Field(pattern=r"^(-1|\d+(ms|s|m|h))$")] = "1s"
    force_merge: bool = True
    thread_count: Annotated[int, Field(ge=1, le=64)] = 4
    chunk_size: Annotated[int, Field(ge=1)] = 500

    @abstractmethod
    def vector(self, schema: Schema) -> dict[str, Any]:
        """The mapping of the vectors."""

    def mappings(self, schema: Schema) -> dict[str, Any]:
        """The fields of an index, under the schema's aliases."""
        # The id is only fetched: reading a number from a column is cheaper than the text of _id from the stored fields.
        fields: dict[str, Any] = {ID: {"type": "long", "index": False}, VECTOR: self.vector(schema)}
        fields |= {schema.aliases[field.name]: {"type": _TYPES[field.kind]} for field in schema.fields}
        if schema.text is not None:
            fields[TEXT] = _TEXT
        # _meta says who made the index, and for which collection.
        return {"dynamic": "strict", "properties": fields, "_meta": {MARK: contents(schema, self)}}

    def settings(self) -> dict[str, Any]:
        """The settings of an index that is about to be loaded."""
        return {
            "number_of_shards": self.number_of_shards,
            "number_of_replicas": self.number_of_replicas,
            "refresh_interval": "-1",
            "store.stats_refresh_interval": "0s",  # by default sizes are up to ten seconds old
        }
