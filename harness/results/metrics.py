"""The one table of metrics: names, units, directions, what gives them, what the gate compares, how they are shown.

Thresholds, requirements, gate, tables, charts and exports take it from here. What each metric means is in
docs/metrics.md; a test checks that both have the same metrics.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

Direction = Literal["higher", "lower"]
Shown = Literal["figure", "recall", "integer"]
OverFilters = Literal["mean", "mix", "highest"]

# Kinds of tasks.
INDEX, SEARCH, ANSWERS, UPDATES, DURABILITY = "index", "search", "answers", "updates", "durability"
ALL = (INDEX, SEARCH, ANSWERS, UPDATES, DURABILITY)
CLOSED, OPEN, SATURATION = "closed_loop", "arrival_rate", "saturation"  # executors of a search
PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """One metric.

    name: as in result files; `{k}` stands for the number of hits. label, unit, scale: how it is called, and the unit
    that it is shown in after multiplication by `scale`. better: which way is better; None where neither is. tasks: the
    kinds of tasks that give it. executor: the only executor that gives it, where not both do. out_of: for counts, the
    metric that they are a share of; a count is judged as a rate, never as a bare number. default: what a decision asks
    of every engine where the scenario is silent; `<= 1%` of a count is a share of `out_of`. engine_wide: whether a
    failure eliminates the engine, whichever of its settings showed it. averaged_over: for means
    over queries, metrics that say how many at most (the least counts). timed: whether it depends on the speed of
    the machine, so that it may differ between runs of the same work. gated: executors and kinds of tasks under
    which the gate compares it. chart: the section of the report that draws it, one dot an engine. over_filters: how the
    figures of several filters become one; the mix of rates is their harmonic mean.
    """

    name: str
    label: str
    unit: str = ""
    better: Direction | None = "lower"
    tasks: tuple[str, ...] = (SEARCH,)
    executor: str | None = None
    out_of: str | None = None
    default: str | None = None
    engine_wide: bool = False
    averaged_over: tuple[str, ...] = ()
    timed: bool = True
    gated: tuple[str, ...] = ()
    shown: Shown = "figure"
    scale: float = 1.0
    chart: str | None = None
    over_filters: OverFilters = "mean"

    @property
    def is_count(self) -> bool:
        """Whether it counts events that should not happen."""
        return self.out_of is not None

    @property
    def heading(self) -> str:
        """`P99 latency, ms`."""
        return f"{self.label}, {self.unit}" if self.unit else self.label


_MIB = 1 / 2**20


def _percentiles(
    name: str,
    label: str,
    unit: str,
    of: tuple[str, ...],
    *,
    gated: dict[str, tuple[str, ...]],
    **rest: object,
) -> Iterator[MetricSpec]:
    for which in of:
        shown = "P99.9" if which == "p999" else which.upper()
        spec = MetricSpec(f"{name}_{which}_{unit}", f"{shown} {label}", unit, gated=gated.get(which, ()))
        yield replace(spec, **rest)  # type: ignore[arg-type]


def _count(name: str, label: str, **rest: object) -> MetricSpec:
    """A wrong answer of some kind: none is accepted unless the row or the scenario says otherwise."""
    spec = MetricSpec(name, label, tasks=(SEARCH, UPDATES), out_of="queries", timed=False, shown="integer")
    spec = replace(spec, default="== 0", engine_wide=True, gated=(CLOSED, OPEN, UPDATES))
    return replace(spec, **rest)  # type: ignore[arg-type]


def _size(name: str, label: str, **rest: object) -> MetricSpec:
    spec = MetricSpec(name, label, "MiB", tasks=(INDEX,), timed=False, scale=_MIB)
    return replace(spec, **rest)  # type: ignore[arg-type]


# In the order of the report's tables.
TABLE: tuple[MetricSpec, ...] = (
    MetricSpec(
        "recall_at_{k}",
        "recall@{k}",
        "",
        "higher",
        (SEARCH, UPDATES),
        default=">= 0.95",
        averaged_over=("distinct_queries", "judged_queries", "queries"),
        timed=False,
        gated=(CLOSED, OPEN, UPDATES),
        shown="recall",
    ),
    MetricSpec("recall_sd", "spread of recall over queries", better=None, tasks=(SEARCH, UPDATES)),
    MetricSpec(
        "exact_recall_at_{k}",
        "recall@{k} of the exact mode",
        "",
        "higher",
        (INDEX, UPDATES),
        timed=False,
        shown="recall",
    ),
    MetricSpec(
        "throughput_qps",
        "throughput",
        "queries/s",
        "higher",
        gated=(CLOSED, OPEN),
        chart="cost",
        over_filters="mix",
    ),
    MetricSpec("offered_qps", "offered load", "queries/s", None, executor=OPEN),
    *_percentiles(
        "latency", "latency", "ms", tuple(PERCENTILES), gated=dict.fromkeys(("p50", "p99"), (CLOSED, OPEN))
    ),
    MetricSpec(
        "index_vectors_per_s",
        "indexing rate",
        "vectors/s",
        "higher",
        (INDEX,),
        gated=(INDEX,),
        chart="indexing",
    ),
    MetricSpec("index_s", "loading time", "s", tasks=(INDEX,)),
    MetricSpec("index_copying_s", "our own copying while loading", "s", None, (INDEX,)),
    MetricSpec("ready_s", "time until searchable", "s", tasks=(INDEX, UPDATES), chart="indexing"),
    MetricSpec(
        "upserts_per_s", "upsert rate", "items/s", "higher", (UPDATES,), gated=(UPDATES,), chart="updates"
    ),
    MetricSpec(
        "deletes_per_s", "deletion rate", "items/s", "higher", (UPDATES,), gated=(UPDATES,), chart="updates"
    ),
    *(
        spec
        for name in ("freshness", "staleness")
        for spec in _percentiles(
            name, name, "ms", ("p50", "p90", "p99"), gated={"p90": (UPDATES,)}, tasks=(UPDATES,)
        )
    ),
    MetricSpec("probes", "writes timed until seen", "", None, (UPDATES,), shown="integer"),
    _count("violations", "violations", out_of="judged_queries"),
    _count("ghosts", "ghosts", out_of="judged_queries"),
    _count("unknown_ids", "unknown ids", out_of="judged_queries"),
    _count("duplicates", "duplicates", out_of="judged_queries"),
    _count("overlong", "over-long answers", out_of="judged_queries"),
    _count("unordered", "answers out of order", out_of="judged_queries"),
    _count("wrong_scores", "answers with wrong scores", out_of="judged_queries"),
    _count(
        "changed_answers",
        "answers that changed once returned",
        tasks=(SEARCH,),
        out_of="rechecked_answers",
        gated=(CLOSED, OPEN),
    ),
    MetricSpec("rechecked_answers", "answers looked at again", "", None, shown="integer"),
    # An updated item that a query for its own new vector does not find; graphs are approximate here too.
    _count(
        "missed_updates",
        "updated items not found",
        tasks=(UPDATES,),
        out_of="checked_updates",
        default="<= 5%",
        gated=(UPDATES,),
    ),
    MetricSpec("checked_updates", "updated items searched for", "", None, (UPDATES,), shown="integer"),
    # Graphs are approximate, so some answers may be short; what they lack counts in recall too.
    _count(
        "short_results",
        "short results",
        out_of="judged_queries",
        default="<= 1%",
        engine_wide=False,
        gated=(),
    ),
    # One in a thousand: a server may drop a connection now and then. They are a setting's, for another may be faster.
    _count("errors", "errors", default="<= 0.1%", engine_wide=False, tasks=(INDEX, SEARCH, ANSWERS, UPDATES)),
    _count("timeouts", "timeouts", default="<= 0.1%", engine_wide=False),
    MetricSpec("queries", "requests", "", None, (SEARCH, ANSWERS, UPDATES), shown="integer"),
    MetricSpec("judged_queries", "answers judged", "", None, (SEARCH, UPDATES), shown="integer"),
    MetricSpec("distinct_queries", "different queries", "", None, (SEARCH, UPDATES), shown="integer"),
    MetricSpec("abandoned", "requests left in the engine", "", shown="integer"),
    MetricSpec("warmup_s", "warm-up", "s", None),
    MetricSpec("exact_queries", "requests to the exact mode", "", None, (INDEX, UPDATES), shown="integer"),
    MetricSpec("latency_max_ms", "maximum latency", "ms", chart="cost", over_filters="highest"),
    *_percentiles("service_time", "service time", "ms", ("p50", "p99"), gated={}),
    *_percentiles("lateness", "lateness", "us", ("p50", "p99"), gated={}, executor=OPEN),
    MetricSpec(
        "clients_busy_share", "requests that found all clients busy", "%", None, executor=OPEN, scale=100.0
    ),
    MetricSpec("cpu_s", "CPU time", "s", tasks=(INDEX, SEARCH), gated=(INDEX,), chart="indexing"),
    MetricSpec("cpu_s_per_1000", "CPU time per 1,000 queries", "s", gated=(CLOSED,), chart="cost"),
    MetricSpec("client_cpu_s", "CPU time of the clients", "s", tasks=(INDEX, SEARCH)),
    MetricSpec("client_cpu_s_per_1000", "clients' CPU time per 1,000 queries", "s", chart="cost"),
    _size("rss_peak_bytes", "peak memory", gated=(INDEX,), chart="resources"),
    _size("rss_growth_bytes", "memory growth", tasks=(SEARCH,)),
    _size("rss_bytes", "memory"),
    _size("disk_bytes", "disk", gated=(INDEX,), chart="resources"),
    _size("rss_bytes_per_vector", "memory per vector", unit="bytes", scale=1.0, chart="resources"),
    _size("disk_bytes_per_vector", "disk per vector", unit="bytes", scale=1.0, chart="resources"),
    MetricSpec("acknowledged", "items written", "", None, (DURABILITY,), shown="integer"),
    MetricSpec("reopened_lost", "items lost by closing", "", tasks=(DURABILITY,), shown="integer"),
    MetricSpec("killed_lost", "items lost by a kill", "", tasks=(DURABILITY,), shown="integer"),
    MetricSpec("repeat_gain", "speed of repeated queries, times", "", None, (INDEX,)),
    MetricSpec("repeat_queries", "queries asked twice", "", None, (INDEX,), shown="integer"),
    MetricSpec("client_processes", "client processes", "", None, shown="integer"),
    MetricSpec("client_cpu_share", "clients' share of their processors", "%", scale=100.0),
    MetricSpec("steady", "throughput steady after warm-up", "", None, shown="integer"),
    MetricSpec("retries", "requests sent again", "", tasks=(INDEX,), shown="integer"),
    MetricSpec("steal_share", "CPU steal", "%", tasks=ALL, scale=100.0),
    MetricSpec("foreign_share", "CPU of other programs", "%", tasks=ALL, scale=100.0),
    MetricSpec("oversleep_p99_us", "P99 oversleeping", "us", tasks=ALL),
    MetricSpec("oversleep_max_us", "longest oversleeping", "us", tasks=ALL),
)

_BY_NAME = {spec.name: (place, spec) for place, spec in enumerate(TABLE)}
_AT_K = re.compile(r"^(.*_at_)(\d+)$")
COUNTS = tuple(spec.name for spec in TABLE if spec.is_count)


def find(name: str) -> MetricSpec | None:
    """The metric of that name in a result file (`recall_at_10`); None where the table has none."""
    if (at_k := _AT_K.match(name)) and (entry := _BY_NAME.get(f"{at_k[1]}{{k}}")):
        spec = entry[1]
        return replace(spec, name=name, label=spec.label.replace("{k}", at_k[2]))
    entry = _BY_NAME.get(name)
    return entry[1] if entry and "{k}" not in name else None


def spec(name: str) -> MetricSpec:
    """The same; a metric of a later version, unknown here, keeps its name as its label."""
    return find(name) or MetricSpec(name, name.replace("_", " "), tasks=())


def place(name: str) -> int:
    """Where a metric stands in the table; behind all others if it is unknown."""
    at_k = _AT_K.match(name)
    entry = _BY_NAME.get(f"{at_k[1]}{{k}}" if at_k else name)
    return entry[0] if entry else len(TABLE)


def gated(load: str, k: int) -> list[MetricSpec]:
    """What the gate compares of an executor or a kind of task, counts included, in the table's order."""
    return [spec(entry.name.replace("{k}", str(k))) for entry in TABLE if load in entry.gated]


def charted(section: str) -> list[str]:
    """Names of the metrics that a section of the report draws with one dot an engine."""
    return [entry.name for entry in TABLE if entry.chart == section]
