"""Vespa against the stand-in: what is refused, and what goes wrong on the way."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
from vespa.application import Vespa as PyVespa

from engines.base import EngineError, Field, Metric, Schema
from engines.filters import Eq, Range
from engines.http.client import HttpError
from engines.vespa import client, deployment
from engines.vespa.adapter import Vespa
from engines.vespa.client import Client
from engines.vespa.params import IndexParams, SearchParams
from engines.vespa.queries import Queries, complete
from tests.conformance.model import make_batch
from tests.servers.vespa_stand_in import StandIn, listening

SCHEMA = Schema(
    2, "l2", (Field("b", "keyword"), Field("p", "integer"), Field("r", "float"), Field("n", "boolean"))
)


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    state = StandIn()
    with listening(state) as url:
        monkeypatch.setenv("BAKEOFF_VESPA_URL", url)
        monkeypatch.setenv("BAKEOFF_VESPA_CONFIG_URL", url)
        yield state


@pytest.fixture
def engine(state: StandIn, tmp_path: Path) -> Iterator[Vespa]:
    engine = Vespa(tmp_path, IndexParams(max_workers=4))
    engine.create(SCHEMA)
    yield engine
    engine.close()


def fill(engine: Vespa, rows: int = 20) -> None:
    columns: dict[str, list[Any]] = {
        "b": ["x"] * rows,
        "p": list(range(rows)),
        "r": [0.5] * rows,
        "n": [True] * rows,
    }
    engine.index(make_batch(SCHEMA, range(rows), np.arange(2 * rows).reshape(rows, 2), columns))


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(engine: Vespa, broken: float) -> None:
    columns: dict[str, list[Any]] = {"b": ["x"], "p": [1], "r": [broken], "n": [True]}
    with pytest.raises(EngineError, match="'r' holds NaN or an infinite number"):
        engine.index(make_batch(SCHEMA, [1], np.ones((1, 2)), columns))
    with pytest.raises(EngineError, match="NaN or an infinite number"):
        engine.index(make_batch(SCHEMA, [1], [[broken, 1]], columns | {"r": [0.5]}))
    with pytest.raises(EngineError, match="NaN or an infinite number"):
        engine.query(np.array([broken, 0], np.float32), 1)
    assert engine.count() == 0


def test_a_busy_vespa_is_asked_again_and_that_is_counted(engine: Vespa, state: StandIn) -> None:
    state.busy = [429, 503, 504, 429]
    fill(engine)
    assert (engine.count(), engine.stats().retries, state.puts) == (20, 4, 20)
    state.busy = [429]
    engine.delete(np.arange(5))
    assert (engine.count(), engine.stats().retries) == (15, 5)


def test_patience_ends(engine: Vespa, state: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_PATIENCE_S", 0.0)
    state.busy = [429] * 10
    with pytest.raises(HttpError, match=r"HTTP 429: .*Too many requests"):
        fill(engine)


def test_a_refused_document_ends_the_feed_and_says_why(engine: Vespa, state: StandIn) -> None:
    state.busy = [507]  # no space left
    with pytest.raises(HttpError, match=r"docid/\d+\?timeout=55s: HTTP 507"):
        fill(engine, 500)
    assert state.puts < 500


def test_incomplete_answers_are_errors(engine: Vespa, state: StandIn) -> None:
    fill(engine)
    state.degraded = True
    with pytest.raises(
        EngineError, match=r"incomplete answer: \{'coverage': 50, .*'degraded': \{'timeout': True\}"
    ):
        engine.query(np.zeros(2, np.float32), 3)
    with pytest.raises(EngineError, match="incomplete answer"):
        engine.refresh()
    answer = {"root": {"errors": [{"code": 12, "summary": "Timed out"}], "coverage": {"full": True}}}
    with pytest.raises(EngineError, match="Timed out"):
        complete(json.dumps(answer, separators=(",", ":")).encode())


def test_an_answer_that_cannot_be_read_is_no_success(engine: Vespa, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(engine)
    monkeypatch.setattr(Client, "post", lambda *_: b'{"root":{"children":[{"relevance":1.0}]}}')
    with pytest.raises(ValueError, match="a hit lacks 'fields'"):
        engine.query(np.zeros(2, np.float32), 3)


def test_parameters_of_a_query_are_vespas(engine: Vespa, state: StandIn) -> None:
    fill(engine)
    engine.configure(SearchParams(exploreAdditionalHits=0, postFilterThreshold=0.5, approximateThreshold=0.0))
    assert list(engine.query(np.zeros(2, np.float32), 2, Range("p", gt=3)).ids) == [4, 5]
    assert list(engine.query(np.zeros(2, np.float32), 2, exact=True).scores) == [1.0, 13.0]


def test_another_application_is_not_replaced(state: StandIn, tmp_path: Path) -> None:
    state.files = {
        "services.xml": b'<services><container id="shop"/><content><documents/></content></services>'
    }
    for path in ("a", "b"):
        (tmp_path / path).mkdir()
    with pytest.raises(EngineError, match="holds an application that is not Bakeoff's"):
        Vespa(tmp_path / "a", IndexParams()).create(SCHEMA)
    with pytest.raises(EngineError, match="holds an application that is not Bakeoff's"):
        Vespa(tmp_path / "b", IndexParams()).drop()


def test_collections_side_by_side_are_kept_and_dropped_alone(state: StandIn, tmp_path: Path) -> None:
    engines = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        engines.append(Vespa(tmp_path / name, IndexParams(max_workers=2)))
        engines[-1].create(SCHEMA)
        fill(engines[-1], 5)
    other = Vespa(tmp_path / "a", IndexParams(max_workers=2))
    other.open(SCHEMA)
    assert (other.count(), other.stats().server) == (5, "Vespa 8.700.24")
    other.close()
    engines[0].create(SCHEMA)
    assert [engine.count() for engine in engines] == [0, 5]
    engines[0].drop()
    assert engines[1].count() == 5
    with pytest.raises(EngineError, match="create it first"):
        other.open(SCHEMA)
    engines[1].drop()
    engines[1].drop()
    assert set(state.schemas) == set(deployment.IDLE)


def test_a_collection_says_what_it_holds(state: StandIn, tmp_path: Path) -> None:
    made, other = (replace(SCHEMA, model=f"tower@{number}#0123456789ab") for number in (1, 2))
    for name in ("a", "b"):  # the second deployment sends the first schema once more
        (tmp_path / name).mkdir()
        Vespa(tmp_path / name, IndexParams()).create(made)
    again = Vespa(tmp_path / "a", IndexParams())
    again.open(made)
    with pytest.raises(EngineError, match=f"of model {made.model}, not of model {other.model}"):
        again.open(other)
    for name, text in state.files.items():
        if name.endswith(".sd"):
            state.files[name] = text.partition(b"\n")[2]
    with pytest.raises(EngineError, match=f"does not say .* model {made.model}: create it again"):
        again.open(made)
    again.close()


def test_a_restart_that_vespa_asks_for_is_passed_on(
    state: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy = StandIn._deploy

    def restarting(self: StandIn, body: bytes) -> bytes:
        told = json.loads(deploy(self, body))
        told["configChangeActions"]["restart"] = [{"clusterName": "items"}]
        return json.dumps(told).encode()

    monkeypatch.setattr(StandIn, "_deploy", restarting)
    with pytest.raises(EngineError, match="must be restarted"):
        Vespa(tmp_path, IndexParams()).create(SCHEMA)


def test_an_old_version_is_refused(state: StandIn, tmp_path: Path) -> None:
    state.version = "8.499.3"
    with pytest.raises(EngineError, match=r"runs version 8\.499\.3; 8\.500 or later is needed"):
        Vespa(tmp_path, IndexParams()).create(SCHEMA)


def test_an_application_that_is_refused_says_why(
    state: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engines.vespa.adapter.schema_text", lambda name, *_: f"schema {name} {{ nonsense }}")
    with pytest.raises(EngineError, match=r"HTTP 400: .*INVALID_APPLICATION_PACKAGE.*Could not parse schema"):
        Vespa(tmp_path, IndexParams()).create(SCHEMA)


def test_a_wrong_address_is_named_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:  # bound and not listening: refused
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv("BAKEOFF_VESPA_URL", url.replace("//", "//me:secret@"))
        monkeypatch.setenv("BAKEOFF_VESPA_CONFIG_URL", url)
        with pytest.raises(EngineError, match=rf"^{url}: no connection") as caught:
            Vespa(tmp_path, IndexParams()).create(SCHEMA)
    assert "secret" not in str(caught.value)


def test_something_else_at_the_address_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"

        def serve() -> None:
            with listener.accept()[0] as connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")

        thread = Thread(target=serve)
        thread.start()
        monkeypatch.setenv("BAKEOFF_VESPA_URL", url)
        monkeypatch.setenv("BAKEOFF_VESPA_CONFIG_URL", url)
        with pytest.raises(EngineError, match="does not answer in JSON; is that a config server"):
            Vespa(tmp_path, IndexParams()).create(SCHEMA)
        thread.join()


def test_the_config_server_is_beside_vespa_unless_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BAKEOFF_VESPA_CONFIG_URL", raising=False)
    vespa = deployment.Endpoint("https://vespa.example:8080", user="me", password="secret")
    beside = deployment.ConfigServer.of(vespa)._endpoint
    assert (beside.url, beside.user, beside.password) == ("https://vespa.example:19071", "me", "secret")
    monkeypatch.setenv("BAKEOFF_VESPA_CONFIG_URL", "http://other:1")
    assert deployment.ConfigServer.of(vespa)._endpoint.url == "http://other:1"
    monkeypatch.setenv("BAKEOFF_VESPA_CONFIG_URL", "http://host:x")
    with pytest.raises(EngineError, match="BAKEOFF_VESPA_CONFIG_URL"):
        deployment.ConfigServer.of(vespa)


def test_a_token_is_sent_as_vespas_are() -> None:
    made = Client(deployment.Endpoint("http://vespa.example", api_key="abc"))
    assert "Authorization: Bearer abc\r\n" in made._headers
    assert "abc" not in repr(deployment.Endpoint("http://vespa.example", api_key="abc"))


@pytest.mark.parametrize("metric", ["l2", "ip", "cosine"])
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_a_query_of_numbers_that_are_not_finite_is_refused(metric: Metric, number: float) -> None:
    queries = Queries("items", Schema(2, metric), SearchParams())
    with pytest.raises(EngineError, match="vector holds NaN or an infinite number"):
        queries.nearest(np.array([1, number], np.float32), 3, None, exact=False)


def test_the_official_client_and_ours_say_the_same(engine: Vespa, state: StandIn) -> None:
    """pyvespa feeds, reads, queries and deletes by the requests that the stand-in takes from us."""
    name = engine._name
    fields = {"id": 7, "embedding": [3.0, 4.0], "f0": "x", "f1": 1, "f2": 0.5, "f3": True, "f1_lowest": False}
    app, outcomes = PyVespa(os.environ["BAKEOFF_VESPA_URL"]), []
    feed = [{"id": str(id_), "fields": fields | {"id": id_}} for id_ in range(7, 60)]
    app.feed_iterable(
        feed, schema=name, namespace="bakeoff", callback=lambda answer, _: outcomes.append(answer.status_code)
    )
    assert outcomes == [200] * 53
    assert engine.count() == 53
    body = json.loads(engine._queries.nearest(np.zeros(2, np.float32), 3, Eq("p", 1), exact=True))
    with app.syncio() as session:
        hits = session.query(body={**body, "input.query(q)": [0.0, 0.0]}).hits
        assert {hit["relevance"] for hit in hits} == {-25.0}
        session.delete_data(schema=name, data_id="7", namespace="bakeoff")
    assert engine.count() == 52
    assert app.get_document_v1_path("7", name, "bakeoff") == engine._target(7).partition("?")[0]
