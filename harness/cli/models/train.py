"""`bakeoff train`: trains a two-tower model and writes its folder."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.printing.output import say, show
from harness.errors import ConfigurationError

if TYPE_CHECKING:
    from models.training.config import TrainConfig
    from models.training.job import Outcome, Prepared
    from models.training.judging import Judgement
    from models.training.loop.trainer import EpochRecord


def require_training_packages() -> None:
    """Raises ConfigurationError where one is missing."""
    if missing := [name for name in ("jax", "flax", "optax", "orbax") if find_spec(name) is None]:
        raise ConfigurationError(
            f"training needs '{missing[0]}'. Install it with: make install, or pip install 'bakeoff[models]'"
        )


def train(options: argparse.Namespace) -> int:
    require_training_packages()
    from harness.cli.printing.terminal import ProgressBar
    from models.data.fingerprint import fingerprint
    from models.encoding.model import DATASET, MODEL
    from models.training.config import find_config, load_config
    from models.training.job import prepare, remember
    from models.training.job import train as train_towers
    from models.training.judging import judge, require_columns
    from models.training.model_file import write_model

    path = find_config(options.configuration)
    config = load_config(path)
    folder = Path(options.out or Path("trained") / config.name)
    say(f"{config.name} -> {folder}")
    with ProgressBar() as bar:
        prepared = prepare(config, path.parent, bar)
        require_columns(config, prepared.items)
        data = fingerprint(prepared.items, prepared.interactions)
        remember(folder, config, data, resume=options.resume)
        _say_what_is_read(prepared)

        def ended(record: EpochRecord) -> None:
            if not bar.shown:  # in a log, which has no bar
                say(_epoch(record, config))

        try:
            outcome = train_towers(config, prepared, folder, bar, ended)
        except KeyboardInterrupt:
            say("Every epoch that ended is saved. Go on with the same command and: --resume")
            raise
        judgement = judge(outcome, config.evaluation, bar)
        write_model(folder, config, outcome, judgement, data)
        bar("writing the report", 0, None)
        report = _report(folder, config, outcome, judgement)
    show(_table(judgement, config.evaluation.k[0]))
    show(f"\nModel: {folder / MODEL}")
    show(f"Report: {report}")
    show(f"For engines: bakeoff run two-tower --dataset {folder / DATASET}")
    return 0


def _report(folder: Path, config: TrainConfig, outcome: Outcome, judgement: Judgement) -> Path:
    from models.encoding.model import MODEL
    from models.features.stored import read_values
    from models.report.page import Trained, write_report

    prepared, split = outcome.prepared, outcome.prepared.split
    model = read_values(folder / MODEL)
    filters = config.dataset.filters
    trained = Trained(model, judgement.table, prepared.items, outcome.nearest, split.test, filters)
    return write_report(folder, trained)


def _epoch(record: EpochRecord, config: TrainConfig) -> str:
    return (
        f"epoch {record.epoch + 1} of {config.training.epochs}: loss {record.loss:.3f}, validation "
        f"recall@{config.evaluation.k[0]} {record.recall:.4f}, {record.examples_per_s:,.0f} examples/s"
    )


def _say_what_is_read(prepared: Prepared) -> None:
    """What of the data is not used, and how cases are held back."""
    interactions, split = prepared.interactions, prepared.split
    for column in prepared.items.columns:
        if not column.read_as:
            say(f"not read: column '{column.name}': {column.why}")
    for reason, count in interactions.left_out.items():
        say(f"left out: {count:,} interactions {reason}")
    for note in interactions.notes:
        say(note)
    say(f"Split {split.why or split.kind}")
    for reason, count in split.left_out.items():
        say(f"left out: {count:,} {reason}")


def _table(judgement: Judgement, k: int) -> str:
    """Recall of model and baselines, and what separates them, as lines of text."""
    table = judgement.table
    lines = [f"recall@{k} over {table.cases:,} test cases, {table.plan.level:.0%} intervals:"]
    for name in dict.fromkeys(cell.recommender for cell in table.cells):
        cell = table.cell(name, "recall", k)
        line = f"  {name:14} {shown(cell.value.estimate, cell.value.low, cell.value.high)}"
        if (other := cell.difference) is not None:
            line += f"   {shown(other.change, other.low, other.high, '+')} beside {table.plan.reference}"
        lines.append(line)
    return "\n".join(lines)


def shown(value: float, low: float | None, high: float | None, sign: str = "") -> str:
    """A figure with its interval, where there is one."""
    interval = "" if low is None or high is None else f" [{low:{sign}.4f}, {high:{sign}.4f}]"
    return f"{value:{sign}.4f}{interval}"
