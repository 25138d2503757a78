"""The page of a trained model, written as `report.html` into its folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.results.files import write_text
from harness.results.text import visible_in
from models.data.items import Items
from models.data.split import Cases
from models.evaluation.cells import Table
from models.evaluation.nearest import Nearest
from models.evaluation.slices import FEW
from models.publishing.options import OwnFilters
from models.report.curves import curves, how_it_trained
from models.report.data import column_rows, data_facts, split_facts
from models.report.figures import called
from models.report.space import picture
from models.report.tables import figure_tables, meanings, recommenders, slice_rows
from models.report.users import ANSWERS, examples
from models.report.verdict import verdict
from reports.template import filled
from reports.wording import percent

REPORT = "report.html"
_TEMPLATE = Path(__file__).parent / "templates" / "model.html.j2"


@dataclass(frozen=True, slots=True)
class Trained:
    """What the page is of.

    model: the content of model.json. table: the model beside the baselines. nearest: the model's own answers over the
    catalogue `items`. test: the test cases. filters: how each user's own filter is made.
    """

    model: Mapping[str, Any]
    table: Table
    items: Items
    nearest: Nearest
    test: Cases
    filters: OwnFilters
    seed: int = 0


def write_report(folder: Path, trained: Trained) -> Path:
    """Writes the page into a model's folder and returns its path. Raises MeasurementError."""
    path = folder / REPORT
    write_text(path, render(trained))
    return path


def render(trained: Trained) -> str:
    """The page. Names, titles and words come from users and are escaped; only our own SVG is trusted."""
    return filled(_TEMPLATE, _values(trained))


def _values(trained: Trained) -> dict[str, Any]:
    """Every value that the template names."""
    model, table = visible_in(dict(trained.model)), trained.table
    k = table.plan.ks[0]
    return {
        "model": model,
        "verdict": verdict(table, model),
        "curves": curves(model["epochs"], k),
        "training": how_it_trained(model["epochs"], model["configuration"]["training"]),
        "blocks": figure_tables(table),
        "meanings": meanings(),
        "names": [called(name) for name in recommenders(table)],
        "slices": slice_rows(table),
        "k": k,
        "cases": table.cases,
        "few": FEW,
        "level": percent(table.plan.level),
        "data": data_facts(model),
        "split": split_facts(model),
        "columns": column_rows(model, trained.items),
        "picture": picture(trained.nearest.listings, trained.items, trained.seed),
        "users": examples(trained.items, trained.nearest, trained.test, trained.filters, trained.seed),
        "ordered": trained.test.asked_ms is not None,
        "answers": ANSWERS,
        "asked": "the test cases",
        "one": "Test case",
        "engines": False,
    }
