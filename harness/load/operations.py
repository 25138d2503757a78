"""What is asked of an engine, as data: reads and writes in one sequence, each bound to its call beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from engines.abilities import FullText, Lookup
from engines.base import Batch, Capabilities, Engine, Hits, Ids, UnsupportedError, Vectors
from engines.filters import Filter
from engines.values.fusion import fused
from harness.data.queries.workload import Workload

Int64 = npt.NDArray[np.int64]
Call = Callable[[], Hits]  # carries the operation out; a write returns no hits

NO_HITS = Hits([], [])
_DEPTH = 5  # a hybrid query asks each ranking for this many times k items


class Kind(IntEnum):
    """What an operation does. The numbers stand in sample files and never change their meaning."""

    QUERY = 0
    EXACT_QUERY = 1
    HYBRID_QUERY = 2
    UPSERT = 3
    DELETE = 4
    GET = 5


class Operation(Protocol):
    """One request. number: its number among those of its kind, for instance the index of a query in its workload."""

    @property
    def number(self) -> int: ...
    @property
    def kind(self) -> Kind: ...
    def bind(self, engine: Engine, k: int) -> Call:
        """The call that carries it out. Raises UnsupportedError where the engine cannot."""


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """Asks for the k items nearest to `vector` (float32[dim]) among those that match `where`."""

    number: int
    vector: Vectors
    where: Filter | None = None
    exact: bool = False

    @property
    def kind(self) -> Kind:
        return Kind.EXACT_QUERY if self.exact else Kind.QUERY

    def bind(self, engine: Engine, k: int) -> Call:
        if not self.exact:
            return partial(engine.query, self.vector, k, self.where)
        if not engine.capabilities.exact:
            raise UnsupportedError("it has no exact queries")
        return partial(engine.query, self.vector, k, self.where, exact=True)


@dataclass(frozen=True, slots=True, eq=False)
class HybridQuery:
    """Ranks by vector and by words, and fuses both rankings in the client (`engines.values.fusion`)."""

    number: int
    vector: Vectors
    text: str
    where: Filter | None = None

    @property
    def kind(self) -> Kind:
        return Kind.HYBRID_QUERY

    def bind(self, engine: Engine, k: int) -> Call:
        if not (engine.capabilities.text and isinstance(engine, FullText)):
            raise UnsupportedError("it does not rank by words, which a hybrid query needs")
        near = partial(engine.query, self.vector, _DEPTH * k, self.where)
        worded = partial(engine.match, self.text, _DEPTH * k, self.where)
        return lambda: fused((near(), worded()), k)


@dataclass(frozen=True, slots=True, eq=False)
class Upsert:
    """Writes a batch of items."""

    number: int
    batch: Batch

    @property
    def kind(self) -> Kind:
        return Kind.UPSERT

    def bind(self, engine: Engine, k: int) -> Call:
        def upsert() -> Hits:
            engine.index(self.batch)
            return NO_HITS

        return upsert


@dataclass(frozen=True, slots=True, eq=False)
class Delete:
    """Removes items."""

    number: int
    ids: Ids

    @property
    def kind(self) -> Kind:
        return Kind.DELETE

    def bind(self, engine: Engine, k: int) -> Call:
        if not engine.capabilities.delete:
            raise UnsupportedError("it cannot delete items")

        def delete() -> Hits:
            engine.delete(self.ids)
            return NO_HITS

        return delete


@dataclass(frozen=True, slots=True, eq=False)
class Get:
    """Fetches items by their ids, vectors and attributes included; its hits are the ids that were found."""

    number: int
    ids: Ids

    @property
    def kind(self) -> Kind:
        return Kind.GET

    def bind(self, engine: Engine, k: int) -> Call:
        if not (engine.capabilities.lookup and isinstance(engine, Lookup)):
            raise UnsupportedError("it does not fetch items by id")
        get = engine.get
        return lambda: Hits(get(self.ids).ids, ())


_WRITES = (Kind.UPSERT, Kind.DELETE)


@dataclass(frozen=True, slots=True, eq=False)
class Operations:
    """What a load asks, k hits a query.

    in_order: each operation once, in the order given, as reads and writes need it; else every operation once in an
    order drawn at random, and again in the same order for as long as the load lasts.
    """

    items: tuple[Operation, ...]
    k: int
    in_order: bool = True

    @classmethod
    def of(cls, load: Workload | Operations) -> Operations:
        """The queries of a workload; operations as they are.

        Vectors are read-only rows of a copy, so that an engine that writes into its argument fails instead of
        changing later queries.
        """
        if isinstance(load, Operations):
            return load
        vectors = np.array(load.queries, dtype=np.float32, order="C")
        vectors.flags.writeable = False
        queries = (
            Query(number, vector, where)
            for number, (vector, where) in enumerate(zip(vectors, load.filters, strict=True))
        )
        return cls(tuple(queries), load.k, in_order=False)


class Requests(NamedTuple):
    """Operations bound to an engine, in the order in which they are sent.

    items: the operations; calls: (position, call) of each; kinds and numbers: int64[n], of each.
    """

    items: list[Operation]
    calls: list[tuple[int, Call]]
    kinds: Int64
    numbers: Int64


def bind(
    operations: Operations, engine: Engine, rng: np.random.Generator, part: tuple[int, int] = (0, 1)
) -> Requests:
    """Every operation of one part, in order.

    part: (number, of how many): the operations are dealt out in turn to this many processes. With generators of the
    same seed the parts have nothing in common. Where there are fewer operations than parts, each part has them all.
    Raises UnsupportedError where the engine cannot do what is asked.
    """
    count = len(operations.items)
    order = np.arange(count) if operations.in_order else rng.permutation(count)
    number, parts = part
    if count >= parts or operations.in_order:
        order = order[number::parts]
    items = [operations.items[i] for i in order.tolist()]
    return Requests(
        items=items,
        calls=list(enumerate(item.bind(engine, operations.k) for item in items)),
        kinds=np.array([item.kind for item in items], dtype=np.int64),
        numbers=np.array([item.number for item in items], dtype=np.int64),
    )


def unsupported(kinds: Iterable[Kind], capabilities: Capabilities, clients: int) -> str:
    """Why `clients` threads of one process cannot send operations of these kinds to an engine; "" if they can."""
    kinds = set(kinds)
    if clients > 1 and not capabilities.thread_safe:
        return "its queries may not run in several threads, so several clients cannot share it"
    if clients > 1 and kinds & set(_WRITES) and not capabilities.thread_safe_writes:
        return "its writes may not run beside queries and other writes, so several clients cannot share it"
    needed = {
        Kind.EXACT_QUERY: ("exact", "it has no exact queries"),
        Kind.HYBRID_QUERY: ("text", "it does not rank by words, which a hybrid query needs"),
        Kind.UPSERT: ("update", "it cannot update items"),
        Kind.DELETE: ("delete", "it cannot delete items"),
        Kind.GET: ("lookup", "it does not fetch items by id"),
    }
    missing = [
        why for kind, (name, why) in needed.items() if kind in kinds and not getattr(capabilities, name)
    ]
    return "; ".join(missing)
