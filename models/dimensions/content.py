"""What a comparison of dimensions says, as the plain values of `dimensions.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from harness.results.stats import Comparison, Interval
from harness.scenario.specs import Scenario
from models.dimensions.enough import enough
from models.dimensions.material import Material
from models.dimensions.quality import Quality
from models.dimensions.throughput import Throughput, ratio
from models.dimensions.variants import BYTES, PRECISIONS, Precision, Shortened
from models.evaluation.cells import Plan, without_nan

KIND, FORMAT = "bakeoff-dimensions", 1
DECIDES = "validation"  # the cases by which a dimension is chosen

# By dimension and precision, then by split.
Qualities = Mapping[tuple[int, Precision], Mapping[str, Quality]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is compared. dims: ascending, the model's own last. left_out: dimensions asked for that it does not have.

    tolerance: the share of hits that may be lost.
    """

    dims: tuple[int, ...]
    left_out: tuple[int, ...]
    tolerance: float
    scenario: Scenario
    plan: Plan


def content(
    shortened: Shortened, asked: Asked, qualities: Qualities, speeds: Mapping[int, list[Throughput]]
) -> dict[str, Any]:
    """All of it: see docs/models.md for the keys."""
    material: Material = shortened.material
    full = {one.engine: one for one in speeds[shortened.dim] if one.precision == "float32"}
    k = asked.plan.ks[0]
    variants = [
        {
            "dim": dim,
            "precision": precision,
            "bytes": shortened.width(dim) * BYTES[precision],
            "kept": float(shortened.kept[dim - 1]),
            "quality": {name: _quality(judged) for name, judged in qualities[dim, precision].items()},
            "throughput": [_speed(full, one) for one in speeds[dim] if one.precision == precision],
        }
        for precision in PRECISIONS
        for dim in asked.dims
    ]
    chosen = {
        precision: enough(
            {dim: _lost(qualities[dim, precision][DECIDES], k) for dim in asked.dims}, asked.tolerance
        )
        for precision in PRECISIONS
    }
    plain: dict[str, Any] = without_nan(
        {
            "kind": KIND,
            "format": FORMAT,
            "model": asdict(material.model.identity),
            "data": material.data,
            "dim": shortened.dim,
            "dims": list(asked.dims),
            "left_out": list(asked.left_out),
            "k": list(asked.plan.ks),
            "tolerance": asked.tolerance,
            "level": asked.plan.level,
            "decided_on": DECIDES,
            "cases": {name: len(cases) for name, cases in material.cases.items()},
            "scenario": asked.scenario.model_dump(mode="json"),
            "enough": chosen,
            "variants": variants,
        }
    )
    return plain


def _lost(judged: Quality, k: int) -> Comparison | None:
    return None if judged.hits_lost is None else judged.hits_lost[k]


def _quality(judged: Quality) -> dict[str, Any]:
    figures = [
        {
            "figure": one.figure,
            "k": one.k,
            **_interval(one.value),
            "difference": None if one.difference is None else _comparison(one.difference),
        }
        for one in judged.figures
    ]
    lost = judged.hits_lost or {}
    return {"figures": figures, "hits_lost": [{"k": k, **_comparison(one)} for k, one in lost.items()]}


def _speed(full: Mapping[str, Throughput], one: Throughput) -> dict[str, Any]:
    qps, compared = one.qps, ratio(full.get(one.engine), one)
    return {
        "engine": one.engine,
        "search": one.search,
        "queries_per_s": None if qps is None else _interval(qps),
        "by_trial": list(one.by_trial),
        "recall": one.recall,
        "ratio": None if compared is None else _comparison(compared),
        "missing": one.missing or None,
    }


def _interval(value: Interval) -> dict[str, Any]:
    return {"value": value.estimate, "low": value.low, "high": value.high}


def _comparison(value: Comparison) -> dict[str, Any]:
    return {"value": value.change, "low": value.low, "high": value.high}
