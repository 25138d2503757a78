"""What cannot be served is told before anybody is answered, all at once."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import numpy as np
import pytest

from tests.service import shop
from tests.service.launch import refused, running


def test_every_problem_of_what_is_named_at_once(folder: Path) -> None:
    (folder / "keys.yaml").write_text("keys: []\n")
    options = ("--decision", "none.json", "--model", "none", "--dataset", "nowhere", "--keys", "keys.yaml")
    code, errors = refused(folder, *options)
    assert code == 104
    assert [line.split(":")[1].split()[0] for line in errors] == ["none.json", "none", "dataset", "keys.yaml"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--engine", "fiass"), "'fiass' is not known (known: bruteforce, faiss"),
        (("--host", "0.0.0.0"), "keys: are needed to listen on 0.0.0.0"),
        (("--port", "70000"), "port must be less than or equal to 65535"),
        (("--config", "none.yaml"), "none.yaml: cannot be read"),
    ],
)
def test_settings_that_cannot_be(folder: Path, options: tuple[str, ...], told: str) -> None:
    code, errors = refused(folder, "--dataset", "shop", *options)
    assert code == 104
    assert told in errors[0]


def test_an_engine_that_does_not_start(folder: Path) -> None:
    code, errors = refused(folder, "--dataset", "shop", "--engine", "qdrant", "--port", "0")
    assert (code, len(errors)) == (104, 1)
    assert "engine qdrant does not start: " in errors[0]
    assert "set BAKEOFF_QDRANT_URL" in errors[0]


def test_a_port_in_use(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, errors = refused(folder, "--dataset", "shop", "--port", port)
    assert (code, len(errors)) == (104, 1)
    assert f"{port} of 127.0.0.1 is in use" in errors[0]


def test_a_folder_that_another_service_has(folder: Path) -> None:
    with running(folder, "--dataset", "shop"):
        code, errors = refused(folder, "--dataset", "shop", "--port", "0")
    assert code != 0
    assert "another process has" in errors[0]


def test_a_folder_that_cannot_be_made(folder: Path) -> None:
    (folder / "kept").write_text("a file")
    code, errors = refused(folder, "--dataset", "shop", "--data", "kept/served", "--port", "0")
    assert code == 1
    assert "kept/served: Not a directory; check the path" in errors[0]


def test_a_catalogue_of_other_vectors(folder: Path) -> None:
    with running(folder, "--dataset", "shop", "--data", "kept") as service:
        service.stop()
    np.save(folder / "shop" / "vectors.npy", shop.vectors()[:, :4])
    np.save(folder / "shop" / "queries.npy", shop.vectors()[:5, :4])
    code, errors = refused(folder, "--dataset", "shop", "--data", "kept", "--port", "0")
    assert code == 104
    assert "dim of its vectors is 8, that of the service 4" in errors[0]


def test_the_pick_of_a_decision_is_served(folder: Path) -> None:
    pick = {
        "engine": "scan",
        "adapter": "bruteforce",
        "index": {},
        "search": {},
        "title": "scan",
    }
    decision = {
        "schema_version": 1,
        "run": "monday",
        "sentence": "Pick scan.",
        "pick": pick,
        "leader": pick,
        "standings": [],
        "dataset": {"name": "shop"},
    }
    (folder / "decision.json").write_text(json.dumps(decision))
    options = ("--dataset", "shop", "--decision", "decision.json")
    with running(folder, *options) as service:
        told = service.ask("GET", "/v1/service").body["engine"]
        assert (told["name"], told["why"]) == ("bruteforce", "scan, the pick of run monday")
    changes = {"pick": None, "sentence": "Too close.", "dataset": {"name": "fashion"}}
    (folder / "decision.json").write_text(json.dumps(decision | changes))
    with running(folder, *options) as service:
        assert any("that run measured 'fashion', this serves 'shop'" in line for line in service.said)
        assert any("leads run monday but is no decision: Too close." in line for line in service.said)


def test_settings_are_printed_with_secrets_masked(folder: Path) -> None:
    code, errors = refused(
        folder, "--dataset", "shop", BAKEOFF_SERVICE_STORE="postgresql://shop:sesame@127.0.0.1:1/none"
    )
    assert code == 104
    assert not [line for line in errors if "sesame" in line]
