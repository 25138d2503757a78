"""A catalogue whose PostgreSQL is killed and started again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from engines.pgvector import local
from service.catalogue.listing import Written
from service.catalogue.opening import open_store
from service.database.errors import StoreError
from tests.unit.service.catalogue.test_store import SCHEMA, put

READERS = 4


def test_a_killed_server_costs_reading_and_writing_one_error_each_and_no_acknowledged_write(
    tmp_path: Path,
) -> None:
    try:
        local.installed()
    except local.MissingServerError as error:
        pytest.skip(str(error))
    with local.running(tmp_path / "server", cpus=2, memory_bytes=512 << 20) as launched:
        assert launched.kill_and_start is not None
        store = open_store(launched.settings["URL"], SCHEMA)
        together = Barrier(READERS)

        def read(_: int) -> int:
            with store._database.reading() as session:
                together.wait(10)  # so that there are as many connections
                return len(session.read("select number from catalogue_listings"))

        for life in range(1, 3):
            (outcome,) = store.write([put(f"{life}")])
            assert isinstance(outcome, Written)
            with ThreadPoolExecutor(READERS) as threads:
                assert list(threads.map(read, range(READERS))) == [life] * READERS
            launched.kill_and_start()
            with pytest.raises(StoreError, match="cannot be read"):
                store.count()
            with pytest.raises(StoreError, match="cannot be written to"):
                store.write([put("lost")])
            assert store.count() == store.last_seq() == life
        store.close()
