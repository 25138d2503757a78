"""Everything that a comparison shows, computed at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.results.result import RunResult
from reports.comparison.differing import Difference, differences
from reports.comparison.figures import EngineFigures, engine_figures
from reports.comparison.obstacles import Comparable, comparable
from reports.comparison.runs import ComparedRun, compared_runs, engines_of
from reports.wording import listing

NOTE = (
    "Each engine at its best setting that meets every requirement of its run, else at the one nearest to it. Means "
    "over trials (geometric, where they have a ratio). × is the ratio to run A, of a recall the difference, with a "
    "95 % interval (Welch's, over the trials of both runs). It tells what varies within runs; whole runs differ by "
    "some per cent more although nothing has changed, and of twenty intervals one misses by chance. To judge whether "
    "something became worse, ask bakeoff gate."
)


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Several runs. beside: how far each can be compared with the first."""

    runs: Sequence[ComparedRun]
    beside: Sequence[Comparable]
    differences: Sequence[Difference]
    engines: Sequence[EngineFigures]

    @property
    def headline(self) -> str:
        """Which engine each run picks: `A and B pick faiss-hnsw`, `A picks faiss-hnsw, no decision in B`."""
        picks: dict[str | None, list[str]] = {}
        for run in self.runs:
            picks.setdefault(_picked(run), []).append(run.letter)
        undecided = picks.pop(None, [])
        parts = [
            f"{listing(own)} pick{'s' if len(own) == 1 else ''} {engine}" for engine, own in picks.items()
        ]
        parts += [f"no decision in {listing(undecided)}"] if undecided else []
        text = ", ".join(parts)
        return text[0].upper() + text[1:]

    @property
    def warnings(self) -> list[str]:
        """What must be known before any figure is read."""
        told = [one.sentence for one in self.beside if one.sentence]
        return told + [f"{run.letter} is not complete" for run in self.runs if not run.result.finished_at]


def _picked(run: ComparedRun) -> str | None:
    """The entry that a run picks, or the engine where only which of its entries is best stays open."""
    decision = run.decision
    if decision.picked_engine is not None:
        return decision.picked_engine.adapter
    return decision.pick.engine if decision.pick else None


def side_by_side(results: Sequence[tuple[str, RunResult]]) -> SideBySide:
    """Compares runs, each with its name, in the order given. The first is what the others are compared with."""
    runs = compared_runs(results)
    beside = comparable(runs)
    figures = [engine_figures(runs, beside, engine) for engine in engines_of(runs)]
    return SideBySide(runs, beside, differences([run.result for run in runs]), figures)


def run_facts(run: ComparedRun) -> tuple[str, ...]:
    """What a run measured, when and how often, as short texts; see RUN_HEAD."""
    result, trials = run.result, len(run.evidence.cells.trials)
    scenario, data = (str(part.get("name", "?")) for part in (result.scenario, result.dataset))
    return scenario, data, result.started_at[:16].replace("T", " "), str(trials)


RUN_HEAD = ("Scenario", "Data", "Started", "Trials")
