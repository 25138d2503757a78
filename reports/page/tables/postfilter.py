"""What post-filtering costs: settings that filter the first hits beside those that filter while searching."""

from __future__ import annotations

import json
from dataclasses import dataclass
from statistics import fmean

from reports.decide.cells import Cells, Configuration
from reports.decide.groups import TrialGroup
from reports.wording import quantity


@dataclass(frozen=True, slots=True)
class PostRow:
    """One filter: the same index searched with and without pre-filtering, as texts."""

    filter: str
    recall: tuple[str, str]
    throughput: tuple[str, str]
    short: tuple[str, str]


@dataclass(frozen=True, slots=True)
class PostTable:
    """One pair of settings, filter by filter."""

    takeaway: str
    pre: str
    post: str
    rows: tuple[PostRow, ...]


def post_tables(cells: Cells) -> list[PostTable]:
    """A table for each post-filtering setting that has a pre-filtering counterpart."""
    counterparts = {_without(c): c for c in cells.candidates if not _is_post(c)}
    pairs = [
        (counterparts[_without(c)], c)
        for c in cells.candidates
        if _is_post(c) and _without(c) in counterparts
    ]
    return [_table(cells, pre, post) for pre, post in pairs]


def unpaired(cells: Cells) -> list[str]:
    """Post-filtering settings without a counterpart to compare with."""
    counterparts = {_without(c) for c in cells.candidates if not _is_post(c)}
    return [c.title for c in cells.candidates if _is_post(c) and _without(c) not in counterparts]


def _is_post(candidate: Configuration) -> bool:
    return "post" in (candidate.search.get("filtering"), candidate.index.get("filtering"))


def _without(candidate: Configuration) -> tuple[str, str]:
    """What two settings share that differ in filtering only: adapter and all other parameters."""
    rest = [
        {key: value for key, value in params.items() if key != "filtering"}
        for params in (candidate.index, candidate.search)
    ]
    return candidate.adapter, json.dumps(rest, sort_keys=True)


def _table(cells: Cells, pre: Configuration, post: Configuration) -> PostTable:
    sides = [{group.filter: group for group in cells.objective(candidate)} for candidate in (pre, post)]
    metric = f"recall_at_{cells.k}"
    rows, losses = [], []
    for name in cells.filters:
        groups = [side.get(name) for side in sides]
        recalls = [_mean(group, metric) for group in groups]
        if recalls[0] is not None and recalls[1] is not None:
            losses.append((recalls[0] - recalls[1], name, recalls))
        texts = [
            tuple(quantity(key, _mean(group, key)) for group in groups)
            for key in (metric, "throughput_qps", "short_results")
        ]
        rows.append(PostRow(name, *((cell[0], cell[1]) for cell in texts)))
    return PostTable(_takeaway(losses), pre.title, post.title, tuple(rows))


def _mean(group: TrialGroup | None, metric: str) -> float | None:
    values = list(group.values(metric).values()) if group else []
    return fmean(values) if values else None


def _takeaway(losses: list[tuple[float, str, list[float | None]]]) -> str:
    if not losses:
        return "Post-filtering: recall was not measured on both sides"
    loss, name, recalls = max(losses, key=lambda entry: entry[0])
    if loss < 0.01:
        return "Post-filtering loses no recall here"
    pre, post = (quantity("recall_at_10", value) for value in recalls)
    return f"Post-filtering drops recall from {pre} to {post} with filter {name}"
