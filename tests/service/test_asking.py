"""Recommendations, similar listings and search."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import numpy as np

from tests.service.launch import Service
from tests.service.shop import BRANDS, ROWS, vectors


def ask(service: Service, path: str = "/v1/recommendations", **body: Any) -> dict[str, Any]:
    reply = service.ask("POST", path, body)
    assert reply.status == 200, reply.body
    found: dict[str, Any] = reply.body
    assert found["request_id"] == reply.headers["x-request-id"]
    return found


def closest(vector: np.ndarray[Any, Any], rows: list[int]) -> list[str]:
    units = vectors() / np.linalg.norm(vectors(), axis=1, keepdims=True)
    order = np.argsort(-(units[rows] @ vector), kind="stable")
    return [f"listing/{rows[place]}" for place in order]


def test_by_vector_the_nearest_that_match(service: Service) -> None:
    vector, brand = vectors()[7], BRANDS[2]
    found = ask(
        service,
        vector=vector.tolist(),
        k=10,
        where={"brand": brand},
        mode="exact",
        short="short",
        variant="default",
    )
    assert (found["mode"], found["variant"]) == ("exact", "default")
    hits = found["hits"]
    assert {hit["attributes"]["brand"] for hit in hits} == {brand}
    candidates = closest(vector, [row for row in range(ROWS) if BRANDS[row % len(BRANDS)] == brand])
    assert {hit["id"] for hit in hits} <= set(candidates[:20])
    assert [hit["score"] for hit in hits] == sorted((hit["score"] for hit in hits), reverse=True)
    assert hits[0]["details"]["title"].startswith(f"{brand} shirt no")


def test_by_history_and_what_is_excluded(service: Service) -> None:
    history = [{"id": "listing/3", "at_ms": 1}, "listing/3", "nowhere"]
    found = ask(service, history=history, k=5, seen=["listing/3", "listing/4"], explain=True)
    ids = [hit["id"] for hit in found["hits"]]
    assert len(ids) == 5
    assert not {"listing/3", "listing/4"} & set(ids)
    assert found["unused"] == {"history, not there": 1}
    assert found["removed"]["seen"] == {"count": 1, "ids": ["listing/3"]}
    explained = found["hits"][0]["explained"]
    assert explained["rank"] >= 1
    assert "dense" in explained["retrieved"]
    assert "affinity" in explained["reranked"]


def test_a_narrow_filter_is_relaxed_or_answered_short(service: Service) -> None:
    where = {"brand": "Zara", "price": {"gte": 10.0, "lt": 10.0001}, "stock": 1}
    asked: dict[str, Any] = {"vector": vectors()[0].tolist(), "k": 5, "where": where}
    short = ask(service, **asked, short="short")
    assert len(short["hits"]) < 5
    assert short["short"] == "matches"
    relaxed = ask(service, **asked)
    assert len(relaxed["hits"]) == 5
    assert [step["field"] for step in relaxed["relaxed"]][-1] == "price"
    assert all("price" in hit["beyond"] for hit in relaxed["hits"][len(short["hits"]) :])
    assert {hit["attributes"]["stock"] for hit in relaxed["hits"]} == {1}


def test_similar_listings(service: Service) -> None:
    where = quote('{"brand": ["Zara", "COS"]}')
    reply = service.ask("GET", f"/v1/listings/listing%2F11/similar?k=4&where={where}&explain=true&mode=exact")
    assert reply.status == 200, reply.body
    ids = [hit["id"] for hit in reply.body["hits"]]
    assert len(ids) == 4
    assert "listing/11" not in ids
    assert {hit["attributes"]["brand"] for hit in reply.body["hits"]} <= {"Zara", "COS"}
    assert service.ask("GET", "/v1/listings/nowhere/similar").status == 404
    unknown = service.ask("POST", "/v1/recommendations", {"user": "nobody"})
    assert unknown.body["detail"] == "there is no user 'nobody'; give a history instead"


def test_search_by_words(service: Service) -> None:
    found = ask(service, "/v1/search", text="shirt 42", k=3)
    assert found["hits"][0]["id"] == "listing/42"
    assert found["words"] == "service"
    refused = service.ask("POST", "/v1/search", {"text": "shirt", "rank": "fused"})
    assert refused.status == 422
    assert "no model here makes vectors of text" in refused.body["detail"]


def test_many_at_once_are_all_answered(service: Service) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def one(row: int) -> int:
        body = {"vector": vectors()[row].tolist(), "k": 10}
        return service.ask("POST", "/v1/recommendations", body).status

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(one, range(64))) == {200}
