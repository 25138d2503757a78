"""`bakeoff dimensions`: shorter and rounded vectors of a trained model beside the full ones."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.models.pages import show_in_report
from harness.cli.printing.output import cache_folder, say, show
from harness.cli.run import asked_scenario

if TYPE_CHECKING:
    from harness.cli.printing.terminal import ProgressBar
    from harness.scenario.specs import Scenario
    from models.dimensions.throughput import Throughput


def dimensions(options: argparse.Namespace) -> int:
    from harness.cli.printing.terminal import ProgressBar
    from models.dimensions.job import FILE
    from models.report.dimensions import section
    from models.report.page import REPORT

    folder = Path(options.model)
    with ProgressBar() as bar:
        content = _compared(options, folder, bar)
    show(_table(content))
    show(f"\nFigures: {folder / FILE}")
    show_in_report(folder / REPORT, {"dimensions": section(content)})
    return 0


def _compared(options: argparse.Namespace, folder: Path, bar: ProgressBar) -> dict[str, Any]:
    from models.dimensions.content import Asked
    from models.dimensions.job import choose_dims, compare
    from models.dimensions.material import load_material
    from models.dimensions.throughput import measure
    from models.dimensions.variants import Shortened
    from models.encoding.model import DATASET
    from models.evaluation.cells import Plan

    options.dataset = str(folder / DATASET)
    scenario: Scenario = asked_scenario(options)
    material = load_material(folder, Path(options.data), bar)
    shortened = Shortened.of(material)
    dims, left_out = choose_dims(options.dims, shortened.dim)
    if left_out:
        say(f"--dims: the model has {shortened.dim} dimensions; left out: {', '.join(map(str, left_out))}")
    judged = material.config.evaluation
    plan = Plan(judged.k, reference=f"{shortened.dim}, float32", seed=judged.seed)
    asked = Asked(dims, left_out, options.tolerance, scenario, plan)

    def measured(runs: Path, dataset: Path) -> list[Throughput]:
        return measure(runs, dataset, scenario, cache_folder(), bar)

    try:
        return compare(shortened, asked, measured, bar)
    except KeyboardInterrupt:
        say("What was measured is saved. Go on with the same command")
        raise


def _table(content: Mapping[str, Any]) -> str:
    """Quality and throughput of every variant as lines of text, and which dimension is enough."""
    from models.report.dimensions import quality_rows, speed_rows, verdicts

    k, decided_on = content["k"][0], content["decided_on"]
    lines = [f"recall@{k} in {content['cases']['test']:,} test cases, and hits lost beside the full vectors:"]
    for row in quality_rows(content, k):
        lost = f"lost {row.lost.value} [{row.lost.interval}] {decided_on}" if row.lost.interval else ""
        tested = f"{row.lost_in_test.value} [{row.lost_in_test.interval}] test" if lost else ""
        recall = f"{row.recall.value} [{row.recall.interval}]"
        lines.append(
            f"  {row.dim:5} {row.precision:8} {row.bytes:5} bytes   {recall}   {lost}   {tested}".rstrip()
        )
    lines.append("\nthroughput, and times that of the same engine on the full float32 vectors:")
    for speed in speed_rows(content):
        figures = speed.missing or (
            f"{speed.queries.value:>7} queries/s   {speed.beside.value} {speed.beside.interval}".rstrip(" -")
            + f"   recall {speed.recall} ({speed.setting})"
        )
        lines.append(f"  {speed.engine:14} {speed.dim:5} {speed.precision:8} {figures}")
    return "\n".join([*lines, "", *verdicts(content)])
