"""What the result file says about the data: sizes, columns, filters with their selectivity, notes and cautions."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from harness.data.queries.workload import Workload
from harness.oracle.corpus import Corpus
from harness.oracle.exact import Truth, distinct
from harness.oracle.resolution import resolution_of


def describe_corpus(corpus: Corpus) -> dict[str, Any]:
    """What the result file says about the data."""
    dataset = corpus.dataset
    held = {field.name for field in dataset.schema.fields}
    filters = [
        _describe_filter(workload, corpus.truths[name], len(dataset.vectors))
        for name, workload in corpus.workloads.items()
    ]
    return {
        "name": dataset.name,
        "metric": dataset.metric,
        "rows": len(dataset.vectors),
        "dim": dataset.vectors.shape[1],
        "queries": len(dataset.queries),
        "fingerprint": dataset.fingerprint,
        "description": dataset.description,
        "model": None if dataset.model is None else asdict(dataset.model),
        "fields": [
            asdict(attribute) | {"indexed": attribute.name in held} for attribute in dataset.attributes
        ],
        "filters": filters,
        "skipped": corpus.skipped,
        "notes": _filter_notes(filters),
        "cautions": _resolution_notes(corpus),
    }


def _describe_filter(workload: Workload, truth: Truth, rows: int) -> dict[str, Any]:
    shares = truth.matches / rows
    return {
        "name": workload.name,
        "selectivity_asked": workload.asked_selectivity,
        "selectivity_mean": float(shares.mean()),
        "selectivity_min": float(shares.min()),
        "selectivity_max": float(shares.max()),
        "distinct": sum(where is not None for where in distinct(workload.filters)[0]),
        "queries_without_match": int(np.count_nonzero(truth.matches == 0)),
    }


def _filter_notes(filters: list[dict[str, Any]]) -> list[str]:
    asked = [
        f"{entry['name']} {entry['selectivity_asked']:.3%} / {entry['selectivity_mean']:.3%}"
        for entry in filters
        if entry["selectivity_asked"] is not None
    ]
    notes = [f"selectivity asked / real: {', '.join(asked)}"] if asked else []
    return notes + [
        f"filter {entry['name']}: {entry['queries_without_match']:,} queries match no item; an empty answer to them "
        "counts as right, and is found fast"
        for entry in filters
        if entry["queries_without_match"]
    ]


def _resolution_notes(corpus: Corpus) -> list[str]:
    """From the workload with the widest filters: its neighbours lie closest together."""
    name = max(corpus.truths, key=lambda name: int(corpus.truths[name].matches.sum()))
    dataset = corpus.dataset
    return resolution_of(
        dataset.vectors, corpus.workloads[name].queries, corpus.truths[name], dataset.metric
    ).notes
