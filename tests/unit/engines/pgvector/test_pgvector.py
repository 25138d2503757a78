"""What conformance does not reach: parameters, SQL, the binary format, and servers that cannot be used."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from engines.base import Batch, EngineError, Field, Keywords, Schema, UnsupportedError
from engines.filters import And, Eq, In, Not, Or, Range
from engines.pgvector import binary
from engines.pgvector.adapter import IndexParams, PgVector, SearchParams
from engines.pgvector.connection import prepare_server
from engines.pgvector.filters import Condition, Conditions
from engines.pgvector.params import effort, oversampled, settings
from engines.pgvector.tables import Table

ROOT = Path(__file__).parents[4]
SCHEMA = Schema(
    2,
    "l2",
    (Field("brand", "keyword"), Field("price", "integer"), Field("r", "float"), Field("new", "boolean")),
)
SECRET = "s3cret-word"


# Parameters


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"index_type": "ivfflat", "m": 8}, "m: no parameter of index_type: ivfflat, remove it"),
        ({"lists": 5}, "lists: no parameter of index_type: hnsw"),
        ({"index_type": "none", "quantization": "halfvec"}, "quantization: no parameter of index_type: none"),
        ({"m": 60}, r"ef_construction must be >= 2 \* m, got 100 with m 60"),
        ({"maintenance_work_mem": "2GB'; drop"}, "maintenance_work_mem"),
    ],
)
def test_index_parameters_that_do_not_go_together_are_refused(
    params: dict[str, object], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        IndexParams(**params)


def test_oversampling_and_effort_follow_the_quantization_and_k() -> None:
    none, binary = IndexParams(), IndexParams(quantization="binary")
    assert [oversampled(SearchParams(), index) for index in (none, binary)] == [1.0, 4.0]
    assert oversampled(SearchParams(oversampling=9), binary) == 9.0
    assert [effort(SearchParams(), none, k) for k in (10, 100, 5000)] == [64, 100, 1000]
    assert [effort(SearchParams(), binary, k) for k in (10, 100, 5000)] == [64, 400, 1000]
    assert effort(SearchParams(ef_search=200), none, 100) == 200


def test_search_parameters_become_the_servers_settings() -> None:
    assert settings(SearchParams(ef_search=99), IndexParams()) == {
        "hnsw.ef_search": "99",
        "hnsw.iterative_scan": "relaxed_order",
        "hnsw.max_scan_tuples": "20000",
        "hnsw.scan_mem_multiplier": "1.0",
    }
    lists = IndexParams(index_type="ivfflat")
    assert settings(SearchParams(probes=3), lists)["ivfflat.probes"] == "3"
    assert settings(SearchParams(), IndexParams(index_type="none")) == {}


@pytest.mark.parametrize(
    ("search", "index", "message"),
    [
        ({"probes": 3}, {}, "probes: no parameter of index_type: hnsw, quantization: none"),
        ({"oversampling": 2.0}, {}, "oversampling: no parameter of index_type: hnsw, quantization: none"),
        ({"ef_search": 3}, {"index_type": "none"}, "ef_search: no parameter of index_type: none"),
        ({"iterative_scan": "strict_order"}, {"index_type": "ivfflat"}, "ivfflat has no iterative_scan"),
    ],
)
def test_search_parameters_of_another_index_are_refused(
    search: dict[str, object], index: dict[str, object], message: str
) -> None:
    with pytest.raises(EngineError, match=message):
        settings(SearchParams(**search), IndexParams(**index))


@pytest.mark.parametrize(
    ("dim", "params", "remedy"),
    [
        (2001, {}, "quantization: halfvec or index_type: none"),
        (4001, {"quantization": "halfvec"}, "quantization: binary or index_type: none"),
        (16_001, {"index_type": "none"}, "holds vectors of up to 16000 dimensions, not 16001"),
    ],
)
def test_vectors_beyond_the_limits_are_refused(dim: int, params: dict[str, object], remedy: str) -> None:
    with pytest.raises(UnsupportedError, match=remedy):
        Table("t", Schema(dim, "l2"), IndexParams(**params)).check()


# SQL


def test_filters_put_no_value_into_the_sql() -> None:
    where = And(
        (
            Or((Eq("brand", "x'; --{}"), Not(In("price", (1, 2))))),
            Range("price", gt=1, lte=5),
            Range("price", gte=3),
            Range("r", gt=0.5, lt=2),
            Eq("new", True),
        )
    )
    assert Conditions(SCHEMA).translate(where).sql == (
        "((f0 = {} or not (f1 = any({}))) and f1 between {} and {} and f1 >= {} and (f2 > {} and f2 < {}) and f3 = {})"
    )
    values = Conditions(SCHEMA).translate(where).values
    assert values[0] == b"x'; --{}"
    assert values[2:5] == tuple(binary.integer(number) for number in (2, 5, 3))
    assert values[5:] == (binary.double(0.5), binary.double(2.0), b"\1")


def test_queries_use_the_vector_index_or_keep_away_from_it() -> None:
    where = Condition("f1 >= {}", (b"",))

    def sql(metric: str, exact: bool = False, oversampling: float = 1.0, **params: object) -> str:
        table = Table("t", Schema(2, metric), IndexParams(**params))  # type: ignore[arg-type]
        return table.search(3, where, exact=exact, oversampling=oversampling)

    rows = "from t where f1 >= $2"
    assert sql("l2") == f"select id, embedding <-> $1::vector {rows} order by 2 limit 3"
    assert sql("ip", exact=True) == f"select id, (embedding <#> $1::vector) + 0 {rows} order by 2 limit 3"
    assert sql("cosine", index_type="none") == (
        f"select id, coalesce(nullif(embedding <=> $1::vector, 'NaN'), 1) {rows} order by 2 limit 3"
    )
    assert sql("l2", quantization="halfvec") == (
        f"select id, embedding <-> $1::vector from (select id, embedding {rows} "
        "order by embedding::halfvec(2) <-> $1::vector::halfvec(2) limit 3) as candidates order by 2 limit 3"
    )
    assert "binary_quantize(embedding)::bit(2) <~> binary_quantize($1::vector)::bit(2) limit 6)" in sql(
        "l2", quantization="binary", oversampling=1.7
    )


# The binary format


def test_text_without_a_nul_of_its_own() -> None:
    words = ["", "\0", "\1", "\2", "\1\1", "\1\2", "a\0b", "a\1\2b", "日本語"]
    encoded = [binary.text(word) for word in words]
    assert len(set(encoded)) == len(words)
    assert not any(b"\0" in each for each in encoded)
    assert binary.text("日本語") == "日本語".encode()
    with pytest.raises(EngineError, match="no valid Unicode"):
        binary.text("\ud800")


def batch(ids: list[int], brands: list[str], ratings: list[float] | None = None) -> Batch:
    rows = len(ids)
    columns = {
        "brand": Keywords.encode(brands),
        "price": np.arange(rows),
        "r": np.array(ratings or [0.5] * rows),
        "new": np.zeros(rows, dtype=np.bool_),
    }
    return Batch(np.array(ids), np.arange(rows * 2, dtype=np.float32).reshape(rows, 2), columns)


def test_nan_is_refused() -> None:
    with pytest.raises(EngineError, match="NaN in 'r'"):
        list(binary.copy_data(batch([1, 2], ["a", "b"], [0.5, np.nan]), SCHEMA))


def refusal(path: Path) -> str:
    """What create() says."""
    start = time.monotonic()
    with pytest.raises(EngineError) as raised:
        PgVector(path, IndexParams()).create(SCHEMA)
    assert time.monotonic() - start < 10
    assert "\n" not in str(raised.value)
    return str(raised.value)


# Servers that cannot be used


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("BAKEOFF_PGVECTOR_URL", f"postgresql://user:{SECRET}@127.0.0.1:{port}/postgres")
    message = refusal(tmp_path)
    assert message.startswith(f"pgvector: no connection to postgresql://127.0.0.1:{port}/postgres: ")
    assert "Connection refused" in message
    assert message.endswith("start the server, or set BAKEOFF_PGVECTOR_URL to where it listens")
    assert SECRET not in message


def test_a_password_as_a_parameter_of_the_url_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BAKEOFF_PGVECTOR_URL", f"postgresql://127.0.0.1/postgres?password={SECRET}")
    message = refusal(tmp_path)
    assert "after the ? stands something that is not a setting of a connection" in message
    assert "BAKEOFF_PGVECTOR_PASSWORD" in message
    assert SECRET not in message


def test_a_url_that_libpq_cannot_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BAKEOFF_PGVECTOR_URL", "http://127.0.0.1:5432")
    assert "set BAKEOFF_PGVECTOR_URL to where it listens" in refusal(tmp_path)


@contextmanager
def stand_in(answer: Callable[[socket.socket], object]) -> Iterator[int]:
    """Listens, lets `answer` talk to whoever connects, and hangs up. Yields the port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    link, _ = listening.accept()
                except OSError:
                    return
                with link:
                    answer(link)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_a_server_without_tls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with stand_in(lambda link: (link.recv(8), link.sendall(b"N"))) as port:
        monkeypatch.setenv(
            "BAKEOFF_PGVECTOR_URL", f"postgresql://u@127.0.0.1:{port}/postgres?sslmode=require"
        )
        message = refusal(tmp_path)
    assert "server does not support SSL" in message
    assert "set BAKEOFF_PGVECTOR_CA_CERTS to its certificates" in message


