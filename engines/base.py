"""The protocol of an engine, and the values that it takes and returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from engines.columns import Column

if TYPE_CHECKING:
    from pydantic import BaseModel

    from engines.filters import Filter

Metric = Literal["l2", "ip", "cosine"]
FieldKind = Literal["keyword", "tags", "integer", "float", "boolean"]

Ids = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]


class EngineError(Exception):
    """An engine refused a request or failed to carry it out; the message says which and why."""


class UnsupportedError(EngineError):
    """The engine cannot do what was asked (its `Capabilities` say so beforehand)."""


@dataclass(frozen=True, slots=True)
class Field:
    """A filterable attribute. `integer` is 64-bit signed, `float` 64-bit; `tags` are several keywords of one item.

    optional: whether items may lack a value. Those of `tags` always may: one without any lacks it.
    """

    name: str
    kind: FieldKind
    optional: bool = False

    @property
    def can_lack(self) -> bool:
        """Whether items may have no value of it."""
        return self.optional or self.kind == "tags"


@dataclass(frozen=True, slots=True)
class Schema:
    """What a collection holds: vectors of `dim` float32 compared by `metric`, and filterable fields.

    text: the column, not among `fields`, whose words can be searched for; engines without `FullText` ignore it.
    model: what made the vectors, in one word; "" where nobody says. `open` refuses a collection of another one.
    """

    dim: int
    metric: Metric
    fields: tuple[Field, ...] = ()
    text: str | None = None
    model: str = ""

    def field(self, name: str) -> Field | None:
        """The field called `name`, or None."""
        return next((f for f in self.fields if f.name == name), None)

    def require_dim(self, vectors: Vectors) -> None:
        """Raises EngineError unless the last axis of `vectors` has `dim` entries."""
        if vectors.shape[-1] != self.dim:
            raise EngineError(f"vectors of {vectors.shape[-1]} dimensions in a collection of {self.dim}")

    @property
    def aliases(self) -> dict[str, str]:
        """Names `f0`, `f1`, ... by field name, for engines that restrict how fields may be called."""
        return {field.name: f"f{position}" for position, field in enumerate(self.fields)}


@dataclass(frozen=True, slots=True)
class Batch:
    """Items to upsert: ids int64[n] >= 0, vectors float32[n, dim], one column of n rows a schema field (and its text).

    Raises ValueError where the lengths differ.
    """

    ids: Ids
    vectors: Vectors
    attributes: Mapping[str, Column] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lengths = {"vectors": len(self.vectors)} | {
            name: len(column) for name, column in self.attributes.items()
        }
        wrong = [f"{name} has {rows}" for name, rows in lengths.items() if rows != len(self.ids)]
        if wrong:
            raise ValueError(f"a batch of {len(self.ids)} ids: {', '.join(wrong)} rows")

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, rows: Any) -> Batch:
        """The items in `rows` (a slice or an index array)."""
        columns = {name: column[rows] for name, column in self.attributes.items()}
        return Batch(self.ids[rows], self.vectors[rows], columns)


class Hits(NamedTuple):
    """The answer to one query, best first.

    ids: at most k item ids. scores: as many values; for `l2` the squared Euclidean distance
    (ascending), for `ip` the inner product and for `cosine` the cosine (both descending).
    """

    ids: Sequence[int] | Ids
    scores: Sequence[float] | npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine can do, declared and never probed. An undeclared ability is not measured."""

    metrics: tuple[Metric, ...] = ("l2", "ip", "cosine")
    prefilter: bool = True  # the filter is applied while searching, not to the first k hits
    exact: bool = True  # query(exact=True) scans everything
    update: bool = True  # index() of an existing id replaces vector and attributes
    delete: bool = True
    persistent: bool = False  # open() finds what close() left on disk
    durable: bool = False  # acknowledged writes survive kill -9 of the process that holds the collection
    immediate: bool = False  # an acknowledged write is searchable at once, without refresh()
    thread_safe: bool = False  # query() may run in several threads at once
    thread_safe_writes: bool = False  # so may index() and delete(), also during queries
    multi_process: bool = False  # several processes may hold the same collection open
    pipelined: bool = False  # it also follows `Pipelined`, see engines.abilities
    receiving_thread: bool = False  # pipelined, and a thread of its client takes in the answers
    server: bool = False  # it also follows `Remote`; its address comes from engines.server.endpoint
    cluster: bool = False  # one collection can be spread over several machines
    text: bool = False  # it also follows `FullText`
    lookup: bool = False  # it also follows `Lookup`
    tags: bool = False  # it holds fields of that kind
    missing: bool = False  # it holds fields that items may lack, and `not` matches where the value is missing
    quantization: bool = False
    exact_scores: bool = True  # scores are those of the vectors as given, within float32's rounding


@dataclass(frozen=True, slots=True)
class EngineStats:
    """What the engine reports about itself.

    disk_bytes: None where nothing is kept on disk, or a server does not report it. server: name and version of
    the server that answers, "" in-process. retries: requests sent again since `create` or `open`. query_path: through
    which layer of which client `query` reaches the server, "" in-process.
    """

    vectors: int
    disk_bytes: int | None = None
    details: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    server: str = ""
    retries: int = 0
    query_path: str = ""


@runtime_checkable
class Engine(Protocol):
    """One vector engine behind one collection.

    The constructor does no I/O. `create` or `open` comes first and is outside every timed window, as
    are `configure` and `refresh` unless a metric names them. Methods raise `EngineError` (or the
    client's own exception); they never swallow one. No method changes the arrays it is given.
    """

    capabilities: Capabilities  # of the class; an instance may have fewer, by its index parameters
    IndexParams: ClassVar[type[BaseModel]]  # build-time parameters, named as the engine names them
    SearchParams: ClassVar[type[BaseModel]]  # query-time parameters, likewise

    def __init__(self, path: Path, index: BaseModel) -> None:
        """path: a directory of the engine's own, made by the caller. index: an `IndexParams`."""

    @classmethod
    def version(cls) -> str:
        """The version of the library in use; a server's own is in `EngineStats.server`."""

    def create(self, schema: Schema) -> None:
        """Starts an empty collection; one that exists already is dropped."""

    def open(self, schema: Schema) -> None:
        """Opens what an earlier `close` left in `path`; UnsupportedError where nothing persists.

        Raises EngineError for a collection of another schema or model, and names both.
        """

    def configure(self, search: BaseModel) -> None:
        """Sets the query-time parameters (a `SearchParams`) of the queries that follow."""

    def index(self, batch: Batch) -> None:
        """Upserts; of an id that occurs twice in a batch the later row wins. Returns once acknowledged."""

    def refresh(self) -> None:
        """Returns once every acknowledged write is searchable and indexing has settled."""

    def query(self, vector: Vectors, k: int, where: Filter | None = None, *, exact: bool = False) -> Hits:
        """The k items nearest to `vector` (float32[dim]) among those that match `where`."""

    def delete(self, ids: Ids) -> None:
        """Removes items; absent ids are no error."""

    def count(self) -> int:
        """How many items the collection holds."""

    def stats(self) -> EngineStats:
        """Size and settings, as the engine reports them."""

    def close(self) -> None:
        """Writes out what persists and releases all resources; a second call does nothing."""
