"""The parts of decision.json that others are made of."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from harness.results.result import RunResult
from reports.decide.cells import Configuration


class DecisionPart(BaseModel):
    """Base of the parts of decision.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Choice(DecisionPart):
    """A configuration, complete enough to start the engine with. score: the objective, in its unit; of an engine's best
    setting by trials that did not choose it.
    """

    engine: str  # the label of the scenario's engine entry
    adapter: str  # the registry's name
    version: str | None
    index: dict[str, Any]
    search: dict[str, Any]
    title: str
    score: float | None
    trials: int


class Margin(DecisionPart):
    """The leader against the runner-up, as a ratio above 1 in its favour, with the interval that decides on a pick
    (`reports.decide.comparing.selection.compare`).
    """

    ratio: float
    low: float | None
    high: float | None
    level: float
    sentence: str


def choice_of(result: RunResult, setting: Configuration, score: float | None, trials: int) -> Choice:
    """The setting with the engine's version. score: the objective over `trials`."""
    return Choice(
        engine=setting.engine,
        adapter=setting.adapter,
        version=result.engines.get(setting.engine, {}).get("version"),
        index=setting.index,
        search=setting.search,
        title=setting.title,
        score=score,
        trials=trials,
    )
