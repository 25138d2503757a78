"""What breaks the engine that leads: narrow filters, load, updates, a crash. One sentence each, from the cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from reports.charts.latency import kept_up, offered_rate
from reports.charts.lines import FOUND_ALL
from reports.decide.cells import Cells, Configuration
from reports.decide.evidence import Evidence
from reports.decide.groups import TrialGroup
from reports.page.sections import filter_shares
from reports.wording import listing, number, percent, quantity


@dataclass(frozen=True, slots=True)
class Answer:
    """What it is about, what came of it, and the id of the section that shows more."""

    name: str
    text: str
    section: str


def breaks(evidence: Evidence) -> list[Answer]:
    """Of the leader; nothing where no engine meets the requirements."""
    if evidence.leader is None:
        return []
    cells, setting = evidence.cells, evidence.leader.configuration
    return [
        Answer("Narrow filters", f"{_filters(cells, setting)}.", "selectivity"),
        Answer("Load", f"{_load(cells, setting)}.", "latency"),
        Answer("Updates", f"{_updates(cells, setting)}.", "updates"),
        Answer("A crash", f"{_crash(cells, setting)}.", "cells"),
    ]


def _filters(cells: Cells, setting: Configuration) -> str:
    """Which filter slows it down most, against the widest one, and where its recall is lowest."""
    rates, recalls = (
        _means(cells.closed_loop.objective(setting), m) for m in ("throughput_qps", f"recall_at_{cells.k}")
    )
    if len(rates) < 2:
        return "only one filter was measured" if rates else "no search with a closed loop was measured"
    shares = filter_shares(cells)
    widest, slowest = max(rates, key=lambda name: shares.get(name, 0.0)), min(rates, key=rates.__getitem__)
    if slowest == widest:
        text = f"no filter slows it below its {number(rates[widest])} queries/s with {widest}"
    else:
        passing = f" ({percent(shares[slowest])} of the items pass)" if slowest in shares else ""
        text = (
            f"slowest with {slowest}{passing}: {number(rates[slowest])} queries/s, "
            f"{percent(rates[slowest] / rates[widest])} of its {number(rates[widest])} with {widest}"
        )
    if not recalls:
        return text
    lowest = min(recalls, key=recalls.__getitem__)
    if recalls[lowest] >= FOUND_ALL:
        return f"{text}; recall@{cells.k} is 1.000 with every filter"
    return f"{text}; recall@{cells.k} is lowest with {lowest}, {recalls[lowest]:.3f}"


def _means(groups: Sequence[TrialGroup], metric: str) -> dict[str, float]:
    """By filter, where it was measured and is above 0."""
    means = {g.filter: fmean(values.values()) for g in groups if (values := g.values(metric))}
    return {name: value for name, value in means.items() if value > 0}


def _load(cells: Cells, setting: Configuration) -> str:
    """The highest rate that it keeps up with, its P99 there, and the lowest above it that it does not keep up with."""
    groups = cells.offered().get((setting.engine, setting.index_json), [])
    by_rate = sorted(
        ((rate, group) for group in groups if (rate := offered_rate(group))), key=lambda at: at[0]
    )
    if not by_rate:
        return "not measured under an offered rate"
    late = next((at for at in by_rate if not kept_up(at[1])), None)
    steady = [at for at in by_rate if kept_up(at[1]) and (late is None or at[0] < late[0])]
    if not steady:
        return f"it falls behind at {number(by_rate[0][0])} queries/s already, the least that was offered"
    rate, group = steady[-1]
    values = list(group.values("latency_p99_ms").values())
    tail = f" with a P99 of {quantity('latency_p99_ms', fmean(values))}" if values else ""
    ended = f"not with {number(late[0])}/s" if late else "it was not loaded further"
    return f"it keeps up with {number(rate)} queries/s (filter {group.filter}){tail}; {ended}"


def _updates(cells: Cells, setting: Configuration) -> str:
    groups = cells.build(setting, "updates")
    if not groups:
        return "the scenario has no updates task"
    if errors := sorted({error for group in groups for error in group.errors if error}):
        return "; ".join(errors)
    found = []
    for metric, what in (
        ("ghosts", "deleted items still found"),
        ("violations", "hits that break the filter"),
    ):
        if (worst := _highest(groups, metric)) is not None:
            found.append(f"{worst:,.0f} {what}")
    seen = _highest(groups, "freshness_p90_ms")
    told = listing(found) or "not counted"
    return f"{told}; 90 % of single writes show within {quantity('freshness_p90_ms', seen)}" if seen else told


def _crash(cells: Cells, setting: Configuration) -> str:
    groups = cells.build(setting, "durability")
    lost, written = _highest(groups, "killed_lost"), _highest(groups, "acknowledged")
    if lost is None:
        return "not measured: nothing was killed" if not groups else "not measured for this engine"
    total = f" of {written:,.0f}" if written else ""
    return f"{lost:,.0f}{total} acknowledged items are lost when it is killed"


def _highest(groups: Sequence[TrialGroup], metric: str) -> float | None:
    return max((value for group in groups for value in group.values(metric).values()), default=None)
