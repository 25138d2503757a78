"""What the charts draw, and the sentences computed from them."""

from itertools import pairwise

import numpy as np
import pytest

from reports.charts.dots import over_filters
from reports.charts.drawn import MOST_POINTS, evenly
from reports.charts.lines import _best_settings
from reports.charts.plotting import Point, nines, spread
from reports.charts.style import engine_styles
from reports.page.html import render_result
from tests.unit.example_results import ENGINES, build, edit, with_metrics
from tests.unit.reports.page.parsed import Page, realistic_page, sound_page


def test_a_panel_names_the_best_engine_at_the_required_recall() -> None:
    text = Page(sound_page()).text
    assert "none: faiss-hnsw 4,720/s at recall ≥ 0.95, next faiss-ivf 2,720/s" in text
    text = Page(
        render_result(build(requirements=("recall >= 1",), engines={"qdrant": ENGINES["qdrant"]}))
    ).text
    assert "no setting reaches recall 1" in text


@pytest.mark.parametrize(("required", "drawn"), [("0.95", True), ("0.6", False)])
def test_a_required_recall_outside_the_axis_is_not_drawn(required: str, drawn: bool) -> None:
    """Its label would stand beside the chart."""
    one = {"qdrant": ENGINES["qdrant"]}
    run = edit(
        build(requirements=(f"recall >= {required}",), engines=one, arrivals=False),
        lambda c: with_metrics(c, recall_at_10=0.955) if c.kind == "search" else c,
    )
    page = render_result(run)
    assert f"at recall ≥ {required}" in Page(page).text
    assert (f">≥ {required}</text>" in page) == drawn


def test_engines_keep_their_looks() -> None:
    names = [f"engine-{i}" for i in range(24)]
    found = engine_styles(names)
    assert len({(look.colour, look.marker, str(look.line)) for look in found.values()}) == 24
    assert engine_styles(names[:3]) == {name: found[name] for name in names[:3]}


def test_labels_are_spread_in_order_and_within_bounds() -> None:
    moved = spread([50.0, 51.0, 52.0, 90.0, 99.0], 10, 0, 100)
    assert all(b - a >= 10 for a, b in pairwise(moved))
    assert max(moved) <= 100
    assert spread([5.0, 80.0], 10, 0, 100) == [5.0, 80.0]
    assert spread([], 10, 0, 100) == []


def test_recall_is_spaced_by_its_nines() -> None:
    assert nines([0.0, 0.9, 0.99, 1.0]) == pytest.approx([0, 1, 2, 3], abs=0.05)


def test_takeaways_follow_the_data() -> None:
    one = {"qdrant": ENGINES["qdrant"], "faiss-flat": ENGINES["faiss-flat"]}
    steady = edit(
        build(engines=one, arrivals=False),
        lambda c: with_metrics(c, recall_at_10=0.97, throughput_qps=1000.0) if c.kind == "search" else c,
    )
    text = Page(render_result(steady)).text
    assert "Recall hardly depends on the filter" in text
    assert "No engine slows down much as filters narrow" in text
    assert "without ✘" not in text
    text = Page(render_result(build(requirements=("recall >= 1",)))).text
    assert "no rival no other engine meets every requirement" in text


def test_the_filter_that_slows_an_engine_most_need_not_be_the_narrowest() -> None:
    one = {"qdrant": ENGINES["qdrant"]}
    rates = {"none": 1000.0, "10pct": 200.0, "1pct": 4000.0}
    result = build(engines=one, arrivals=False, filters={"none": 1.0, "10pct": 0.1, "1pct": 0.01})
    sagging = edit(
        result, lambda c: with_metrics(c, throughput_qps=rates[c.filter]) if c.kind == "search" else c
    )
    text = Page(render_result(sagging)).text
    assert (
        "qdrant slows down most: where 10 % of the items pass, to 20 % of its throughput with the widest filter"
        in text
    )


def test_a_line_of_many_settings_keeps_the_best_and_the_ring() -> None:
    rng = np.random.default_rng(1)
    spots = [(Point.of([float(x)]), Point.of([float(y)])) for x, y in rng.uniform(size=(500, 2))]
    points = [(x, y, number == 7) for number, (x, y) in enumerate(spots)]
    kept = _best_settings(points)
    assert len(kept) <= MOST_POINTS + 1
    assert points[7] in kept
    for x, y, ring in kept:
        beaten = any(a.mean > x.mean and b.mean > y.mean for a, b, _ in points)
        assert ring or not beaten
    assert _best_settings(points[:MOST_POINTS]) == points[:MOST_POINTS]


def test_places_are_spread_evenly() -> None:
    assert evenly(range(5), 5) == [0, 1, 2, 3, 4]
    assert evenly(range(101), 5) == [0, 25, 50, 75, 100]


def test_an_engine_that_is_out_does_not_lead_the_chart_of_throughput() -> None:
    text = Page(realistic_page()).text
    assert "Highest throughput of those without ✘: faiss-hnsw (" in text
    assert "faiss-hnsw-post ✘" in text


def test_filters_become_one_figure_as_the_table_says() -> None:
    by_filter = [{0: 100.0, 1: 200.0}, {0: 300.0}]
    assert over_filters("throughput_qps", by_filter) == [pytest.approx(150.0)]
    assert over_filters("cpu_s_per_1000", by_filter) == [200.0]
    assert over_filters("latency_max_ms", by_filter) == [300.0]
    assert over_filters("latency_max_ms", []) == []
