"""What each choice of a configuration is worth: the same training again, with one thing changed at a time.

Everything is compared on the validation cases, for a choice may be made by it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import Field, TypeAdapter, ValidationError

from engines.meant import choices
from harness.errors import ConfigurationError
from harness.progress import Progress as Report
from harness.scenario.strict import Name, explain, read_yaml
from models.encoding.model import TRAINING
from models.evaluation.cells import Plan, Table
from models.evaluation.popularity import Popularity
from models.evaluation.table import tabulate
from models.features.stored import read_arrays, read_values, write_arrays, write_values
from models.training.config import TrainConfig
from models.training.job import Prepared, encoded, remember, train

EVERY_CHOICE = Path(__file__).parents[1] / "shipped" / "ablations" / "every-choice.yaml"
Change = Mapping[str, Any]  # values by key, such as towers.dim

AS_IS = "as-is"  # the configuration without a change
_CHANGEABLE = ("features", "towers", "training")  # what leaves data, cases and figures as they are
_Plan = dict[Name, Annotated[dict[str, Any], Field(min_length=1)]]
_PLAN = TypeAdapter(_Plan)
_ANSWERS, _FACTS = "answers.npz", "trained.json"


@dataclass(frozen=True, slots=True)
class Row:
    """What a training came to. answers: int32[c, k] to the validation cases. best_epoch: counted from 0, of `epochs`.

    processor_s: of this process while it trained, all cores together; None where it was cut off and gone on with.
    """

    name: str
    change: Change
    answers: npt.NDArray[np.int32]
    epochs: int
    best_epoch: int
    processor_s: float | None

    def facts(self) -> dict[str, Any]:
        """All but the answers, as plain values."""
        return {
            "name": self.name,
            "change": dict(self.change),
            "epochs": self.epochs,
            "best_epoch": self.best_epoch,
            "processor_s": self.processor_s,
        }


def read_ablations(path: Path, only: Sequence[str] | None = None) -> dict[str, Change]:
    """The changes of a YAML file by name, or those of these names. Raises ConfigurationError with every problem."""
    data = read_yaml(path, "names of changes")
    try:
        found = _PLAN.validate_python(data)
    except ValidationError as error:
        raise ConfigurationError(explain(error, str(path), data, _Plan)) from error
    problems = [
        f"{path}: has no '{name}' ({choices(name, found, 'it has')})"
        for name in only or ()
        if name not in found
    ]
    if AS_IS in found:
        problems.append(f"{path}: '{AS_IS}' is what the configuration without a change is called; rename it")
    if problems:
        raise ConfigurationError(problems)
    return {name: change for name, change in found.items() if only is None or name in only}


def changed(config: TrainConfig, plan: Mapping[str, Change]) -> dict[str, TrainConfig]:
    """The configuration with each change. Raises ConfigurationError with every problem."""
    problems: list[str] = []
    configurations: dict[str, TrainConfig] = {}
    for name, change in plan.items():
        data = config.model_dump()
        for key, value in change.items():
            part, _, last = key.partition(".")
            if part in _CHANGEABLE and last:
                data[part][last] = value
            else:
                problems.append(
                    f"{name}: {key} cannot be changed; name a key of {', '.join(_CHANGEABLE)}, such as towers.dim"
                )
        try:
            configurations[name] = TrainConfig.model_validate(data)
        except ValidationError as error:
            problems += explain(error, name, data, TrainConfig)
    if problems:
        raise ConfigurationError(problems)
    return configurations


def trained(
    name: str,
    change: Change,
    config: TrainConfig,
    base: Prepared,
    *,
    folder: Path,
    data: str,
    report: Report,
) -> Row:
    """Trains by this configuration, on what `base` has read and split, or reads what an earlier training came to.

    folder: its own. data: fingerprint of what it is trained on. Raises ConfigurationError where the folder holds
    another training.
    """
    begun = (folder / TRAINING).exists()
    remember(folder, config, data, resume=begun)
    if (folder / _FACTS).exists():
        facts = read_values(folder / _FACTS)
        return Row(**{**facts, "answers": read_arrays(folder / _ANSWERS)["answers"]})
    prepared = encoded(config, base.items, base.interactions, base.split, report)
    began = time.process_time()
    outcome = train(config, prepared, folder, report)
    took = None if begun else time.process_time() - began
    recalls = [record.recall for record in outcome.records]
    answers = outcome.nearest.recommend(base.split.validation, max(config.evaluation.k))
    row = Row(name, change, answers, len(recalls), int(np.argmax(recalls)), took)
    write_arrays(folder / _ANSWERS, {"answers": answers})
    write_values(folder / _FACTS, row.facts())  # last: it says that all is there
    return row


def compared(rows: Sequence[Row], config: TrainConfig, base: Prepared, report: Report) -> Table:
    """Every row beside the configuration as it is, which has to be among them, on the validation cases."""
    plan = Plan(config.evaluation.k, reference=AS_IS, seed=config.evaluation.seed)
    popularity = Popularity.in_training(base.split)
    answers = {row.name: row.answers for row in rows}
    return tabulate(answers, base.split.validation, popularity, plan, progress=report)
