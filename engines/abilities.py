"""What some engines offer beyond `Engine`; their `Capabilities` declare it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from engines.base import Batch, Capabilities, Hits, Ids, Schema, UnsupportedError, Vectors

if TYPE_CHECKING:
    from engines.filters import Filter


def require_fields(can: Capabilities, schema: Schema) -> None:
    """Raises UnsupportedError where a schema has fields that an engine with these capabilities cannot hold."""
    tags = [field.name for field in schema.fields if field.kind == "tags"]
    if tags and not can.tags:
        raise UnsupportedError(f"it cannot hold tags, several keywords of one item ({', '.join(tags)})")
    optional = [field.name for field in schema.fields if field.can_lack]
    if optional and not can.missing:
        raise UnsupportedError(f"it cannot hold items that lack a value ({', '.join(optional)})")


@runtime_checkable
class Remote(Protocol):
    """An engine on a server, where its collection outlives `close` and `path`. Declared by `server`."""

    def drop(self) -> None:
        """Removes the collection, if there is one, and closes. May be called after `close` too."""


@runtime_checkable
class Pipelined(Protocol):
    """An engine that also takes queries without waiting for their answers. Declared by `pipelined`.

    One thread can then keep any number of queries in flight.
    """

    def submit(self, token: int, vector: Vectors, k: int, where: Filter | None = None) -> None:
        """Sends a query and returns; `token` comes back with its answer."""

    def fileno(self) -> int:
        """A file descriptor that is readable when `collect` may have something."""

    def collect(self) -> Sequence[tuple[int, Hits | Exception]]:
        """Answers that have come in, each with its token; none if there are none. Never waits.

        It may leave some for the next call; `fileno` is readable for as long as there are any.
        """


@runtime_checkable
class FullText(Protocol):
    """An engine that also ranks by words, those of the column that `Schema.text` names. Declared by `text`."""

    def match(self, text: str, k: int, where: Filter | None = None) -> Hits:
        """The k items with the highest BM25 among those that contain at least one of the words and match `where`.

        Words are those of `engines.values.words`, each counted once. Scores: BM25 with k1 = 1.2 and b = 0.75 times a
        constant of the engine's, over the statistics of each shard; items that were deleted or replaced may count in
        them until the engine has removed them for good. Raises UnsupportedError where the schema has no text.
        """


@runtime_checkable
class Lookup(Protocol):
    """An engine that also fetches items by their ids. Declared by `lookup`."""

    def get(self, ids: Ids) -> Batch:
        """The items with these ids that exist, in the order asked, each once; their vectors and every attribute.

        Under `cosine` an engine may return the vectors normalised.
        """
