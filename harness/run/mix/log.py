"""Weights from a log of queries: each of its filters counts for the workload that asks it, else for the one that lets
about as much through.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from pathlib import Path

import numpy as np

from engines.filters import And, Filter, In, Not, Or
from harness.data.queries.drawn_filters import share_of
from harness.data.user.filters.lines import filter_lines, read_filters
from harness.errors import ConfigurationError, noting
from harness.oracle.corpus import Corpus

MOST_FILTERS = (
    2_000  # different ones; of a log with more, so many lines are drawn: shares are then off by 1 % or so
)
_REST = 0.5  # items that a filter without a match is taken to let through: narrower than any with one


def weights_of_log(file: str, corpus: Corpus, source: str, seed: int) -> tuple[dict[str, float], list[str]]:
    """How many lines of a log count for each workload, and a note on it.

    A line counts for the workload that asks this very filter, else for the nearest by the logarithm of the selectivity.

    file: JSON Lines, a filter a line as in filters.jsonl. Raises ConfigurationError with every faulty line.
    """
    path = Path(file).expanduser()
    filters: tuple[Filter | None, ...] = ()
    problems: list[str] = []
    with noting(problems):
        filters, faults = read_filters(filter_lines(path), None, corpus.dataset.attributes)
        problems += faults
    if not problems and not filters:
        problems = [f"{path}: is empty; write a filter a line, {{}} for none"]
    if problems:
        raise ConfigurationError([f"{source}: decision.weights_from: {problem}" for problem in problems])
    drawn: Sequence[Filter | None] = filters
    if len(set(filters)) > MOST_FILTERS:
        chosen = np.random.default_rng(seed).choice(len(filters), MOST_FILTERS, replace=False)
        drawn = [filters[number] for number in chosen.tolist()]
    counts = Counter(dict.fromkeys(corpus.workloads, 0))
    asking, same = _asking(corpus), 0
    for where, count in Counter(drawn).items():
        name = asking.get(_meaning(where))
        same += 0 if name is None else count
        counts[_nearest(where, corpus) if name is None else name] += count
    part = f" ({len(drawn):,} of them drawn at random)" if len(drawn) < len(filters) else ""
    went = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    note = (
        f"The weights of the filters come from {path.name}, {len(filters):,} queries{part}: {same:,} counted for "
        f"the filter that they equal, {len(drawn) - same:,} for the one with the nearest selectivity ({went})."
    )
    return {name: float(count) for name, count in counts.items()}, [note]


def _asking(corpus: Corpus) -> dict[Hashable, str]:
    """The workload that asks each filter; of several the one with the fewest others."""
    asked = {name: set(map(_meaning, set(workload.filters))) for name, workload in corpus.workloads.items()}
    asking: dict[Hashable, str] = {}
    for name in sorted(asked, key=lambda name: len(asked[name])):
        for where in asked[name]:
            asking.setdefault(where, name)
    return asking


def _meaning(where: Filter | None) -> Hashable:
    """Equal for filters that differ in the order of their parts and values only."""
    match where:
        case And(filters) | Or(filters):
            return type(where), frozenset(map(_meaning, filters))
        case Not(inner):
            return Not, _meaning(inner)
        case In(name, values):
            return In, name, frozenset(values)
        case _:
            return where


def _nearest(where: Filter | None, corpus: Corpus) -> str:
    """No filter is nearest to the workload without one, where there is one."""
    rows = len(corpus.dataset.vectors)
    distance: dict[str, float] = {}
    mine = np.log(max(share_of(where, corpus.dataset), _REST / rows))
    for name, truth in corpus.truths.items():
        theirs = np.log(max(float(truth.matches.mean()), _REST) / rows)
        unlike = (where is None) != (set(corpus.workloads[name].filters) == {None})
        distance[name] = abs(mine - theirs) + (1e-9 if unlike else 0.0)
    return min(distance, key=distance.__getitem__)
