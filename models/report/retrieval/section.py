"""The section on engines: what `engines.json` says, in sentences, charts and a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.results.stats import Interval
from harness.results.text import visible, visible_in
from models.evaluation.figures import BIAS, COVERAGE, NDCG, NOVELTY, RECALL
from models.report.figures import MINUS, NONE, Shown, shown
from models.report.retrieval.chart import colours, losses
from reports.template import filled
from reports.wording import percent, settings

NAME = "engines"
UNFILTERED = "none"
_FIGURES = (RECALL, NDCG, COVERAGE, BIAS, NOVELTY)
_TEMPLATE = Path(__file__).parents[1] / "templates" / "engines.html.j2"
_SAID = 0.7  # recall against exact at which most is known to be lost; the point nearest to it is told first
Content = Mapping[str, Any]  # of engines.json
Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """An engine at one setting, or exact search. lost: of hits. wrong: answers that do not count, failed queries."""

    engine: str
    setting: str
    recall: Shown
    ratio: str
    hits: int
    lost: Shown
    figures: tuple[Shown, ...]
    short: int | None = None
    wrong: int | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """Everything of one filter."""

    title: str
    about: str
    svg: str
    rows: tuple[Row, ...]


def section(content: Content) -> str:
    """The part of a model's page: HTML, with everything escaped that users write."""
    content = visible_in(dict(content))
    engines = list(dict.fromkeys(point["engine"] for point in content["points"]))
    values = {
        "sentences": sentences(content),
        "legend": colours(engines),
        "panels": panels(content, engines),
        "headings": [figure.label.removesuffix("@k") for figure in _FIGURES],
        "k": content["k"],
        "users": content["users"],
        "targets": content["targets"],
        "elsewhere": content["targets_elsewhere"],
        "level": percent(content["level"]),
        "skipped": content["skipped"],
        "failed": [
            (f"{entry['engine']} {settings(entry['search'])}".rstrip(), entry["filter"], entry["error"])
            for entry in content["failed"]
        ],
    }
    return filled(_TEMPLATE, values)


def sentences(content: Content) -> list[str]:
    """What the points come to: the one nearest to a recall of 0.7, then each engine from its coarsest to its finest."""
    known = [
        point
        for point in content["points"]
        if point["loss"]["recall"]["estimate"] is not None
        and point["loss"]["hits_lost"]["change"] is not None
    ]
    if not known:
        return []
    filters = _filters(content)
    simplest = min(filters.index(point["filter"]) for point in known)
    alike = [point for point in known if point["filter"] == filters[simplest]]
    nearest = min(alike, key=lambda point: abs(_recall(point) - _SAID))
    told = [
        f"{_where(nearest).capitalize()}, at {_exactness(nearest)} recall against exact ({_setting(nearest)}) users "
        f"lose {_share(nearest)}, {percent(content['level'])} interval {_bounds(nearest)}."
    ]
    for engine in dict.fromkeys(point["engine"] for point in known):
        own = [point for point in known if point["engine"] == engine]
        groups = ([point for point in own if point["filter"] == name] for name in filters)
        told.append(f"{engine} loses {'; '.join(map(_range, filter(None, groups)))}.")
    return told


def _range(points: Sequence[Entry]) -> str:
    """The points of an engine under one filter, in order of their recall: what the first and the last lose."""
    first, last = points[0], points[-1]
    text = f"{_surely(first)} at {_exactness(first)} recall"
    if _recall(first) != _recall(last):
        text += f" and {_surely(last)} at {_exactness(last)}"
    return f"{text} {_where(first)}"


def _surely(point: Entry) -> str:
    return f"{_share(point)} ({_bounds(point)})"


def _share(point: Entry) -> str:
    """What is lost, where that is more than chance."""
    low = point["loss"]["hits_lost"]["low"]
    return f"{_lost(point)} of the hits" if low is not None and low > 0 else "none for sure"


def _filters(content: Content) -> list[str]:
    """Their names, without a filter first."""
    return sorted(content["exact"], key=lambda name: (name != UNFILTERED, name))


def _where(point: Entry) -> str:
    return _under(point["filter"])


def _under(name: str) -> str:
    return "without a filter" if name == UNFILTERED else f"under {name}"


def _recall(point: Entry) -> float:
    value: float = point["loss"]["recall"]["estimate"]
    return value


def _exactness(point: Entry) -> str:
    """Three digits, more where fewer would say 1 of less than all."""
    recall = _recall(point)
    return "1" if recall == 1 else f"{recall:.3f}" if recall < 0.9995 else f"{min(recall, 0.9999):.4f}"


def _setting(point: Entry) -> str:
    return ", ".join(filter(None, (point["engine"], settings(point["search"]))))


def _lost(point: Entry) -> str:
    return _points(point["loss"]["hits_lost"]["change"])


def _bounds(point: Entry) -> str:
    lost = point["loss"]["hits_lost"]
    return NONE if lost["low"] is None else f"{_points(lost['low'])} to {_points(lost['high'])}"


def _points(share: float) -> str:
    """A share of hits in per cent, one decimal, which a range around 0 needs."""
    return f"{100 * share:.1f} %".replace("-", MINUS)


def panels(content: Content, engines: Sequence[str]) -> tuple[Panel, ...]:
    """One a filter, without a filter first."""
    found = []
    for number, name in enumerate(_filters(content)):
        points = [point for point in content["points"] if point["filter"] == name]
        about = (
            f"{_under(name).capitalize()}: exact search finds {content['exact'][name]['hits']:,} of "
            f"{content['targets']:,} targets"
        )
        svg = losses(points, engines, f"engines-{number}", f"{about}. Hits lost by recall against exact.")
        found.append(
            Panel(
                _under(name).capitalize(),
                about,
                svg,
                (_exact_row(content["exact"][name]), *map(_row, points)),
            )
        )
    return tuple(found)


def _exact_row(exact: Entry) -> Row:
    return Row(
        "exact search", "", Shown("1", ""), "1", exact["hits"], Shown(NONE, ""), _figures(exact["figures"])
    )


def _row(point: Entry) -> Row:
    loss = point["loss"]
    recall, lost = loss["recall"], loss["hits_lost"]
    value = NONE if lost["change"] is None else _lost(point)
    counts = ("violations", "unknown", "repeats", "errors")
    return Row(
        visible(point["engine"]),
        settings(point["search"]),
        _shown(RECALL.name, recall["estimate"], recall["low"], recall["high"]),
        NONE if loss["ratio"]["estimate"] is None else f"{loss['ratio']['estimate']:.4f}",
        loss["engine_hits"],
        Shown(value, "" if lost["low"] is None else _bounds(point)),
        _figures(point["figures"]),
        loss["short"],
        sum(point[key] for key in counts) + loss["impossible"],
    )


def _figures(figures: Mapping[str, Entry]) -> tuple[Shown, ...]:
    cells = (figures[figure.name] for figure in _FIGURES)
    names = (figure.name for figure in _FIGURES)
    return tuple(
        _shown(name, cell["value"], cell["low"], cell["high"])
        for name, cell in zip(names, cells, strict=True)
    )


def _shown(name: str, value: float | None, low: float | None, high: float | None) -> Shown:
    return Shown(NONE, "") if value is None else shown(name, Interval(value, low, high, 0.0))
