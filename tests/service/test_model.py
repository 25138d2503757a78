"""A service with a trained model encodes listings and users."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from models.encoding.documents import ListingTower
from models.encoding.model import Model
from tests.service.launch import Service, running
from tests.unit.models.encoding.folders import publish, write_model
from tests.unit.models.features.catalogues import catalogue

DOCUMENT = {
    "size": "M",
    "colour": "red",
    "price": 20.0,
    "year": 2015.0,
    "title": "wool coat",
    "description": "Warm.",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Model:
    model = Model.load(write_model(tmp_path_factory.mktemp("made") / "model"))
    publish(model, catalogue())
    return model


@pytest.fixture(scope="module")
def encoding(made: Model) -> Iterator[Service]:
    with running(made.folder.parent, "--model", "model", BAKEOFF_SERVICE_RETRIEVAL__LATE_S="2") as started:
        yield started


def vector_of(service: Service, key: str) -> np.ndarray[Any, Any]:
    return np.array(service.ask("GET", f"/v1/listings/{key}?vector=true").body["vector"], np.float32)


def test_a_listing_without_a_vector_is_encoded(encoding: Service, made: Model) -> None:
    assert encoding.ask("PUT", "/v1/listings/new", DOCUMENT).status == 200
    (wanted,) = ListingTower(made, {}).vectors(["new"], [DOCUMENT])
    np.testing.assert_allclose(vector_of(encoding, "new"), wanted, rtol=1e-5)
    assert encoding.ask("GET", "/v1/listings/new").body["model"] == made.identity.label
    assert encoding.ask("PUT", "/v1/listings/new", DOCUMENT).body["outcome"] == "unchanged"


def test_a_patch_of_what_the_model_reads_has_the_vector_follow(encoding: Service, made: Model) -> None:
    encoding.ask("PUT", "/v1/listings/patched", DOCUMENT)
    assert encoding.ask("PATCH", "/v1/listings/patched", {"colour": "blue"}).status == 200
    (wanted,) = ListingTower(made, {}).vectors(["patched"], [{**DOCUMENT, "colour": "blue"}])
    np.testing.assert_allclose(vector_of(encoding, "patched"), wanted, rtol=1e-5)
    given = np.ones(len(wanted)).tolist()
    encoding.ask("PATCH", "/v1/listings/patched", {"vector": given})
    encoding.ask("PATCH", "/v1/listings/patched", {"colour": "red"})
    assert vector_of(encoding, "patched").tolist() == given  # it was given, not made


def test_users_by_id_history_and_preferences(encoding: Service) -> None:
    def hits(**body: Any) -> list[str]:
        reply = encoding.ask("POST", "/v1/recommendations", {"k": 5, **body})
        assert reply.status == 200, reply.body
        assert not reply.body.get("fallback")
        return [hit["id"] for hit in reply.body["hits"]]

    assert hits(user="someone") == hits(history=["item-0"])
    assert len(hits(preferences={"colour": ["red", "blue"]})) == 5
    assert len(hits(history=["item-0"], preferences={"size": "M"})) == 5
    assert len(hits(history=[])) == 5
    unknown = encoding.ask("POST", "/v1/recommendations", {"user": "nobody"})
    assert (unknown.status, unknown.fields) == (404, {"user"})
    assert unknown.body["detail"] == "there is no user 'nobody'; give a history or preferences instead"
    wrong = encoding.ask("POST", "/v1/recommendations", {"preferences": {"shape": "round"}})
    assert wrong.status == 422
    assert "the model has no category 'shape'" in wrong.body["detail"]


def test_words_and_vectors_fused(encoding: Service) -> None:
    for rank in ("text", "dense", "fused"):
        reply = encoding.ask(
            "POST", "/v1/search", {"text": "wool coat", "rank": rank, "k": 3, "explain": True}
        )
        assert reply.status == 200, reply.body
        assert len(reply.body["hits"]) == 3
    assert {"dense", "text", "fused"} >= set(reply.body["hits"][0]["explained"]["retrieved"])
