"""What the charts draw, and the sentences computed from them."""

from itertools import pairwise

import numpy as np
import pytest

from harness.results.result import Measurement
from reports.charts.dots import over_filters
from reports.charts.drawn import MOST_POINTS, evenly
from reports.charts.lines import _best_settings
from reports.charts.plotting import Point, Scale, apply_scale, label_margin, nines, spread
from reports.charts.style import engine_styles
from reports.charts.svg import panel
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
    close = Scale.recall([0.9995, 1.0])
    assert close.low == pytest.approx(0.98)
    assert (nines(1.0) - nines(0.999)) / (nines(1.0) - nines(close.low)) > 0.2  # told apart from 1
    assert Scale.recall([0.3]).low == 0.0


@pytest.mark.parametrize("lowest", [0.3, 0.86, 0.9, 0.94, 0.965, 0.98, 1.0])
def test_numbers_below_the_axis_of_recall_do_not_touch(lowest: float) -> None:
    figure, axes = panel(left=66, right=label_margin(["elasticsearch"]))
    apply_scale(axes, Scale.recall([lowest]), "x")
    figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in axes.get_xticklabels()]
    assert len(boxes) >= 3
    assert all(left.x1 + 2 < right.x0 for left, right in pairwise(boxes))


def test_a_panel_where_every_setting_found_all_is_left_out_and_named() -> None:
    found_all = edit(
        build(arrivals=False), lambda c: with_metrics(c, recall_at_10=1.0) if c.filter == "1pct" else c
    )
    page = Page(render_result(found_all))
    assert "No panel for 1pct: every setting found all there" in page.text
    assert "recall-2" in page.ids
    assert "recall-3" not in page.ids
    assert "No panel for" not in Page(sound_page()).text


def test_a_chart_that_most_engines_are_missing_from_is_said_in_words() -> None:
    def only(*engines: str) -> Page:
        def kept(cell: Measurement) -> Measurement:
            own = {"disk_bytes": 5 * 2.0**20 if cell.engine in engines else None}
            return with_metrics(cell, {"disk_bytes": "kept nowhere"}, **own) if cell.kind == "index" else cell

        return Page(render_result(edit(build(), kept)))

    left_out = only("qdrant", "milvus")  # of five
    assert (
        "Not drawn, as most engines have none: disk (only qdrant: 5 MiB and milvus: 5 MiB)" in left_out.text
    )
    assert "missing, see below" not in left_out.text
    assert "disk (no engine has it)" in only().text
    drawn = only("qdrant", "milvus", "faiss-ivf")
    assert "Not drawn" not in drawn.text
    assert drawn.text.count("missing, see below") == 2


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
    weighted = np.array([0.75, 0.25])
    assert over_filters("throughput_qps", by_filter, weighted) == [pytest.approx(120.0)]
    assert over_filters("cpu_s_per_1000", by_filter, weighted) == [150.0]
    assert over_filters("latency_max_ms", by_filter, np.array([1.0, 0.0])) == [300.0]
    assert over_filters("throughput_qps", by_filter, np.array([np.nan, np.nan])) == []
