"""What `/metrics` tells of requests that were made."""

from __future__ import annotations

import time
from typing import Any

from service.api.operations import OPERATIONS
from service.telemetry.listed import METRICS
from tests.service.launch import Service
from tests.service.scraped import Samples, grown, samples
from tests.service.shop import document, vectors

QUESTION: dict[str, Any] = {"vector": vectors()[0].tolist(), "k": 5}


def scraped(service: Service) -> dict[str, Samples]:
    reply = service.ask("GET", "/metrics")
    assert reply.status == 200
    assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return samples(reply.body)


def test_requests_are_counted_by_operation_and_status(service: Service) -> None:
    before = scraped(service)
    for body in (QUESTION, QUESTION, {"k": "five"}):
        service.ask("POST", "/v1/recommendations", body)
    service.ask("GET", "/v1/listings/nowhere")
    service.ask("GET", "/nowhere")
    after = scraped(service)
    assert grown(before, after, "bakeoff_requests_total") == {
        ("200", "recommend"): 2,
        ("422", "recommend"): 1,
        ("404", "get"): 1,
        ("404", "none"): 1,
        ("200", "metrics"): 1,
    }
    assert grown(before, after, "bakeoff_request_seconds_count")[("recommend",)] == 3
    stages = grown(before, after, "bakeoff_stage_seconds_count")
    names = ("admission", "queued", "user", "truth", "engine", "retrieve", "rerank", "rules", "show")
    assert stages == {(name,): 2 for name in names}
    took = {stage: grown(before, after, "bakeoff_stage_seconds_sum")[stage,] for stage in names}
    whole = grown(before, after, "bakeoff_request_seconds_sum")[("recommend",)]
    assert 0 < took["engine"] < took["retrieve"] < whole
    assert not grown(before, after, "bakeoff_fallbacks_total")


def test_answers_that_are_not_what_was_asked_for_are_counted(service: Service) -> None:
    before = scraped(service)
    narrow = QUESTION | {"where": {"price": {"gt": 5.0, "lt": 5.00001}}}
    relaxed = service.ask("POST", "/v1/recommendations", narrow).body
    short = service.ask("POST", "/v1/recommendations", narrow | {"short": "short"}).body
    unknown = service.ask("POST", "/v1/recommendations", {"history": ["nowhere"]}).body
    after = scraped(service)
    assert (bool(relaxed["relaxed"]), short["hits"], unknown["fallback"]) == (True, [], "unknown")
    assert grown(before, after, "bakeoff_relaxed_total") == {(): 1}
    assert grown(before, after, "bakeoff_empty_answers_total") == {(): 1}
    assert grown(before, after, "bakeoff_short_answers_total") == {("matches",): 1}
    assert grown(before, after, "bakeoff_fallbacks_total") == {("unknown",): 1}


def test_lines_that_fail_within_a_call_are_counted(service: Service) -> None:
    before = scraped(service)
    lines = [document(id="of-two"), {"id": "of-two", "price": "cheap"}]
    assert service.ask("POST", "/v1/listings:bulk", lines).status == 200
    service.ask("POST", "/v1/events", [{"type": "like"}])
    after = scraped(service)
    assert grown(before, after, "bakeoff_failed_lines_total") == {("bulk",): 1, ("record",): 1}
    service.ask("DELETE", "/v1/listings/of-two")


def test_writes_are_followed_until_they_are_searchable(service: Service) -> None:
    before = scraped(service)
    for _ in range(2):  # of which the second changes nothing
        service.ask("PUT", "/v1/listings/measured?wait=searchable", document())
    end = time.monotonic() + 20
    while not (seen := grown(before, scraped(service), "bakeoff_searchable_seconds_count")):
        assert time.monotonic() < end
    assert seen == {(): 1}
    service.ask("DELETE", "/v1/listings/measured")


def test_labels_have_few_values_that_are_known(service: Service) -> None:
    service.ask("GET", "/v1/listings/an-id-of-somebody")
    text = service.ask("GET", "/metrics").body
    assert "an-id-of-somebody" not in text
    found = scraped(service)
    operations = {one.name for one in OPERATIONS} | {"none"}
    assert {labels[1] for labels in found["bakeoff_requests_total"]} <= operations
    assert [value for labels, value in found["bakeoff_service_info"].items() if "bruteforce" in labels] == [1]
    ours = {name for name in found if name.startswith("bakeoff_") and not name.endswith("_created")}
    known = {one.name for one in METRICS} | {
        f"{one.name}_{part}"
        for one in METRICS
        if one.kind == "histogram"
        for part in ("bucket", "sum", "count")
    }
    assert ours <= known
