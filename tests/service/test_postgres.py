"""The catalogue in PostgreSQL."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.servers import pgvector
from tests.servers.launch import UnavailableError
from tests.service.launch import running
from tests.service.shop import ROWS, document

EVENT = {"id": "e", "type": "click", "user": "anna", "listing": "kept", "at_ms": time.time_ns() // 1_000_000}


def test_it_is_kept_there(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    try:
        with pgvector.running(tmp_path_factory.mktemp("postgres")) as url:
            options = {"BAKEOFF_SERVICE_STORE": url}
            with running(folder, "--dataset", "shop", **options) as service:
                assert service.ask("PUT", "/v1/listings/kept", document(seller=None)).status == 200
                assert service.ask("POST", "/v1/events", EVENT).body["results"][0]["outcome"] == "recorded"
                assert service.stop() == 0
            assert not list(folder.glob("served/shop/*.sqlite*"))
            with running(folder, "--dataset", "shop", "--data", "elsewhere", **options) as service:
                assert service.ask("GET", "/v1/listings/kept").status == 200
                assert service.ask("POST", "/v1/events", EVENT).body["results"][0]["outcome"] == "known"
                assert service.ask("POST", "/v1/recommendations", {"user": "anna"}).status == 200
                found = service.ask("POST", "/v1/index:check").body
                assert (found["compared"], found["missing"], found["stale"]) == (ROWS + 1, [], [])
    except UnavailableError as error:
        pytest.skip(str(error))
