"""Whether float32 is precise enough for the neighbours of a dataset: as input of a search, and as its arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engines.base import Metric
from harness.data.dataset import Dataset
from harness.oracle.candidates import Float32, Float64, lengths_of
from harness.oracle.exact import Truth, exact_neighbours
from harness.oracle.scoring import float32_allowance

_SAMPLED = 200  # queries
_K = 10  # neighbours of a sampled query, where none are known yet
_NOTED = 0.05  # share of the queries above which there is a note


@dataclass(frozen=True, slots=True)
class Resolution:
    """Shares of the queries whose neighbours lie too close together.

    tied: most of the k neighbours are as far as the one before them. input: rounding each number to float32 moves the
    k-th neighbour by more than the mean gap between neighbours. arithmetic: the rounding of float32 sums may do so.
    """

    tied: float
    input: float
    arithmetic: float

    @property
    def notes(self) -> list[str]:
        """What a reader should know before trusting recall; [] where float32 is fine."""
        notes = []
        if self.tied >= _NOTED:
            notes.append(
                f"in {self.tied:.0%} of the queries most neighbours are equally far in float32, as where vectors "
                "repeat: any of them counts as right; if the vectors differ before they are rounded to it, subtract "
                "a constant from vectors and queries first"
            )
        if self.input >= _NOTED:
            notes.append(
                f"in {self.input:.0%} of the queries float32 cannot tell the neighbours apart: rounding the data to it "
                "moved them by more than the gaps between them; subtract a constant from vectors and queries first"
            )
        elif self.arithmetic >= _NOTED:
            notes.append(
                f"in {self.arithmetic:.0%} of the queries the neighbours are closer together than float32 arithmetic "
                "may err: engines that compute in it can lose recall; vectors with a mean near zero lose less"
            )
        return notes


def resolution_of(vectors: Float32, queries: Float32, truth: Truth, metric: Metric) -> Resolution:
    """From a sample of queries float32[q, d] with their exact neighbours; queries without a match are left out."""
    count = np.minimum(truth.matches, truth.k)
    sample = np.flatnonzero(count > 0)
    sample = sample[:: max(1, len(sample) // _SAMPLED)]
    if not len(sample):
        return Resolution(0.0, 0.0, 0.0)
    last = count[sample] - 1
    first, kth = truth.distances[sample, 0], truth.distances[sample, last]
    # Of a single neighbour, the distance itself stands for the gap; an inner product has no such origin.
    gap = np.where(last > 0, (kth - first) / np.maximum(last, 1), np.inf if metric == "ip" else kth)
    rows, asked = vectors[truth.ids[sample, last]], queries[sample]
    with np.errstate(invalid="ignore"):  # past the last match
        steps = np.diff(truth.distances[sample], axis=1)
    within = np.arange(steps.shape[1]) < last[:, None]
    tied = (2 * np.count_nonzero((steps == 0) & within, axis=1) > last) & (last > 0)
    apart = ~tied & (gap > 0)
    return Resolution(
        float(tied.mean()),
        float((apart & (_input_rounding(rows, asked, metric) > gap)).mean()),
        float((apart & (float32_allowance(kth, rows, asked, metric) > gap)).mean()),
    )


def sampled_resolution(dataset: Dataset) -> Resolution:
    """Of a sample of the dataset's queries without filter; passes over all vectors once."""
    queries = np.asarray(dataset.queries[:: max(1, len(dataset.queries) // _SAMPLED)])
    truth = exact_neighbours(dataset.vectors, queries, min(_K, len(dataset.vectors)), dataset.metric)
    return resolution_of(dataset.vectors, queries, truth, dataset.metric)


def _input_rounding(rows: Float32, queries: Float32, metric: Metric) -> Float64:
    """The standard deviation of a distance, float64[m], whose numbers were rounded to float32.

    Rounding by up to half a step is off by step / sqrt(12); to first order that moves the distance by its slope.
    """
    x, q = rows.astype(np.float64), queries.astype(np.float64)
    variance_x, variance_q = np.spacing(np.abs(rows)) ** 2.0 / 12, np.spacing(np.abs(queries)) ** 2.0 / 12
    if metric == "ip":
        return np.asarray(np.sqrt(np.vecdot(q * q, variance_x.astype(np.float64))))
    if metric == "cosine":
        length_x, length_q = lengths_of(rows)[:, None], lengths_of(queries)[:, None]
        x, q = x / length_x, q / length_q
        variance_x, variance_q = variance_x / length_x**2 / 4, variance_q / length_q**2 / 4
    slope = 2 * (x - q)
    return np.asarray(np.sqrt(np.vecdot(slope * slope, variance_x + variance_q)))
