"""What the page says of engines: loss by recall in sentences, charts and tables, and nothing of users as HTML."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from models.report.page import render
from models.report.parts import with_section
from models.report.retrieval.section import NAME, panels, section, sentences
from tests.unit.models.report.made import trained
from tests.unit.models.retrieval.made import asked, held_out, losing, no_filters, own_filters
from tests.unit.models.retrieval.runs import content_of
from tests.unit.reports.page.parsed import Page

HELD = held_out()


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    free, own = asked(HELD, no_filters(HELD)), asked(HELD, own_filters(HELD))
    answers = {("fine", 4, "none"): free, ("fine", 4, "own:filters"): own, ("broken", 1, "none"): free}
    answers |= {("coarse", ef, "none"): losing(free, share) for ef, share in ((2, 0.1), (1, 0.3), (0, 0.6))}
    measured = content_of(tmp_path_factory.mktemp("run"), HELD, answers)
    measured["points"].sort(key=lambda point: point["loss"]["recall"]["estimate"])
    return measured


def test_the_point_nearest_to_070_is_told_first_with_its_interval(content: dict[str, Any]) -> None:
    (point,) = [
        each for each in content["points"] if each["search"] == {"ef": 1} and each["engine"] == "coarse"
    ]
    lost = point["loss"]["hits_lost"]
    low, change, high = (f"{100 * lost[key]:.1f} %" for key in ("low", "change", "high"))
    assert sentences(content)[0] == (
        f"Without a filter, at {point['loss']['recall']['estimate']:.3f} recall against exact (coarse, ef=1) users "
        f"lose {change} of the hits, 95 % interval {low} to {high}."
    )


def test_a_loss_that_may_be_chance_is_not_told_as_one(content: dict[str, Any]) -> None:
    alone = content | {"points": [point for point in content["points"] if point["engine"] == "fine"]}
    assert "users lose none for sure, 95 % interval \N{MINUS SIGN}" in sentences(alone)[0]


def test_every_engine_has_a_sentence_from_its_coarsest_to_its_finest(content: dict[str, Any]) -> None:
    _, coarse, fine = sentences(content)
    assert coarse.startswith("coarse loses ")
    assert " at 0.4" in coarse
    assert " at 0.9" in coarse
    assert coarse.endswith(" without a filter.")
    assert "none for sure" not in coarse
    assert fine.startswith("fine loses none for sure (")
    assert " without a filter; none for sure (" in fine
    assert fine.endswith(" under own:filters.")
    assert fine.count(" at 1 recall") == fine.count(" at ") == 2  # it was asked at one setting only


def test_a_recall_of_nearly_all_is_not_all(content: dict[str, Any]) -> None:
    nearly = copy.deepcopy(content)
    nearly["points"][-1]["loss"]["recall"]["estimate"] = 0.99999
    assert "at 0.9999" in sentences(nearly)[-1]
    assert "at 0.9999" not in sentences(content)[-1]


def test_the_table_has_exact_search_first_and_every_point(content: dict[str, Any]) -> None:
    free, own = panels(content, ["coarse", "fine"])
    assert [row.engine for row in free.rows] == ["exact search", "coarse", "coarse", "coarse", "fine"]
    assert [row.engine for row in own.rows] == ["exact search", "fine"]
    hits = [row.hits for row in free.rows]
    assert hits[1:] == sorted(hits[1:])
    assert hits[0] == hits[-1]
    assert free.svg.count("</svg>") == own.svg.count("</svg>") == 1


def test_the_section_takes_the_place_of_the_remark_that_there_is_none(content: dict[str, Any]) -> None:
    before = render(trained())
    assert "Not measured yet. bakeoff evaluate" in Page(before).text
    page = Page(with_section(before, NAME, section(content)))
    assert "Not measured yet" not in page.text
    assert "What approximate search costs users" in page.text
    assert "out of luck" in page.text
    assert page.ids.count(NAME) == 1
    assert len(page.ids) == len(set(page.ids))


def test_names_are_text(content: dict[str, Any]) -> None:
    hostile = copy.deepcopy(content)
    for entry in [*hostile["points"], *hostile["failed"]]:
        entry["engine"] = "<script>alert(1)</script>"
    assert "script" not in Page(section(hostile)).tags


def test_what_is_not_known_has_no_place_in_sentence_or_chart(content: dict[str, Any]) -> None:
    """Users without a hit have no share that could be lost; where nothing answered there is a page too."""
    unknown = copy.deepcopy(content)
    for point in unknown["points"]:
        point["loss"]["hits_lost"] = dict.fromkeys(point["loss"]["hits_lost"])
    assert sentences(unknown) == []
    assert [panel.svg for panel in panels(unknown, ["coarse", "fine"])] == ["", ""]
    assert "exact search" in Page(section(unknown)).text
    assert "out of luck" in Page(section(unknown | {"points": []})).text


def test_a_chart_is_the_same_each_time(content: dict[str, Any], tmp_path: Path) -> None:
    assert section(content) == section(copy.deepcopy(content))
