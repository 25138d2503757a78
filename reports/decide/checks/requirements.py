"""What a decision asks of every candidate: the scenario's requirements, its defaults, and checks put into words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from harness.results.metrics import TABLE, spec
from harness.scenario.specs import DecisionSpec
from harness.scenario.threshold import Threshold, parse_threshold
from reports.wording import percent, quantity

CheckStatus = Literal["holds", "too close to call", "not measured", "fails"]
Origin = Literal["scenario", "default"]


class Check(BaseModel):
    """One requirement of one candidate, at the place where it came nearest to failing (or failed most).

    met: whether the estimate satisfies it, which is what eligibility asks for. status: the same with the 95 % interval
    taken into account. value, low, high: in the metric's unit, of a count that is judged as a share the share.
    queries: how many queries a recall rests on. failed: it was not measured because the cell failed. shown: the value
    as text.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    requirement: str
    metric: str
    status: CheckStatus
    met: bool
    value: float | None = None
    low: float | None = None
    high: float | None = None
    queries: int | None = None
    failed: bool = False
    place: str = ""
    reason: str = ""
    shown: str = "not measured"

    @property
    def sentence(self) -> str:
        """`recall@10 is 0.912 (340 queries) with filter brand (needs recall >= 0.95)`."""
        name = spec(self.metric).label
        if self.status == "not measured":
            return f"{name} not measured ({self.reason})"
        if not self.place:
            return self.reason
        place = f" with {self.place}" if self.place.startswith("filter") else f" in {self.place}"
        close = "; too close to call" if self.status == "too close to call" else ""
        needs = f"(needs {self.requirement}{close})"
        if spec(self.metric).is_count:
            return f"{self.shown} {name}{place} {needs}"
        counted = f" ({_queries(self.queries)})" if self.queries is not None else ""
        return f"{name} is {self.shown}{counted}{place} {needs}"


def _queries(count: int) -> str:
    return "1 query" if count == 1 else f"{count:,} queries"


@dataclass(frozen=True, slots=True)
class Requirement:
    """A threshold with the metric's name in the result file, and where it comes from."""

    threshold: Threshold
    metric: str
    source: Origin

    @property
    def text(self) -> str:
        return self.threshold.text

    @property
    def judged_everywhere(self) -> bool:
        """Whether every task and load counts, as for the quality of answers, unlike their speed."""
        known = spec(self.metric)
        return known.is_count or bool(known.averaged_over)

    def show(self, value: float | None) -> str:
        """A judged value with its unit."""
        if value is not None and self.threshold.share:
            return percent(value)
        return quantity(self.metric, value)


def requirements(scenario: Mapping[str, Any]) -> list[Requirement]:
    """The scenario's hard requirements, then the default of every metric that it does not name."""
    k = int(scenario.get("k", 10))
    asked = DecisionSpec.model_validate(scenario.get("decision", {})).thresholds
    found = [Requirement(threshold, metric_name(threshold, k), "scenario") for threshold in asked]
    named = {requirement.metric for requirement in found}
    for known in TABLE:
        if known.default is None or (metric := known.name.replace("{k}", str(k))) in named:
            continue
        threshold = parse_threshold(f"{known.name.removesuffix('_at_{k}')} {known.default}")
        found.append(Requirement(threshold, metric, "default"))
    return found


def metric_name(threshold: Threshold, k: int) -> str:
    """The metric's name in the result file: plain `recall` is recall at the scenario's k."""
    return f"recall_at_{k}" if threshold.metric == "recall" else threshold.metric


def shortfall(value: float, threshold: Threshold) -> float:
    """How far a value is on the wrong side (negative: to spare), as a share of the limit."""
    distance = value - threshold.limit if threshold.relation in ("<", "<=") else threshold.limit - value
    if threshold.relation == "==":
        distance = abs(distance)
    return distance / (abs(threshold.limit) or 1.0)