def test_a_server_that_hangs_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with stand_in(lambda link: link.recv(1024)) as port:
        monkeypatch.setenv(
            "BAKEOFF_PGVECTOR_URL", f"postgresql://u@127.0.0.1:{port}/postgres?sslmode=disable"
        )
        assert "start the server, or set BAKEOFF_PGVECTOR_URL" in refusal(tmp_path)


class StandInConnection:
    """Answers what `prepare_server` asks."""

    def __init__(self, version: str, encoding: str) -> None:
        self.info, self._row, self._encoding = self, (version,), encoding
        self.server_version = 170_005

    def execute(self, query: str) -> StandInConnection:
        return self

    def fetchone(self) -> tuple[str]:
        return self._row

    def parameter_status(self, name: str) -> str:
        return self._encoding


def test_a_server_of_an_unsupported_version() -> None:
    assert prepare_server(StandInConnection("0.8.0", "UTF8")) == "PostgreSQL 17.5, pgvector 0.8.0"  # type: ignore[arg-type]
    with pytest.raises(
        EngineError, match=r"version 0\.7\.4, 0\.8 or newer is needed; .* alter extension vector update"
    ):
        prepare_server(StandInConnection("0.7.4", "UTF8"))  # type: ignore[arg-type]
    with pytest.raises(EngineError, match="encoded in SQL_ASCII"):
        prepare_server(StandInConnection("0.8.5", "SQL_ASCII"))  # type: ignore[arg-type]
