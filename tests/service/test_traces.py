"""Traces that reach a collector, log lines that name them, and what neither must hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.settings.keys import new_key
from tests.service import shop
from tests.service.collecting import Collector, collecting
from tests.service.launch import Reply, Service, refused, running
from tests.service.scraped import Samples, samples

PARENT = "00f067aa0ba902b7"
PASSWORD = "correct-horse-battery"
QUESTION: dict[str, Any] = {"vector": shop.vectors()[0].tolist(), "k": 5, "where": {"brand": "COS"}}
STAGES = {"admission", "queued", "user", "truth", "retrieve", "rerank", "rules", "show"}


class Told:
    """A service that has ended: what it answered, sent and logged."""

    def __init__(
        self,
        collector: Collector,
        service: Service,
        replies: dict[str, Reply],
        key: str,
        metrics: dict[str, Samples],
    ) -> None:
        self.collector, self.replies, self.key, self.metrics = collector, replies, key, metrics
        self.said = service.said
        self.lines = [json.loads(line) for line in service.said]

    def of(self, name: str) -> list[dict[str, Any]]:
        """The lines about a request."""
        id_ = self.replies[name].headers["x-request-id"]
        return [line for line in self.lines if line.get("request_id") == id_]


def trace(number: int) -> str:
    return f"{number:032x}"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("traces")
    shop.write(folder)
    key, entry = new_key("shop", ["read", "write"])
    (folder / "keys.yaml").write_text(f"keys:\n{entry}\n")
    options = ("--dataset", "shop", "--config", "service.yaml", "--keys", "keys.yaml")
    with collecting() as collector:
        environ = {
            "BAKEOFF_SERVICE_TELEMETRY__OTLP": collector.url,
            "BAKEOFF_SERVICE_TELEMETRY__LOG": "json",
            "BAKEOFF_SERVICE_TELEMETRY__TRACE_SHARE": "0",
            "BAKEOFF_SERVICE_TELEMETRY__SLOW_MS": "0.001",
            "BAKEOFF_SERVICE_TELEMETRY__RECALL_SHARE": "1",
            "BAKEOFF_POSTGRES_PASSWORD": PASSWORD,
        }
        with running(folder, *options, **environ) as service:

            def ask(body: Any, number: int, sampled: int) -> Reply:
                parent = f"00-{trace(number)}-{PARENT}-0{sampled}"
                headers = {"authorization": f"Bearer {key}", "traceparent": parent}
                return service.ask("POST", "/v1/recommendations", body, headers)

            replies = {
                "sampled": ask(QUESTION, 1, 1),
                "unsampled": ask(QUESTION, 2, 0),
                "refused": ask(QUESTION | {"variant": f"{PASSWORD} {key}"}, 3, 1),
                "own": service.ask("POST", "/v1/search", {"text": ""}, {"authorization": f"Bearer {key}"}),
                "unknown": service.ask("GET", "/nowhere"),
                "bulk": service.ask("POST", "/v1/listings:bulk", [{}], {"authorization": f"Bearer {key}"}),
            }
            headers = {"authorization": f"Bearer {key}"}
            for _ in range(1000):
                service.ask("POST", "/v1/recommendations", QUESTION | {"mode": "approximate"}, headers)
                recall = samples(service.ask("GET", "/metrics", None, headers).body)
                if "bakeoff_online_recall" in recall:
                    break
            assert service.stop() == 0  # which sends what is left
        yield Told(collector, service, replies, key, recall)


def test_a_sampled_request_is_sent_with_its_stages_in_place(told: Told) -> None:
    spans = told.collector.named(trace(1))
    assert set(spans) == {"recommend", "engine"} | STAGES
    root = spans["recommend"]
    assert root.parent_span_id.hex() == PARENT
    assert {one.parent_span_id for name, one in spans.items() if name in STAGES} == {root.span_id}
    assert spans["engine"].parent_span_id == spans["retrieve"].span_id
    for one in spans.values():
        outer = root if one.name != "engine" else spans["retrieve"]
        assert outer.start_time_unix_nano <= one.start_time_unix_nano
        assert one.start_time_unix_nano <= one.end_time_unix_nano <= outer.end_time_unix_nano
    attributes = {one.key: one.value for one in root.attributes}
    assert attributes["http.response.status_code"].int_value == 200
    assert attributes["bakeoff.engine"].string_value == "bruteforce"
    assert attributes["bakeoff.request_id"].string_value == told.replies["sampled"].headers["x-request-id"]
    assert told.collector.resources[0]["service.name"] == "bakeoff"


def test_what_is_not_sampled_is_not_sent(told: Told) -> None:
    assert told.collector.named(trace(2)) == {}
    assert {one.trace_id.hex() for one in told.collector.spans} == {trace(1), trace(3)}


def test_lines_and_problems_name_the_trace_sampled_or_not(told: Told) -> None:
    for name, number in (("sampled", 1), ("unsampled", 2), ("refused", 3)):
        assert {line["trace_id"] for line in told.of(name)} == {trace(number)}
    problem = told.replies["refused"].body
    assert (problem["status"], problem["trace_id"]) == (422, trace(3))
    assert set(told.collector.named(trace(3))) == {"recommend"}
    own = told.replies["own"].body["trace_id"]
    assert len(own) == 32
    assert {line["trace_id"] for line in told.of("own")} == {own}
    assert len(told.replies["unknown"].body["trace_id"]) == 32
    # Also what a thread says that works for a request.
    assert [line["message"] for line in told.of("bulk")] == ["bulk put: 1 of 1 lines failed"]


def test_recall_is_judged_while_serving(told: Told) -> None:
    assert told.metrics["bakeoff_online_recall"] == {("bruteforce",): 1.0}
    assert told.metrics["bakeoff_online_recall_sought_total"][()] >= 5


def test_a_slow_answer_is_told_by_stage(told: Told) -> None:
    (slow,) = [line for line in told.of("sampled") if line["message"] == "slow answer"]
    assert set(slow["stages_ms"]) == {"engine"} | STAGES
    assert (slow["where"], slow["k"], slow["engine"]) == ({"brand": "COS"}, 5, "bruteforce")
    assert (slow["level"], slow["operation"]) == ("warning", "recommend")


def test_every_line_is_an_object_and_holds_no_secret(told: Told) -> None:
    assert len(told.lines) > 10
    assert all({"time", "level", "logger", "message"} <= set(line) for line in told.lines)
    assert any("listings in" in line["message"] for line in told.lines)
    (refusal,) = told.of("refused")
    assert "variant" in refusal["message"]
    assert "***" in refusal["message"]
    assert PASSWORD not in "".join(told.said)
    assert told.key not in "".join(told.said)


def test_settings_that_make_no_sense_are_refused(folder: Path) -> None:
    code, errors = refused(folder, "--dataset", "shop", BAKEOFF_SERVICE_TELEMETRY__OTLP="collector:4318")
    assert code == 104
    assert "telemetry.otlp must be a URL such as http://127.0.0.1:4318, got 'collector:4318'" in errors[0]
