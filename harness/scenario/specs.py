"""Scenarios: strict YAML -> Scenario, with every problem reported at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, field_validator, model_validator

from engines.meant import choices
from engines.values.filter_syntax import FilterSyntaxError, parse
from engines.values.shown import shown
from harness.errors import ConfigurationError
from harness.scenario.strict import Name, PositiveInt, Seconds, StrictModel, read_yaml, validated
from harness.scenario.tasks import Task
from harness.scenario.threshold import Threshold, ThresholdSyntaxError, parse_threshold


class FilterSpec(StrictModel):
    """How each query of a cell gets its filter. Exactly one source is given; none at all is `no filter`.

    where: the same filter for every query. selectivity: a filter on `column` (default: chosen by the
    harness) that lets this share of the items through. keyword: one value of this column a query,
    drawn as often as it occurs. from_dataset: the filters the dataset brings (all of them, or one by name).
    """

    name: Name
    where: dict[str, Any] | None = None
    selectivity: Annotated[float, Field(gt=0, le=1)] | None = None
    column: str | None = None
    keyword: str | None = None
    from_dataset: bool | str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> FilterSpec:
        given = [
            key
            for key in ("where", "selectivity", "keyword", "from_dataset")
            if getattr(self, key) is not None
        ]
        if len(given) > 1:
            raise ValueError(
                f"takes one of where, selectivity, keyword, from_dataset; got {' and '.join(given)}"
            )
        if self.column is not None and self.selectivity is None:
            raise ValueError("column goes with selectivity")
        return self

    @field_validator("where")
    @classmethod
    def _well_formed(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        try:
            parse(value)
        except FilterSyntaxError as error:
            raise ValueError(str(error)) from error
        return value


class EngineSpec(StrictModel):
    """One engine with a grid of parameters: every list is tried in full. Index lists cost a build each."""

    engine: Annotated[str, Field(pattern=r"^[A-Za-z_][\w.-]*(:\w+)?$")]  # registered, or package.module:Class
    label: Name | None = None  # how the report calls it; the engine's name by default
    # How a server is started where BAKEOFF_<ENGINE>_URL names none that runs; `auto`: as a process if it can.
    server: Literal["auto", "container", "process"] = "auto"
    index: dict[str, Any] = Field(default_factory=dict)
    search: dict[str, Any] = Field(default_factory=dict)

    @field_validator("index", "search")
    @classmethod
    def _grid(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name, values in value.items():
            if isinstance(values, list) and not values:
                raise ValueError(
                    f"{name}: the list is empty, so that nothing would be measured; give a value"
                )
            if isinstance(values, list) and _repeats(values):
                raise ValueError(f"{name}: {shown(values)} holds a value twice, remove one")
        return value

    @property
    def title(self) -> str:
        return self.label or self.engine.rpartition(":")[2]


def _repeats(values: list[Any]) -> bool:
    try:
        return len(set(values)) < len(values)
    except TypeError:  # of lists or mappings, which no set can hold
        return any(one in values[:place] for place, one in enumerate(values))


class ContainerLimits(StrictModel):
    """What each server may use, the same for every engine."""

    cpus: Annotated[float, Field(gt=0, le=10_000)] = 2.0
    memory_mib: Annotated[int, Field(ge=256, le=2**30)] = 4096


Need = Literal["update", "delete", "durable", "several_processes", "server", "cluster", "text"]


Goal = Literal[
    "max throughput_qps",
    "min cpu_s_per_1000",
    "min latency_p50_ms",
    "min latency_p90_ms",
    "min latency_p95_ms",
    "min latency_p99_ms",
    "min latency_p999_ms",
]
Weight = Annotated[float, Field(ge=0, le=1e12)]


class DecisionSpec(StrictModel):
    """What an engine must do to be eligible, and what is then maximised or minimised.

    requirements: figures; the default of each metric (harness.results.metrics) is asked for where none is named here.
    needs: what production needs whatever the figures: items that can be replaced (update) and removed (delete), writes
    that survive a crash once they are acknowledged (durable), one collection for several processes, a server of its
    own, a cluster of several machines, search by words (text). objective: throughput and cost are compared in a closed
    loop, latencies under the highest rate that is offered. weights: how often each filter is asked, in any unit; those
    that are not named count nothing in the objective, and have to meet the requirements all the same. `NAME:SET` is one
    set of a filter that stands for several; NAME alone is shared by them equally. weights_from: a log of queries
    instead, a filter a line as in filters.jsonl. Equal by default.
    """

    requirements: Annotated[tuple[str, ...], Field(min_length=1)] = (
        "recall >= 0.95",
        "violations == 0",
        "errors == 0",
    )
    needs: tuple[Need, ...] = ()
    objective: Goal = "max throughput_qps"
    weights: Annotated[dict[str, Weight], Field(min_length=1)] | None = None
    weights_from: Annotated[str, Field(min_length=1)] | None = None
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.9  # the pick must win this share of the resamples

    @field_validator("requirements")
    @classmethod
    def _parse(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        problems = []
        for text in value:
            try:
                parse_threshold(text)
            except ThresholdSyntaxError as error:
                problems.append(str(error))
        if problems:
            raise ValueError("; ".join(problems))
        return value

    @field_validator("objective", mode="before")
    @classmethod
    def _as_in_requirements(cls, value: Any) -> Any:
        """`min latency.p99` for `min latency_p99_ms`."""
        return re.sub(r"latency\.(p\d+)$", r"latency_\1_ms", value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_mix(self) -> DecisionSpec:
        if self.weights is not None and self.weights_from is not None:
            raise ValueError("takes one of weights and weights_from; remove one")
        if self.weights is not None and not any(self.weights.values()):
            raise ValueError("weights are all 0, so that no filter counts; give one a weight above 0")
        return self

    def unknown_weights(self, filters: Sequence[FilterSpec]) -> list[str]:
        """What is wrong with the names that have weights, in a scenario with these filters."""
        several = {spec.name for spec in filters if spec.from_dataset is True}
        known = [spec.name for spec in filters]
        problems = []
        for given in self.weights or {}:
            name, sign, _ = given.partition(":")
            if name in several or (name in known and not sign):
                continue
            problems.append(f"decision.weights: unknown filter '{given}' ({choices(given, known)})")
        return problems

    @property
    def thresholds(self) -> list[Threshold]:
        return [parse_threshold(text) for text in self.requirements]


class Scenario(StrictModel):
    """A whole benchmark: data, engines, filters, tasks, and the decision to be made."""

    name: Name
    description: str = ""
    dataset: str | None = "fashion-mnist"  # None: left open, for data that everybody has to bring
    rows: PositiveInt | None = None  # only the first rows of the dataset
    queries: PositiveInt | None = None  # only the first queries
    k: PositiveInt = 10
    seed: Annotated[int, Field(ge=0)] = 0
    trials: Annotated[int, Field(gt=0, le=1_000)] = 3
    # Of the whole run: kept by fewer trials down to two, then by shorter windows, for every engine alike.
    budget_s: Seconds | None = None
    cell_timeout_s: Seconds = 600.0  # an engine silent for longer is killed and its cells marked failed
    limits: ContainerLimits = ContainerLimits()
    engines: Annotated[list[EngineSpec], Field(min_length=1)]
    filters: Annotated[tuple[FilterSpec, ...], Field(min_length=1)] = (FilterSpec(name="none"),)
    # What engines index besides vectors: the columns that a filter above names, all that can be filtered, or these.
    index_columns: Literal["filtered", "all"] | tuple[str, ...] = "filtered"
    tasks: Annotated[list[Task], Field(min_length=1)]
    decision: DecisionSpec = DecisionSpec()
    _file: Path | None = PrivateAttr(None)

    @property
    def ordered_tasks(self) -> list[Task]:
        """The tasks in the order in which a session runs them: the one that builds the index first."""
        return sorted(self.tasks, key=lambda task: not task.builds)

    @property
    def source(self) -> str:
        """Its name in messages: its file."""
        return str(self._file or f"scenario {self.name}")

    @property
    def named_dataset(self) -> str:
        """The dataset. Raises ConfigurationError where it is left open."""
        if self.dataset is None:
            raise ConfigurationError(
                f"{self.source}: dataset is left open, this scenario has none of its own; name yours, as in "
                "--dataset path/to/my-data"
            )
        return self.dataset

    @model_validator(mode="after")
    def _names_agree(self) -> Scenario:
        problems = []
        for kind, names in (
            ("engines", [spec.title for spec in self.engines]),
            ("filters", [spec.name for spec in self.filters]),
            ("tasks", [task.name for task in self.tasks]),
        ):
            repeated = sorted({name for name in names if names.count(name) > 1})
            problems += [
                f"{kind}: '{name}' occurs twice, give each its own name or label" for name in repeated
            ]
        problems += self.decision.unknown_weights(self.filters)
        known = sorted(spec.name for spec in self.filters)
        for number, task in enumerate(self.tasks):
            problems += [
                f"tasks[{number}].{problem}" for problem in task.problems(known, self.tasks[:number])
            ]
        offered = [task for task in self.tasks if getattr(task, "executor", "") == "arrival_rate"]
        if self.decision.objective.startswith("min latency") and not offered:
            problems.append(
                f"decision.objective: {self.decision.objective} compares engines under an offered rate; add a search "
                "task with executor: arrival_rate"
            )
        builds = [task.name for task in self.tasks if task.builds]
        if not builds:
            problems.append("tasks: an index task is needed, add '- task: index'")
        problems += [
            f"tasks: '{name}' would build the index a second time; remove it, or measure it in a scenario of its own"
            for name in builds[1:]
        ]
        if problems:
            raise ValueError("\n".join(problems))
        return self


def load_scenario(path: Path) -> Scenario:
    """Reads and checks a scenario file. Raises ConfigurationError with every problem."""
    data = {"name": path.stem, **read_yaml(path, "name, engines and tasks")}
    scenario = validated(Scenario, data, str(path))
    scenario._file = path
    return scenario
