"""`bakeoff ablate`: trains a configuration again and again, with one thing changed each time."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.models.train import require_training_packages, shown
from harness.cli.printing.output import say, show

if TYPE_CHECKING:
    from models.evaluation.cells import Table
    from models.training.ablations import Row

ABLATIONS = "ablations.json"


def ablate(options: argparse.Namespace) -> int:
    require_training_packages()
    from harness.cli.printing.terminal import ProgressBar
    from models.data.fingerprint import fingerprint
    from models.features.stored import write_values
    from models.training.ablations import AS_IS, EVERY_CHOICE, changed, compared, read_ablations, trained
    from models.training.config import find_config, load_config
    from models.training.job import prepare
    from models.training.judging import require_columns

    path = find_config(options.configuration)
    config = load_config(path)
    plan = read_ablations(EVERY_CHOICE if options.plan is None else Path(options.plan), options.only)
    configurations = {AS_IS: config} | changed(config, plan)
    folder = Path(options.out or Path("ablations") / config.name)
    say(f"{len(configurations)} trainings -> {folder}")
    rows: list[Row] = []
    with ProgressBar() as bar:
        base = prepare(config, path.parent, bar)
        require_columns(config, base.items)
        data = fingerprint(base.items, base.interactions)
        for number, (name, each) in enumerate(configurations.items()):
            if name != AS_IS and each == config:
                say(f"{name}: changes nothing here, left out")
                continue

            def told(what: str, done: float, total: float | None, of: str = f"{number + 1}, {name}") -> None:
                bar(f"training {of}: {what}", done, total)

            try:
                rows.append(
                    trained(
                        name, plan.get(name, {}), each, base, folder=folder / name, data=data, report=told
                    )
                )
            except KeyboardInterrupt:
                say("Every training that ended, and every epoch, is saved. Go on with the same command")
                raise
            row = rows[-1]
            say(f"{name}: best epoch {row.best_epoch + 1} of {row.epochs}")
        table = compared(rows, config, base, bar)
    write_values(folder / ABLATIONS, {"rows": [row.facts() for row in rows], "table": table.to_json()})
    show(_text(rows, table))
    show(f"\nEvery figure: {folder / ABLATIONS}")
    return 0


def _text(rows: Sequence[Row], table: Table) -> str:
    """The table as lines of text, the best first."""
    k = table.plan.ks[0]
    found = sorted(rows, key=lambda row: -table.cell(row.name, "recall", k).value.estimate)
    width = max(len(row.name) for row in found)
    lines = [
        f"recall@{k} of {table.cases:,} validation cases, {table.plan.level:.0%} intervals; beside it the difference "
        f"from {table.plan.reference}, paired;",
        "then that of targets nobody took in training, the best epoch, and seconds of processor time:",
    ]
    for row in found:
        cell, cold = table.cell(row.name, "recall", k), table.cell(row.name, "recall", k, "cold_listings")
        value, other = cell.value, cell.difference
        columns = [
            f"{row.name:{width}}",
            shown(value.estimate, value.low, value.high),
            f"{'' if other is None else shown(other.change, other.low, other.high, '+'):26}",
            f"{cold.value.estimate:.3f}" if cold.cases else "    -",
            f"{row.best_epoch + 1:2} of {row.epochs:2}",
            f"{'-' if row.processor_s is None else format(row.processor_s, '.0f'):>6}",
        ]
        lines.append("  " + "  ".join(columns).rstrip())
    return "\n".join(lines)
