"""Upserts by COPY, over several connections at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait

import psycopg

from engines.base import Batch
from engines.pgvector.binary import copy_data, id_array
from engines.pgvector.connection import Sessions
from engines.pgvector.tables import Table

_PART_BYTES, _PART_ROWS = 8 << 20, 4096  # at most in one COPY, each a transaction of its own
_LEAST_ROWS = 32  # fewer rows are faster over one connection than over two
_TRANSIENT = (
    psycopg.errors.UniqueViolation,  # ids were not new after all, or another client writes them too
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
)
_ATTEMPTS = 5


class Writer:
    """Writes batches into a table. retries: transactions that were tried again."""

    def __init__(self, sessions: Sessions, table: Table, connections: int, highest: int) -> None:
        """highest: no id in the table is higher."""
        self.retries = 0
        self._sessions, self._table = sessions, table
        self._connections, self._highest = connections, highest
        self._pool = ThreadPoolExecutor(connections, "pgvector")

    def upsert(self, batch: Batch) -> None:
        """Upserts a batch of distinct ids, at least one. Each part of it is written as a whole or not at all."""
        fresh = int(batch.ids.min()) > self._highest
        parts = self._parts(batch)
        if len(parts) == 1:
            self.retries += self._write(parts[0], fresh)
        else:
            futures = [self._pool.submit(self._write, part, fresh) for part in parts]
            wait(futures)
            self.retries += sum(future.result() for future in futures)
        self._highest = max(self._highest, int(batch.ids.max()))

    def _parts(self, batch: Batch) -> list[Batch]:
        """A batch in as many parts as there are connections, or more where they would become too large."""
        most = max(1, min(_PART_ROWS, _PART_BYTES // (4 * self._table.schema.dim)))
        rows = min(most, max(_LEAST_ROWS, -(-len(batch) // self._connections)))
        spans = [slice(start, start + rows) for start in range(0, len(batch), rows)]
        return [
            Batch(
                batch.ids[span],
                batch.vectors[span],
                {name: column[span] for name, column in batch.attributes.items()},
            )
            for span in spans
        ]

    def _write(self, part: Batch, fresh: bool) -> int:
        """Writes a part in one transaction; returns how often it was tried again.

        fresh: the ids are thought to be new, so that nothing is deleted first. Where one is not, the primary key
        refuses the part.
        """
        schema = self._table.schema
        for attempt in range(_ATTEMPTS):
            session = self._sessions.mine()
            try:
                if fresh and attempt == 0:
                    session.copy(self._table.copy(), copy_data(part, schema))
                else:
                    with session.connection.transaction():
                        session.execute(self._table.deletion(), [id_array(part.ids)])
                        session.copy(self._table.copy(), copy_data(part, schema))
                break
            except _TRANSIENT:
                if attempt == _ATTEMPTS - 1:
                    raise
        return attempt

    def close(self) -> None:
        """Ends the threads."""
        self._pool.shutdown()
