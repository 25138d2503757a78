"""PostgreSQL with pgvector, through psycopg and the libpq below it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from math import isnan
from pathlib import Path
from typing import Any, ClassVar

import psycopg
from psycopg import pq
from pydantic import BaseModel

from engines.base import Batch, Capabilities, Engine, EngineError, EngineStats, Hits, Ids, Schema, Vectors
from engines.filters import Filter
from engines.pgvector import binary
from engines.pgvector.connection import Session, Sessions, failure, prepare_server, reported, unhurried
from engines.pgvector.filters import Condition, Conditions
from engines.pgvector.params import IndexParams, SearchParams, effort, oversampled, settings
from engines.pgvector.pipeline import Pipeline
from engines.pgvector.tables import MAX_BTREE_BYTES, OURS, Table
from engines.pgvector.writing import Writer
from engines.server.endpoint import Endpoint
from engines.server.names import collection_name
from engines.server.ownership import ForeignError
from engines.server.pipelined import PipelinedQueries
from engines.values.columns import prepared
from engines.values.contents import require_contents
from engines.values.vectors import require_query

QUERY_PATH = "psycopg at the level of libpq, parameters and results in binary"
_EVERYTHING = Condition("true")


class PgVector(PipelinedQueries, Engine):
    """One table. Its indexes, on the vectors and on every field, are built by the first `refresh` that finds items."""

    capabilities = Capabilities(
        persistent=True,
        durable=True,  # fsync and synchronous_commit are on unless an administrator has changed them
        immediate=True,
        thread_safe=True,
        thread_safe_writes=True,
        multi_process=True,
        pipelined=True,
        server=True,
        tags=True,
        missing=True,
        quantization=True,
    )
    IndexParams: ClassVar = IndexParams
    SearchParams: ClassVar = SearchParams

    def __init__(self, path: Path, index: BaseModel) -> None:
        assert isinstance(index, IndexParams)
        self._params, self._name = index, collection_name(path)
        self._sessions: Sessions | None = None
        self._writer: Writer | None = None
        self.configure(SearchParams())

    @classmethod
    def version(cls) -> str:
        return f"psycopg {version('psycopg')}, libpq {pq.version() // 10_000}.{pq.version() % 10_000}"

    @property
    def _open(self) -> Sessions:
        assert self._sessions is not None, "create() or open() comes first"
        return self._sessions

    @property
    def _write(self) -> Writer:
        assert self._writer is not None, "create() or open() comes first"
        return self._writer

    def create(self, schema: Schema) -> None:
        self.close()
        table = Table(self._name, schema, self._params)
        table.check()
        with self._attaching(table) as session:
            _drop_ours(session, table)
            # Together they are one transaction: what is killed in between leaves no table without its note.
            session.run(f"{table.creation()}; {table.note()}")
        self._writer = Writer(self._open, table, self._params.connections, highest=-1)

    def open(self, schema: Schema) -> None:
        self.close()
        table = Table(self._name, schema, self._params)
        with self._attaching(table) as session:
            held = session.texts(table.standing())
            if not held:
                raise EngineError(
                    f"pgvector: the server holds no collection in {self._name}, create it first"
                )
            found = held[0].removeprefix(OURS)
            require_contents(f"pgvector: {self._name}", found, schema, self._params)
            highest = session.number(f"select coalesce(max(id), -1) from {self._name}")
        self._writer = Writer(self._open, table, self._params.connections, highest)

    @contextmanager
    def _attaching(self, table: Table) -> Iterator[Session]:
        self._table, self._conditions, self._indexed = table, Conditions(table.schema), False
        self._sessions = Sessions(Endpoint.of("pgvector"))
        try:
            with reported():
                self._server = prepare_server(self._sessions.mine().connection)
                self.configure(self._search)
                yield self._sessions.mine()
        except BaseException:
            self.close()
            raise

    def configure(self, search: BaseModel) -> None:
        assert isinstance(search, SearchParams)
        self._search, self._oversampling = search, oversampled(search, self._params)
        self._effort = effort(search, self._params, 1)
        given = settings(search, self._params)  # refuses what does not go with the index, connected or not
        if self._sessions is not None:
            with reported():
                self._sessions.configure(given)

    def index(self, batch: Batch) -> None:
        batch = prepared(batch, self._table.schema)
        if len(batch):
            with reported():
                self._make_room_for_long_texts(batch)
                self._write.upsert(batch)

    def _make_room_for_long_texts(self, batch: Batch) -> None:
        """Drops indexes that cannot take a text of the batch; `refresh` replaces them where it can."""
        if self._indexed:
            for column in binary.columns_beyond(batch, self._table.schema, MAX_BTREE_BYTES):
                if self._open.mine().texts(self._table.method(column)) in (["btree"], ["gin"]):
                    self._open.mine().run(f"drop index {self._table.index_name(column)}")
                    self._indexed = False

    def refresh(self) -> None:
        """Writes are searchable once acknowledged. What remains is to build the indexes that are missing, and to
        let VACUUM and ANALYZE do what autovacuum would do at some time later.
        """
        session = self._open.mine()
        with reported(), unhurried(session):
            if not self._indexed:
                self._build(session)
            session.run(f"vacuum (analyze, index_cleanup {self._params.index_cleanup}) {self._name}")

    def _build(self, session: Session) -> None:
        if session.number(f"select count(*) from (select from {self._name} limit 1) as one") == 0:
            return
        existing = session.texts(self._table.existing_indexes())
        long = {
            column
            for column, longest in self._table.longest().items()
            if session.number(longest) > MAX_BTREE_BYTES
        }
        for name, value in self._params.build_settings.items():
            session.run(f"set {name} = '{value}'")
        for name, statement in self._table.indexes(long).items():
            if name not in existing:
                session.run(statement)
        self._indexed = True

    def query(self, vector: Vectors, k: int, where: Filter | None = None, *, exact: bool = False) -> Hits:
        statement, values, prepare = self._asking(vector, k, where, exact=exact)
        try:
            result = self._open.mine().execute(statement, values, prepare=prepare)
        except psycopg.Error as error:
            raise failure(error) from error
        return self._answered(result)

    def _asking(
        self, vector: Vectors, k: int, where: Filter | None, *, exact: bool = False
    ) -> tuple[str, Sequence[bytes], bool]:
        """Statement, parameters, and whether it is kept: with a filter the best plan depends on its values."""
        require_query(vector, self._table.schema)
        condition = _EVERYTHING if where is None else self._conditions.translate(where)
        statement = self._table.search(k, condition, exact=exact, oversampling=self._oversampling)
        if self._effort != (wanted := effort(self._search, self._params, k)):
            with reported():
                self._open.configure(settings(self._search, self._params, k))
            self._effort = wanted
        return statement, (binary.vector(vector), *condition.values), where is None

    def _answered(self, raw: Any) -> Hits:
        return Hits(*self._decode(raw))

    def _transport(self) -> Pipeline:
        return Pipeline(self._open)

    def _decode(self, result: Any) -> tuple[list[int], list[float]]:
        """Distances as scores, best first: an iterative scan in relaxed order returns them slightly out of it."""
        rows = [
            (binary.unpack_float(result.get_value(row, 1)), binary.unpack_id(result.get_value(row, 0)))
            for row in range(result.ntuples)
        ]
        metric = self._table.schema.metric
        if metric == "cosine":  # NaN from or to a zero vector
            rows = [(1.0 if isnan(distance) else distance, id_) for distance, id_ in rows]
        rows.sort()
        scores = {
            "l2": [distance * distance for distance, _ in rows],
            "ip": [-distance for distance, _ in rows],
            "cosine": [1.0 - distance for distance, _ in rows],
        }
        return [id_ for _, id_ in rows], scores[metric]

    def delete(self, ids: Ids) -> None:
        if len(ids):
            with reported():
                self._open.mine().execute(self._table.deletion(), [binary.id_array(ids)])

    def count(self) -> int:
        with reported():
            return self._open.mine().number(f"select count(*) from {self._name}")

    def stats(self) -> EngineStats:
        with reported():
            session = self._open.mine()
            size = session.number(f"select pg_total_relation_size('{self._name}')")
            indexes = session.number(f"select pg_indexes_size('{self._name}')")
        details = {"index_bytes": indexes}
        return EngineStats(self.count(), size, details, self._server, self._write.retries, QUERY_PATH)

    def drop(self) -> None:
        session = Session(Endpoint.of("pgvector"))
        self.close()
        try:
            with reported():
                _drop_ours(session, Table(self._name, Schema(1, "l2"), self._params))
        finally:
            session.close()

    def close(self) -> None:
        self._end_flights()
        if self._writer is not None:
            self._writer.close()
        if self._sessions is not None:
            self._sessions.close()
        self._writer = self._sessions = None


def _drop_ours(session: Session, table: Table) -> None:
    """Drops the table, if there is one. Raises ForeignError for anything of its name that is not ours."""
    for found in session.texts(table.standing()):
        if not found.startswith(OURS):
            raise ForeignError("pgvector", table.name, "a table" if found[0] == "r" else "no table")
        session.run(f"drop table {table.name}")
