"""The report's plain text: facts of the run, how it was measured, what it cannot tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness.results.metrics import spec
from harness.results.model import model_of, named
from reports.decide.cells import Cells
from reports.decide.decision import Decision
from reports.decide.evidence import Evidence
from reports.wording import listing, number, percent

if TYPE_CHECKING:
    import pandas as pd

Facts = list[tuple[str, str]]


def run_facts(cells: Cells, decision: Decision) -> Facts:
    """What was run, in a few lines."""
    result = cells.result
    scenario, data = result.scenario, result.dataset
    size = " × ".join(number_or(data.get(key)) for key in ("rows", "dim"))
    trials = len(cells.trials)
    asked = number_or(data.get("queries"))
    return [
        ("Scenario", f"{scenario.get('name', '?')}: {scenario.get('description') or 'no description'}"),
        (
            "Data",
            f"{data.get('name', '?')}, {size} dimensions, {data.get('metric', '?')}; {asked} queries",
        ),
        *_model(data),
        ("Hits asked for", f"k = {decision.k}"),
        ("Trials", f"{trials} of {scenario.get('trials', '?')}"),
        *_spread(cells, "warmup_s", "Warm-up of a search", "median {} s, longest {} s", fewest=False),
        *_spread(cells, "judged_queries", "Answers judged a search", "median {}, fewest {}", fewest=True),
        *_spread(
            cells, "distinct_queries", "Different queries a search", "median {}, fewest {}", fewest=True
        ),
        ("Started", result.started_at),
        ("Finished", result.finished_at or "not finished"),
    ]


def _model(data: Mapping[str, Any]) -> Facts:
    model = model_of(data)
    return [("Model of the vectors", named(model))] if model else []


def _spread(cells: Cells, metric: str, name: str, text: str, *, fewest: bool) -> Facts:
    """The median search and the one at the end that matters; nothing where no search has the metric."""
    values = _sorted(cells.frame[cells.frame["kind"] == "search"], metric)
    if not values:
        return []
    ends = values[len(values) // 2], values[0] if fewest else values[-1]
    return [(name, text.format(*(number(value) for value in ends)))]


def _sorted(frame: pd.DataFrame, metric: str) -> list[float]:
    """The values of a metric among these cells, ascending."""
    return sorted(frame[metric].dropna().tolist()) if metric in frame else []


def number_or(value: Any) -> str:
    """A count with thousands separated; `?` where it is not known."""
    return f"{value:,}" if isinstance(value, int) else "?"


def environment_facts(cells: Cells) -> Facts:
    """The machine, its noise during the run, versions."""
    env = cells.result.environment
    memory = env.get("memory_bytes")
    facts = [
        ("Processor", f"{env.get('cpu', '?')}, {env.get('cores', '?')} cores"),
        ("Memory", f"{memory / 2**30:.1f} GiB" if memory else "?"),
        ("System", f"{env.get('os', '?')}, Python {env.get('python', '?')}"),
        ("Versions", ", ".join(f"{name} {version}" for name, version in (env.get("packages") or {}).items())),
        ("Hardware fingerprint", str(env.get("fingerprint", "?"))),
    ]
    return [*facts, *_noise(cells)]


def _noise(cells: Cells) -> Facts:
    facts = []
    for metric, name in (
        ("steal_share", "CPU time taken by other machines"),
        ("foreign_share", "CPU time used by other programs on this machine"),
        ("oversleep_p99_us", "Oversleeping of an idle thread, P99"),
        ("oversleep_max_us", "Oversleeping of an idle thread, longest"),
    ):
        values = _sorted(cells.frame, metric)
        if values:
            middle, worst = values[len(values) // 2], values[-1]
            shown = [
                percent(value) if metric.endswith("_share") else f"{number(value)} us"
                for value in (middle, worst)
            ]
            facts.append((name, f"median cell {shown[0]}, worst {shown[1]}"))
        else:
            facts.append((name, "not measured"))
    return facts


def method(cells: Cells) -> list[str]:
    """How the figures came about."""
    task = f" (task {cells.objective_task})" if cells.objective_task else ""
    return [
        "Latency is the time from when a query was due to when its answer was complete. With an offered rate that "
        "includes waiting: a stalled engine does not slow the schedule. In a closed loop a query is due when the one "
        "before it is answered.",
        "Every request of a window counts, failed and timed-out ones at the time they took. A percentile with fewer "
        "than 10 requests beyond it is left out.",
        f"Recall@{cells.k} comes from the hits returned under load, against exact neighbours that Bakeoff computes "
        f"itself under the same filter, divided by min({cells.k}, matching items). Ties are hits, duplicates count "
        "once, hits that break the filter never.",
        "Engines take turns within a trial, each in a process of its own, so that a slow period of the machine does "
        "not fall on one of them. Every trial builds the index anew.",
        _compared(cells, task),
        "Requirements are judged by the mean over trials, filter by filter, counts by the worst trial; recall and "
        "counts in every task and under every load. A value whose 95 % interval (Student's; of a recall also that of "
        "its queries) includes the limit is too close to call (≈). What was not measured does not meet a requirement.",
        "An engine's best setting is chosen and judged on different trials, so that a large grid is no advantage.",
        "CPU time of an engine that lives inside the client's process includes the client's; a server's is counted "
        "apart. Answers of servers are decoded within the clock, as an application has to. Queries to them go through "
        "the layer that costs the client least CPU over its protocol, by measurement (make perf).",
    ]


def _compared(cells: Cells, task: str) -> str:
    """Which figure is compared, and how those of several filters become one."""
    if cells.goal.maximise:
        return (
            f"The throughput compared is that of the closed loop{task}. Over several filters it is the harmonic mean: "
            "the rate of a mix of them."
        )
    load = (
        "the closed loop"
        if cells.objective_rate is None
        else f"{cells.objective_rate:,g} queries/s, as offered"
    )
    label = spec(cells.goal.metric).label
    return f"The {label} compared is that under {load}{task}. Over several filters it is the mean over a mix of them."


def _mix(cells: Cells) -> str:
    if cells.goal.weights is None:
        return (
            "The mix weighs all filters alike. If yours are asked unequally often, say so (decision.weights of the "
            "scenario) or read what was measured with those that matter."
        )
    shares = zip(cells.filters, cells.goal.shares(cells.filters), strict=True)
    return f"The mix is the scenario's: {listing([f'{name} {percent(share)}' for name, share in shares])}."


def how_it_ran(engine: Mapping[str, Any]) -> str:
    """Where an engine of a result ran, and what it was allowed to use."""
    server = engine.get("server") or {}
    match server.get("run"):
        case "container":
            limits = f"{server['cpus']:g} CPUs and {server['memory_mib']:,} MiB"
            return f"container of {server['image']} with {limits}"
        case "process":
            return f"server started as a process; limits: {server['limits']}"
        case "url":
            return f"running server {server['url']}".rstrip()  # external engines may not report it
        case _:
            return "in the measuring process"


def not_measured(evidence: Evidence) -> list[str]:
    """What this run leaves open, for its scenario has no such task or an engine failed at it."""
    cells = evidence.cells
    kinds = {group.kind for group in cells.groups}
    clients = cells.frame.loc[cells.frame["kind"] == "search", "clients"].max()
    failed = int(cells.frame["error"].notna().sum())
    texts = [
        text
        for text, missing in (
            ("latency under an offered rate", not (cells.has_arrivals or cells.has_saturation)),
            ("load up to the limit of each engine", not cells.has_saturation),
            ("updates", "updates" not in kinds),
            ("what a crash loses", "durability" not in kinds),
            ("more than one client at a time", not clients > 1),  # also where there is no search
            ("more than one filter", len(cells.filters) < 2),
        )
        if missing
    ]
    return [
        *texts,
        *([f"{failed} of {len(cells.frame)} cells, which failed or are unsupported"] if failed else []),
    ]


def limitations(evidence: Evidence) -> list[str]:
    """What a reader must not conclude."""
    result = evidence.cells.result
    trials = len(evidence.cells.trials)
    generated = [
        field["name"] for field in result.dataset.get("fields") or [] if field.get("origin") == "generated"
    ]
    texts = [
        "One machine and one dataset: another processor, dimension or distribution can change the order.",
        "Engines and load generator share the machine's cores. Engines in the measuring process have no network "
        "between them and the service, servers here only this machine's own.",
        f"{trials} trial{'s' if trials != 1 else ''} of a short window each: rare disturbances (compaction, garbage "
        "collection, a noisy neighbour) may have been missed, and P99.9 needs longer windows.",
        _mix(evidence.cells),
        "Only the settings in the scenario were tried; an engine tuned further may do better.",
    ]
    if generated:
        texts.append(
            f"Generated, not real: {listing(generated)}. Filters on these show what selectivity costs, not what "
            "your own attributes would."
        )
    return [*texts, *result.notes]
