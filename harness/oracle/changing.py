"""Judges answers that were given while items were written: only what was wrong in every possible state counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engines.base import Metric
from engines.columns import Column
from harness.data.queries.workload import Workload
from harness.oracle.candidates import Float32, Float64, Int64, pair_error
from harness.oracle.exact import Truth, exact_neighbours, pair_distances
from harness.oracle.scoring import permitted_pairs
from harness.oracle.versions import Mask, Versions
from harness.results.judging import Judged, repeated
from harness.results.samples import OK, Samples


@dataclass(frozen=True, slots=True)
class Rows:
    """What the rows of versions hold: vectors float32[r, d] and columns of r rows. Those of n items come first."""

    vectors: Float32
    columns: Mapping[str, Column]
    metric: Metric


def judge_changing(samples: Samples, workload: Workload, rows: Rows, versions: Versions) -> Judged:
    """Judges the kept answers of a window during which items were written, one entry for each of `samples.kept_rows`.

    An answer is judged by every state that was possible between its sending and its completion. A hit is a ghost
    where its item existed in none of them, a violation where it existed and matched the filter in none, unknown where
    the item never existed. recall is over the items that are among the k nearest in every possible state: how many of
    them were returned, divided by their number; NaN where there are none, or no answer. short: fewer hits than items
    match in every state. Scores are judged elsewhere: unordered and wrong_scores are false.
    """
    kept, k = samples.kept_rows, workload.k
    ids = samples.ids[:, :k]
    answered = samples.status[kept] == OK
    returned = (np.arange(k) < samples.lengths[kept][:, None]) & answered[:, None]
    first = returned & ~repeated(ids, returned)
    known = (ids >= 0) & (ids < len(versions.present))
    exists, matching = _possible_hits(samples, ids, first & known, workload, rows, versions)
    recall, least = _certain_recall(samples, first, workload, rows, versions)
    some = np.count_nonzero(returned, axis=1)
    nothing = np.zeros(len(ids), dtype=np.bool_)
    return Judged(
        recall=np.where(answered, recall, np.nan),
        violations=np.count_nonzero(first & exists & ~matching, axis=1),
        ghosts=np.count_nonzero(first & known & ~exists, axis=1),
        unknown=np.count_nonzero(first & ~known, axis=1),
        duplicates=some - np.count_nonzero(first, axis=1),
        short=answered & (some < least),
        overlong=answered & (samples.lengths[kept] > k),
        unordered=nothing,
        wrong_scores=nothing,
    )


def _possible_hits(  # noqa: PLR0917 (the hits, then what they are judged by)
    samples: Samples, ids: Int64, asked: Mask, workload: Workload, rows: Rows, versions: Versions
) -> tuple[Mask, Mask]:
    """Whether the item of each hit in `asked` may have existed, and whether so matching the filter: bool[m, k] both."""
    answer, _ = np.nonzero(asked)
    item = ids[asked]
    untouched = np.flatnonzero(~versions.touched[item] & versions.present[item])
    written = np.flatnonzero(versions.touched[item])
    position, version = versions.of(item[written])
    row_of = samples.kept_rows[answer]
    hit = written[position]
    possible = versions.possible(version, samples.sent_ns[row_of[hit]], samples.done_ns[row_of[hit]])
    possible &= versions.row[version] >= 0
    hit = np.concatenate([untouched, hit[possible]])
    row = np.concatenate([item[untouched], versions.row[version[possible]]])
    matching = permitted_pairs(samples.query[row_of[hit]], row, workload.filters, rows.columns)
    result = np.zeros((2, len(item)), dtype=np.bool_)
    result[0, hit] = True
    result[1, hit[matching]] = True
    exists, fits = np.zeros(ids.shape, dtype=np.bool_), np.zeros(ids.shape, dtype=np.bool_)
    exists[asked], fits[asked] = result
    return exists, fits


def _certain_recall(
    samples: Samples, first: Mask, workload: Workload, rows: Rows, versions: Versions
) -> tuple[Float64, Int64]:
    """float64[m] recall over what is certain, and int64[m] how many hits there should be at least."""
    n, k = len(versions.present), workload.k
    truth = exact_neighbours(
        rows.vectors[:n],
        workload.queries,
        k + 1,  # one more, so that a tie at the k-th is seen
        rows.metric,
        workload.filters,
        {name: column[:n] for name, column in rows.columns.items()},
        versions.present & ~versions.touched,
    )
    recall, least = np.full(len(first), np.nan), np.zeros(len(first), dtype=np.int64)
    asked = samples.query[samples.kept_rows]
    for query in np.unique(asked).tolist():
        state = _States.of(query, truth, workload, rows, versions)
        for answer in np.flatnonzero(asked == query).tolist():
            row = samples.kept_rows[answer]
            certain, settled = state.certain(int(samples.sent_ns[row]), int(samples.done_ns[row]), k)
            least[answer] = min(k, int(truth.matches[query]) + settled)
            if len(certain):
                found = samples.ids[answer, :k][first[answer]]
                recall[answer] = np.count_nonzero(np.isin(certain, found)) / len(certain)
    return recall, least


@dataclass(frozen=True, slots=True)
class _States:
    """What one query may find: the nearest of the items that were never written, and versions of the others.

    untouched, distances: int64[t] and float64[t], matching items, nearest first. written: int64[w], items that
    may be among the nearest. version, place: int64[p], all versions of those, and which of `written` each is of.
    near: float64[p], their distances; inf where they do not match, are farther than all `untouched`, or are absent.
    tolerance: what the rounding of two distances may amount to.
    """

    versions: Versions
    untouched: Int64
    distances: Float64
    written: Int64
    version: Int64
    place: Int64
    near: Float64
    tolerance: float

    @classmethod
    def of(cls, query: int, truth: Truth, workload: Workload, rows: Rows, versions: Versions) -> _States:
        there = truth.ids[query] >= 0
        untouched, distances = truth.ids[query][there], truth.distances[query][there]
        present = np.flatnonzero(versions.row >= 0)
        row = versions.row[present]
        matching = permitted_pairs(np.full(len(row), query), row, workload.filters, rows.columns)
        present, row = present[matching], row[matching]
        distance = pair_distances(rows.vectors, workload.queries, row, np.full(len(row), query), rows.metric)
        both = np.concatenate([untouched, row]), np.concatenate([distances, distance])
        errors = pair_error(both[1], rows.vectors[both[0]], workload.queries[query], rows.metric)
        tolerance = 2 * float(errors.max(initial=0.0))
        if there.all():
            reachable = distance <= distances[-1] + tolerance
            present, distance = present[reachable], distance[reachable]
        near = np.full(len(versions.item), np.inf)
        near[present] = distance
        written = np.unique(versions.item[present])
        place, version = versions.of(written)
        return cls(versions, untouched, distances, written, version, place, near[version], tolerance)

    def certain(self, sent_ns: int, done_ns: int, k: int) -> tuple[Int64, int]:
        """Items that are among the k nearest in every state possible between these times, and how many written ones
        match in every state.

        An item is that where fewer than k others can be as near. A written one must have had a single possible version.
        """
        possible = self.versions.possible(self.version, sent_ns, done_ns)
        place = self.place[possible]
        nearest = np.full(len(self.written), np.inf)
        np.minimum.at(nearest, place, self.near[possible])
        settled = (np.bincount(place, minlength=len(self.written)) == 1) & np.isfinite(nearest)
        in_order = np.sort(nearest)

        def as_near(distances: Float64) -> Int64:
            limit = distances + self.tolerance
            others = np.searchsorted(self.distances, limit, side="right")
            return np.asarray(others + np.searchsorted(in_order, limit, side="right"))

        own, theirs = as_near(self.distances) <= k, as_near(nearest[settled]) <= k
        return np.concatenate([self.untouched[own], self.written[settled][theirs]]), int(settled.sum())
