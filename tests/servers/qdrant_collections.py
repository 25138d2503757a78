"""The collections of Qdrant's stand-ins: what a server refuses, in front of the client's own local mode.

Local mode (`QdrantClient(":memory:")`) is the client's reference implementation of filters and scores, in NumPy. It
accepts more than a server does; this adds a server's refusals, and those of things a server would silently ignore.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from qdrant_client import QdrantClient, models

NOT_FOUND, INVALID, EXISTS = "not found", "invalid", "exists"
_MATCHED = {
    models.PayloadSchemaType.KEYWORD: str,
    models.PayloadSchemaType.INTEGER: int,
    models.PayloadSchemaType.BOOL: bool,
}
_RANGED = (models.PayloadSchemaType.INTEGER, models.PayloadSchemaType.FLOAT)


class RefusedError(Exception):
    """The request is refused; kind is NOT_FOUND, INVALID or EXISTS."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


@dataclass
class EarlyGreen:
    """An optimization that a collection's state does not tell of at first, as it happens with real servers: they look
    for segments being optimized, then plan for the others, and what begins between the two is in neither.

    early: questions that are answered with green though it is under way. busy: with yellow after that. indexed: how
    many vectors have a graph in the end. queued: it waits instead of running. looks: questions so far.
    """

    early: int
    busy: int
    indexed: int
    queued: bool = False
    looks: int = 0

    @property
    def done(self) -> bool:
        return self.looks > self.early + self.busy

    def state(self) -> dict[str, Any]:
        """What the next question is answered with."""
        self.looks += 1
        yellow = self.early < self.looks <= self.early + self.busy
        status = models.CollectionStatus.YELLOW if yellow else models.CollectionStatus.GREEN
        return {"status": status, "indexed_vectors_count": self.indexed if self.done else 0}


