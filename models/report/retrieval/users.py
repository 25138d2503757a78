"""Example users again, now with what each engine answers them: the titles, and what is missing against exact search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from harness.oracle.exact import exact_neighbours
from harness.results.text import visible
from models.data.items import Items
from models.report.retrieval.section import UNFILTERED
from models.report.titles import Titles
from models.report.users import ANSWERS, FARTHEST, Example, Through, plain, told
from models.retrieval.held_out import HeldOut
from models.retrieval.received import without_history
from reports.template import filled
from reports.wording import settings

NAME = "users"
_TEMPLATE = Path(__file__).parents[1] / "templates" / "users.html.j2"


def section(held: HeldOut, items: Items, content: Mapping[str, Any]) -> str:
    """The part of a model's page that takes the place of the users without engines.

    held: the users that were asked. items: the dataset's listings. content: of engines.json.
    """
    rows = np.array(content["examples"], np.int64)
    points = coarsest(content)
    values = {
        "users": tuple(
            replace(example, engines=tuple(_through(point, at, items) for point in points))
            for at, example in enumerate(examples(held, items, rows))
        ),
        "ordered": held.cases.asked_ms is not None,
        "answers": ANSWERS,
        "k": content["k"],
        "asked": "the users that engines were asked for",
        "one": "Query",
        "engines": bool(points),
    }
    return filled(_TEMPLATE, values)


def examples(held: HeldOut, items: Items, rows: np.ndarray[Any, np.dtype[np.int64]]) -> tuple[Example, ...]:
    """These users (rows of the queries) with exact search's answers and the filters that engines get."""
    some, data = held.cases.take(rows), held.dataset
    farthest = min(FARTHEST, len(items))
    most = min(len(items), farthest + int(some.histories.lengths.max(initial=0)))
    found = exact_neighbours(data.vectors, data.queries[rows], most, data.metric)
    answers = without_history(found.ids.astype(np.int32), some.histories, farthest)
    own = next(iter(data.filters.values()), None)
    filters = [None if own is None else own[row] for row in rows.tolist()]
    return told(items, some, answers, filters, data.columns, numbers=rows)


def coarsest(content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Of each engine the point of the least recall without a filter."""
    found: dict[str, Mapping[str, Any]] = {}
    for point in content["points"]:  # by recall
        if point["filter"] == UNFILTERED:
            found.setdefault(point["engine"], point)
    return list(found.values())


def _through(point: Mapping[str, Any], at: int, items: Items) -> Through:
    titles, given = Titles(items), point["examples"][at]
    answers = (
        plain(titles, row)
        if known
        else replace(plain(titles, row), note="not among the first of exact search", kind="moved")
        for row, known in zip(given["first"], given["among_first"], strict=True)
    )
    missing = tuple(titles.title(row) for row in given["missing"])
    return Through(
        visible(point["engine"]),
        visible(settings(point["search"])),
        tuple(answers),
        given["lost"],
        missing,
        same=all(given["among_first"]) and not missing,
    )
