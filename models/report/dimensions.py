"""Shorter and rounded vectors side by side: what dimensions.json says, in words and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.results.stats import Interval
from harness.results.text import visible
from models.evaluation.figures import NDCG, RECALL
from models.report.figures import MINUS, NONE, Shown, shown
from reports.template import filled
from reports.wording import listing, number, percent, settings

TEST = "test"
_TEMPLATE = Path(__file__).parent / "templates" / "dimensions.html.j2"

Content = Mapping[str, Any]  # of dimensions.json, or of a part of it


@dataclass(frozen=True, slots=True)
class QualityRow:
    """A variant at one k.

    lost, lost_in_test: the share of the full vectors' hits that is lost, by the cases that decide and by the test
    cases; `-` of the full vectors. enough: whether it is the dimension that is enough.
    """

    dim: int
    precision: str
    bytes: int
    recall: Shown
    ndcg: Shown
    lost: Shown
    lost_in_test: Shown
    enough: bool


@dataclass(frozen=True, slots=True)
class SpeedRow:
    """An engine on a variant. beside: times its throughput on the full float32 vectors. missing: why there is none."""

    engine: str
    dim: int
    precision: str
    queries: Shown
    beside: Shown
    recall: str
    setting: str
    missing: str


def section(content: Content) -> str:
    """The part of a model's page: HTML, with everything escaped that users write."""
    values = {
        "verdicts": verdicts(content),
        "blocks": [(k, quality_rows(content, k)) for k in content["k"]],
        "speeds": speed_rows(content),
        "left_out": listing([str(dim) for dim in content["left_out"]]),
        "decided_on": content["decided_on"],
        "cases": content["cases"],
        "level": percent(content["level"]),
        "tolerance": percent(content["tolerance"]),
        "dim": content["dim"],
        "trials": content["scenario"]["trials"],
        "requirements": content["scenario"]["decision"]["requirements"],
    }
    return filled(_TEMPLATE, values)


def verdicts(content: Content) -> list[str]:
    """Which dimension is enough, a sentence for each precision."""
    return [_verdict(content, precision, chosen) for precision, chosen in content["enough"].items()]


def _verdict(content: Content, precision: str, chosen: int | None) -> str:
    own, k = content["dim"], content["k"][0]
    rest = [dim for dim in content["dims"] if chosen is None or dim < chosen]
    told = []
    if chosen is not None and (chosen, precision) != (own, "float32"):
        told.append(f"at {chosen} {_loses(content, chosen, precision, k)}")
    if rest:
        told.append(f"at {rest[-1]} {_loses(content, rest[-1], precision, k)}")
    if chosen is None:
        start = f"not even the model's own {own} dimensions are surely enough"
    elif chosen == own and precision == "float32":
        start = f"no smaller dimension than the model's own {own} is surely enough"
    elif chosen == own:
        start = f"the model's own {own} dimensions are enough, and no fewer"
    else:
        start = f"{chosen} dimensions are enough"
    return f"{precision}: {start} (tolerance {percent(content['tolerance'])}): {'; '.join(told)}."


def _loses(content: Content, dim: int, precision: str, k: int) -> str:
    lost = _lost(_variant(content, dim, precision), content["decided_on"], k)
    text = _shares(lost)
    verb = "gain" if lost["value"] is not None and lost["value"] < 0 else "lose"
    value = text.value.lstrip(MINUS)
    bounds = f" ({percent(content['level'])} interval of the loss {text.interval})" if text.interval else ""
    return f"users {verb} {value} of the hits@{k}{bounds}"


def quality_rows(content: Content, k: int) -> list[QualityRow]:
    """Every variant at one k, in the file's order."""
    return [_quality_row(content, one, k) for one in content["variants"]]


def _quality_row(content: Content, one: Content, k: int) -> QualityRow:
    figures = {figure["figure"]: figure for figure in one["quality"][TEST]["figures"] if figure["k"] == k}
    return QualityRow(
        one["dim"],
        one["precision"],
        one["bytes"],
        _figure(RECALL.name, figures[RECALL.name], content["level"]),
        _figure(NDCG.name, figures[NDCG.name], content["level"]),
        _shares(_lost(one, content["decided_on"], k)),
        _shares(_lost(one, TEST, k)),
        content["enough"][one["precision"]] == one["dim"],
    )


def speed_rows(content: Content) -> list[SpeedRow]:
    """Every engine on every variant, engine by engine."""
    rows = [
        SpeedRow(
            visible(speed["engine"]),
            one["dim"],
            one["precision"],
            _rate(speed["queries_per_s"]),
            _times(speed["ratio"]),
            NONE if speed["recall"] is None else f"{speed['recall']:.3f}",
            visible(settings(speed["search"])),
            visible(speed["missing"] or ""),
        )
        for one in content["variants"]
        for speed in one["throughput"]
    ]
    order = list(dict.fromkeys(row.engine for row in rows))
    return sorted(rows, key=lambda row: order.index(row.engine))


def _variant(content: Content, dim: int, precision: str) -> Content:
    found: Content = next(
        one for one in content["variants"] if (one["dim"], one["precision"]) == (dim, precision)
    )
    return found


def _lost(one: Content, split: str, k: int) -> Content:
    """The loss of a variant, without values of the full vectors, which lose nothing."""
    nothing: Content = {"value": None, "low": None, "high": None}
    return next((lost for lost in one["quality"][split]["hits_lost"] if lost["k"] == k), nothing)


def _figure(name: str, value: Content, level: float) -> Shown:
    if value["value"] is None:
        return Shown(NONE, "")
    return shown(name, Interval(value["value"], value["low"], value["high"], level))


def _shares(value: Content) -> Shown:
    return _shown([None if value[key] is None else 100 * value[key] for key in _KEYS], "{:.1f}", " %")


def _rate(value: Content | None) -> Shown:
    return Shown(NONE, "") if value is None else _shown([value[key] for key in _KEYS], None, "")


def _times(value: Content | None) -> Shown:
    return Shown(NONE, "") if value is None else _shown([value[key] for key in _KEYS], "{:.2f}", "×")


_KEYS = ("value", "low", "high")


def _shown(values: Sequence[float | None], form: str | None, unit: str) -> Shown:
    value, low, high = (
        None if one is None else (number(one) if form is None else _rounded(form, one)) for one in values
    )
    if value is None:
        return Shown(NONE, "")
    return Shown(value + unit, "" if low is None or high is None else f"{low} to {high}{unit}")


def _rounded(form: str, value: float) -> str:
    """The number as text; one that is nothing once rounded has no sign."""
    text = form.format(value)
    return text.lstrip("-") if float(text) == 0 else text.replace("-", MINUS)
