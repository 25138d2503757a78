"""pgvector against a real server, where conformance does not reach."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engines.base import EngineError
from engines.filters import Eq
from engines.pgvector.adapter import IndexParams, PgVector, SearchParams
from engines.pgvector.connection import Session
from engines.server.endpoint import Endpoint
from engines.server.launched import Launched
from engines.server.names import collection_name
from tests.unit.engines.pgvector.items import SCHEMA, batch


@pytest.fixture
def engine(server: Launched, tmp_path: Path) -> Iterator[PgVector]:
    engine = PgVector(tmp_path, IndexParams())
    engine.create(SCHEMA)
    yield engine
    engine.drop()


def ids(engine: PgVector, brand: str) -> list[int]:
    found = engine.query(np.zeros(2, np.float32), 50, Eq("brand", brand), exact=True)
    return sorted(int(id_) for id_ in found.ids)


def test_every_index_stands_when_refresh_returns(engine: PgVector) -> None:
    """Nothing is built in the background: CREATE INDEX returns when the index can be used."""

    def usable() -> set[str]:
        return set(
            engine._open.mine().texts(
                "select relname::text from pg_index join pg_class on oid = indexrelid where indisvalid and indisready "
                f"and indislive and not indisprimary and indrelid = '{engine._name}'::regclass"
            )
        )

    engine.index(batch([*range(2000)], ["a", "b"] * 1000))
    assert usable() == set()
    engine.refresh()
    assert usable() == set(engine._table.indexes(set()))
    assert len(usable()) == 1 + len(SCHEMA.fields)


def test_texts_too_long_for_a_b_tree_are_hashed(engine: PgVector) -> None:
    long = os.urandom(9000).hex()
    engine.index(batch([0, 1], ["a", "b"]))
    engine.refresh()
    engine.index(batch([2, 3], [long, "a"]))
    assert ids(engine, long) == [2]
    engine.refresh()
    session = engine._open.mine()
    assert session.texts(engine._table.method("f0")) == ["hash"]
    assert (ids(engine, long), ids(engine, "a")) == ([2], [0, 3])
    engine.index(batch([4], [long]))
    engine.refresh()
    assert ids(engine, long) == [2, 4]


def test_ids_that_another_client_has_written_are_replaced(engine: PgVector, tmp_path: Path) -> None:
    other = PgVector(tmp_path, IndexParams())
    other.open(SCHEMA)
    engine.index(batch([0, 1], ["a", "b"]))
    other.index(batch([1, 2], ["c", "d"]))  # knows of no ids, so that it takes these for new
    assert (engine.count(), ids(engine, "b"), ids(engine, "c")) == (3, [], [1])
    assert (engine.stats().retries, other.stats().retries) == (0, 1)
    other.close()


def test_a_part_that_is_refused_fails_the_batch(engine: PgVector) -> None:
    many = batch(list(range(400)), ["a"] * 400)
    engine._open.mine().run(f"alter table {engine._name} add check (id <> 399)")
    with pytest.raises(EngineError, match="violates check constraint"):
        engine.index(many)
    assert engine.count() < 400


def test_a_lost_connection_fails_one_query_and_is_made_again(engine: PgVector) -> None:
    engine.index(batch([0, 1], ["a", "b"]))
    session = Session(Endpoint.of("pgvector"))
    session.execute(f"select pg_terminate_backend({engine._open.mine().connection.info.backend_pid})")
    session.close()
    with pytest.raises(EngineError, match=r"terminating connection|closed the connection"):
        engine.query(np.zeros(2, np.float32), 1)
    assert len(engine.query(np.zeros(2, np.float32), 1).ids) == 1


def test_settings_reach_every_thread(engine: PgVector) -> None:
    seen: list[str] = []

    def look() -> None:
        seen.extend(engine._open.mine().texts("select current_setting('hnsw.ef_search')"))

    go, done = threading.Event(), threading.Event()

    def twice() -> None:
        look()
        done.set()
        go.wait(10)
        look()

    thread = threading.Thread(target=twice)
    thread.start()
    done.wait(10)
    engine.configure(SearchParams(ef_search=321))
    go.set()
    thread.join()
    assert seen == ["64", "321"]


def test_what_the_server_calls_by_our_name_but_is_not_ours_is_refused(
    engine: PgVector, tmp_path: Path
) -> None:
    engine._open.mine().run(f"comment on table {engine._name} is 'something else'")
    other = PgVector(tmp_path, IndexParams())
    with pytest.raises(EngineError, match=f"{engine._name} does not say which model"):
        other.open(SCHEMA)
    engine._open.mine().run(f"drop table {engine._name}")
    with pytest.raises(EngineError, match="holds no collection in bakeoff_"):
        other.open(SCHEMA)


@pytest.mark.parametrize(
    ("made", "complaint"),
    [
        ("create table {0} (id int)", "a table"),
        ("create table {0} (id int); comment on table {0} is 'the shop''s'", "a table"),
        ("create table shop_items (id int); create view {0} as select * from shop_items", "no table"),
    ],
)
def test_a_foreign_table_is_never_dropped(
    server: Launched, tmp_path: Path, made: str, complaint: str
) -> None:
    name = collection_name(tmp_path)
    session = Session(Endpoint.of("pgvector"))
    session.run(made.format(name))
    engine = PgVector(tmp_path, IndexParams())
    for call in (lambda: engine.create(SCHEMA), engine.drop):
        with pytest.raises(EngineError, match=f"{complaint}, and was not made by this harness"):
            call()
    assert session.texts(f"select to_regclass('{name}')::text") == [name]
    session.run(f"drop {'view' if 'view' in made else 'table'} {name}; drop table if exists shop_items")
    engine.create(SCHEMA)
    engine.create(SCHEMA)  # one that is ours is replaced
    engine.drop()
    assert session.texts(f"select to_regclass('{name}')::text") == [""]
    session.close()
