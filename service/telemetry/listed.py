"""Every metric of the service, in one place: dashboards, alerts and documents are checked against this list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]
# How the values of several processes become one: their sum, the greatest or the least; "live": of those that still run.
Together = Literal["livesum", "livemax", "livemin", "max"]

_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SHORT_S = (0.0001, 0.00025, *_S)  # a stage may take less than a request can


@dataclass(frozen=True, slots=True)
class Metric:
    """name: as Prometheus shows it. labels: their values are few, and never an id or anything of a request's content.

    together: of a gauge. buckets: upper bounds, of a histogram.
    """

    name: str
    kind: Kind
    about: str
    labels: tuple[str, ...] = ()
    together: Together = "livesum"
    buckets: tuple[float, ...] = _S


METRICS = (
    Metric(
        "bakeoff_service_info",
        "gauge",
        "1 for what is served now: version of the service, engine, model of the vectors, collection",
        ("version", "engine", "model", "generation"),
        "livemax",
    ),
    Metric(
        "bakeoff_requests_total",
        "counter",
        "Requests answered, by operation of the API (none: no such address) and status",
        ("operation", "code"),
    ),
    Metric(
        "bakeoff_request_seconds",
        "histogram",
        "From the head of a request until its answer is ready, by operation",
        ("operation",),
    ),
    Metric(
        "bakeoff_failed_lines_total",
        "counter",
        "Lines of bulk calls that failed, whose call was answered with 200 for the others' sake, by operation",
        ("operation",),
    ),
    Metric(
        "bakeoff_stage_seconds",
        "histogram",
        "Time of an answer's stages, each with all its runs; admission is the wait before the first, queued that for a "
        "thread; engine and words are parts of retrieve",
        ("stage",),
        buckets=_SHORT_S,
    ),
    Metric(
        "bakeoff_answers_total",
        "counter",
        "Answers to questions, by how the engine was asked: approximate or exact",
        ("mode",),
    ),
    Metric(
        "bakeoff_fallbacks_total",
        "counter",
        "Answers that popular listings stood in for, by why: late, failed, open, busy, unknown",
        ("why",),
    ),
    Metric(
        "bakeoff_short_answers_total",
        "counter",
        "Answers with fewer than k listings, by why: matches, candidates, deadline",
        ("why",),
    ),
    Metric("bakeoff_empty_answers_total", "counter", "Answers without any listing, after filter and rules"),
    Metric("bakeoff_relaxed_total", "counter", "Answers whose filter was widened"),
    Metric(
        "bakeoff_rate_limited_total",
        "counter",
        "Requests turned away because the holder of their key asked too often, by the key's name",
        ("key",),
    ),
    Metric("bakeoff_in_flight", "gauge", "Questions that are worked on"),
    Metric(
        "bakeoff_in_flight_limit", "gauge", "Questions that may be worked on at once, as the limit is now"
    ),
    Metric("bakeoff_waiting", "gauge", "Questions that wait for a place"),
    Metric("bakeoff_shed_total", "counter", "Questions turned away because too much was asked at once"),
    Metric("bakeoff_gone_total", "counter", "Questions whose client gave up while they waited"),
    Metric(
        "bakeoff_breaker_open",
        "gauge",
        "1 while an index is left alone after failures, or tried again by one call",
        ("index",),
        "livemax",
    ),
    Metric(
        "bakeoff_catalogue_up",
        "gauge",
        "1 where the catalogue could be asked for the place of its last change when metrics were last read, else 0",
        together="livemin",
    ),
    Metric(
        "bakeoff_index_lag_changes",
        "gauge",
        "Places of the catalogue's outbox that the index has not been at yet",
        together="livemax",
    ),
    Metric(
        "bakeoff_index_behind_seconds",
        "gauge",
        "For how long the index has not been up with the catalogue; 0 while it is",
        together="livemax",
    ),
    Metric(
        "bakeoff_projection_failures_total",
        "counter",
        "Attempts to bring the index up with the catalogue that failed",
    ),
    Metric("bakeoff_index_rebuilding", "gauge", "1 while a collection is built", together="livemax"),
    Metric(
        "bakeoff_index_leftovers", "gauge", "Collections that could not be removed yet", together="livemax"
    ),
    Metric(
        "bakeoff_ingested_total",
        "counter",
        "Records taken from a topic, by what came of them: written, unchanged, stale, absent, invalid (a dead letter)",
        ("outcome",),
    ),
    Metric(
        "bakeoff_ingest_lag_records",
        "gauge",
        "Records of the topic that wait, by partition; the process that reads a partition tells of it",
        ("partition",),
    ),
    Metric(
        "bakeoff_ingest_up",
        "gauge",
        "0 while a broker does not answer or its records cannot be written, which is tried again; else 1",
        together="livemin",
    ),
    Metric("bakeoff_ingest_retries_total", "counter", "Writes of records that failed and were tried again"),
    Metric(
        "bakeoff_ingest_failures_total",
        "counter",
        "Failures to reach the broker, to read the topic or to commit",
    ),
    Metric(
        "bakeoff_ingest_searchable_seconds",
        "histogram",
        "From the time that a record bears until the index showed what it wrote",
        buckets=(*_S, 30.0, 60.0, 300.0, 3600.0),
    ),
    Metric(
        "bakeoff_searchable_seconds",
        "histogram",
        "From a commit of writes until the index showed the last of them",
    ),
    Metric(
        "bakeoff_online_recall",
        "gauge",
        "Share of the nearest listings that approximate questions found, the mean of the last that were judged; with "
        "several processes the least of theirs",
        ("engine",),
        "livemin",
    ),
    Metric("bakeoff_online_recall_samples", "gauge", "Questions that bakeoff_online_recall rests on"),
    Metric(
        "bakeoff_online_recall_sought_total",
        "counter",
        "Nearest listings that there were, of the questions that were judged",
    ),
    Metric(
        "bakeoff_online_recall_found_total", "counter", "Of those, how many the approximate questions found"
    ),
    Metric(
        "bakeoff_online_recall_dropped_total",
        "counter",
        "Questions that were not judged, by why: busy (the service was), resting (another had just been), failed",
        ("why",),
    ),
)