@dataclass
class Collections:
    """What one stand-in holds. One request at a time.

    states: what the next questions for a collection's state are answered with, for tests of waiting. early_green:
    an optimization under way. tells_optimizations: whether there is the interface for them, which older servers lack.
    """

    version: str = "1.20.0"
    api_key: str | None = None
    states: deque[dict[str, Any]] = field(default_factory=deque)
    early_green: EarlyGreen | None = None
    tells_optimizations: bool = True
    asked: list[str] = field(default_factory=list)  # names of the requests served, in order
    created: dict[str, models.CreateCollection] = field(default_factory=dict)
    indexes: dict[str, dict[str, models.PayloadSchemaType]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    local: QdrantClient = field(default_factory=lambda: QdrantClient(":memory:"))

    def _known(self, name: str) -> models.CreateCollection:
        if name not in self.created:
            raise RefusedError(NOT_FOUND, f"Not found: Collection `{name}` doesn't exist!")
        return self.created[name]

    def create(self, name: str, request: models.CreateCollection) -> None:
        if name in self.created:
            raise RefusedError(EXISTS, f"Wrong input: Collection `{name}` already exists!")
        if not isinstance(request.vectors, models.VectorParams):
            raise RefusedError(INVALID, "the stand-in knows single unnamed vectors only")
        _check_configuration(request)
        self.local.create_collection(name, vectors_config=request.vectors)
        self.created[name], self.indexes[name] = request, {}

    def exists(self, name: str) -> bool:
        return name in self.created

    def drop(self, name: str) -> bool:
        if self.created.pop(name, None) is None:
            return False
        del self.indexes[name]
        return bool(self.local.delete_collection(name))

    def update(self, name: str, request: models.UpdateCollection) -> None:
        known, change = self._known(name), request.optimizers_config
        if request.model_dump(exclude_none=True, exclude={"optimizers_config"}) or change is None:
            raise RefusedError(INVALID, f"the stand-in takes changes of optimizers only, got {request!r}")
        if change.model_dump(exclude_none=True).keys() - {"indexing_threshold"}:
            raise RefusedError(
                INVALID, f"the stand-in takes an indexing_threshold or nothing, got {change!r}"
            )
        if change.indexing_threshold is not None:
            now = known.optimizers_config or models.OptimizersConfigDiff()
            changed = now.model_copy(update={"indexing_threshold": change.indexing_threshold})
            self.created[name] = known.model_copy(update={"optimizers_config": changed})

    def info(self, name: str) -> models.CollectionInfo:
        request = self._known(name)
        info = self.local.get_collection(name)
        params = info.config.params.model_copy(update={"vectors": request.vectors})
        state = self.states.popleft() if self.states else {}
        if self.early_green is not None:
            state = self.early_green.state() | state
        given = request.optimizers_config
        threshold = 10_000 if given is None or given.indexing_threshold is None else given.indexing_threshold
        optimizers = info.config.optimizer_config.model_copy(update={"indexing_threshold": threshold})
        changes = {"params": params, "metadata": request.metadata, "optimizer_config": optimizers}
        config = info.config.model_copy(update=changes)
        return info.model_copy(update={"config": config, **state})

    def optimizations(self, name: str) -> dict[str, Any]:
        self._known(name)
        if not self.tells_optimizations:
            raise RefusedError(NOT_FOUND, "")
        running = [
            {"uuid": "u", "optimizer": "indexing", "status": "optimizing", "segments": [], "progress": {}}
        ]
        race = self.early_green
        under_way, queued = (False, False) if race is None else (not race.done, race.queued)
        waiting = int(under_way and queued)
        summary = {
            "queued_optimizations": waiting,
            "queued_segments": 0,
            "queued_points": 0,
            "idle_segments": 1,
        }
        return {"summary": summary, "running": running * (under_way and not queued)}

    def index(self, name: str, alias: str, kind: models.PayloadSchemaType) -> None:
        self._known(name)
        self.indexes[name][alias] = kind

    def upsert(self, name: str, points: list[models.PointStruct]) -> None:
        size = self._known(name).vectors.size  # type: ignore[union-attr]
        for point in points:
            if not isinstance(point.id, int) or not 0 <= point.id < 2**64:
                raise RefusedError(INVALID, f"the id {point.id!r} is no unsigned integer")
            if not isinstance(point.vector, list) or len(point.vector) != size:
                raise RefusedError(INVALID, f"Vector dimension error: expected dim: {size}")
            self._check_payload(name, point.payload or {})
            point.payload = {key: reread(value) for key, value in (point.payload or {}).items()}
        if not points:
            raise RefusedError(INVALID, "Empty update request")
        self.local.upsert(name, points)

    def _check_payload(self, name: str, payload: dict[str, Any]) -> None:
        if not payload.keys() <= self.indexes[name].keys():
            raise RefusedError(INVALID, f"a payload of {sorted(payload)}, indexed are {self.indexes[name]}")
        for alias, value in payload.items():
            kind = self.indexes[name][alias]
            wanted = _MATCHED.get(kind, float)
            held = value if isinstance(value, list) and value else [value]
            if any(type(one) is not wanted for one in held):
                raise RefusedError(INVALID, f"{alias} is indexed as {kind.value}, got {value!r}")

    def delete(self, name: str, selector: models.PointsSelector) -> None:
        self._known(name)
        if not isinstance(selector, models.PointIdsList) or not selector.points:
            raise RefusedError(INVALID, "Empty update request")
        self.local.delete(name, selector)

    def query(self, name: str, request: models.QueryRequest) -> list[models.ScoredPoint]:
        size = self._known(name).vectors.size  # type: ignore[union-attr]
        vector = request.query.nearest if isinstance(request.query, models.NearestQuery) else request.query
        if not isinstance(vector, list) or len(vector) != size:
            raise RefusedError(INVALID, f"Vector dimension error: expected dim: {size}")
        if request.limit is None or request.limit < 1:
            raise RefusedError(INVALID, f"limit: {request.limit} must be 1 or larger")
        if request.with_payload is not False or request.with_vector is not False:
            raise RefusedError(INVALID, "ids and scores are to be asked for, nothing else")
        if request.filter is not None:
            self._check_filter(name, request.filter)
        found = self.local.query_points(
            name, vector, query_filter=request.filter, limit=request.limit, with_payload=False
        )
        return found.points

    def _check_filter(self, name: str, where: models.Filter) -> None:
        for clause in (where.must, where.should, where.must_not):
            for condition in clause if isinstance(clause, list) else [clause] if clause else []:
                if isinstance(condition, models.Filter):
                    self._check_filter(name, condition)
                elif isinstance(condition, models.FieldCondition):
                    self._check_condition(name, condition)
                elif isinstance(condition, models.IsEmptyCondition):
                    self._require_index(name, condition.is_empty.key)
                elif not isinstance(condition, models.HasIdCondition):
                    raise RefusedError(INVALID, f"the stand-in does not know {condition!r}")

    def _check_condition(self, name: str, condition: models.FieldCondition) -> None:
        kind = self._require_index(name, condition.key)
        match = condition.match
        if isinstance(match, models.MatchValue | models.MatchAny):
            values = match.any if isinstance(match, models.MatchAny) else [match.value]
            fits = all(type(value) is _MATCHED.get(kind) for value in values)
        else:
            fits = isinstance(condition.range, models.Range) and kind in _RANGED
        if not fits:
            raise RefusedError(INVALID, f"{condition!r} over an index of {kind.value}")

    def _require_index(self, name: str, key: str) -> models.PayloadSchemaType:
        kind = self.indexes[name].get(key)
        if kind is None:
            raise RefusedError(INVALID, f'Index required but not found for "{key}"')
        return kind

    def count(self, name: str, request: models.CountRequest) -> int:
        self._known(name)
        return self.local.count(name, count_filter=request.filter, exact=bool(request.exact)).count


def _check_configuration(request: models.CreateCollection) -> None:
    """The bounds that the server's own validation has."""
    hnsw, optimizers = request.hnsw_config, request.optimizers_config
    wrong = [
        name
        for name, fine in {
            "vectors.size": 1 <= request.vectors.size <= 65_536,  # type: ignore[union-attr]
            "hnsw_config.ef_construct": hnsw is None or hnsw.ef_construct is None or hnsw.ef_construct >= 4,
            "hnsw_config.full_scan_threshold": hnsw is None
            or hnsw.full_scan_threshold is None
            or hnsw.full_scan_threshold >= 10,
            "optimizers_config.max_segment_size": optimizers is None or optimizers.max_segment_size != 0,
            "shard_number": request.shard_number != 0,
            "replication_factor": request.replication_factor != 0,
            "write_consistency_factor": request.write_consistency_factor != 0,
        }.items()
        if not fine
    ]
    if wrong:
        raise RefusedError(INVALID, f"Validation error in body: {wrong}")


def reread(value: Any) -> Any:
    """A float as Qdrant reads it back from the JSON text of its payloads: its digits as an integer, then multiplied
    or divided by a power of ten, which is exact up to 15 digits or so. Measured on its core: the same result for 2,000
    of 2,000 random doubles, of which one in nine is changed.
    """
    if not isinstance(value, float) or not math.isfinite(value):
        return value
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    assert isinstance(exponent, int)
    number = float(int("".join(map(str, digits))))
    number = number * 10.0**exponent if exponent >= 0 else number / 10.0 ** min(-exponent, 308)
    number = number / 10.0 ** (-exponent - 308) if exponent < -308 else number
    return -number if sign else number
