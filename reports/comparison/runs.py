"""The runs that are compared, each with its decision and the setting that is shown for each engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from harness.results.result import RunResult
from harness.results.text import visible_in
from reports.decide.comparing.ranking import Candidate
from reports.decide.decision import Decision, conclude
from reports.decide.evidence import Evidence, gather_evidence


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """One of the runs. letter: how it is called in tables and charts; name: how its reader knows it.

    shown: for each engine that was searched the best setting that meets every requirement, else the one nearest to it.
    """

    letter: str
    name: str
    evidence: Evidence
    decision: Decision
    shown: Mapping[str, Candidate]

    @property
    def result(self) -> RunResult:
        return self.evidence.cells.result

    def status(self, engine: str) -> str:
        """What the decision says of an engine: `pick`, `eliminated`, ...; `not in this run`."""
        found = (standing.status for standing in self.decision.standings if standing.engine == engine)
        return next(found, "not in this run")


def compared_runs(results: Sequence[tuple[str, RunResult]]) -> list[ComparedRun]:
    """Judges each of the runs, which come with their names."""
    runs = []
    for place, (name, result) in enumerate(results):
        evidence = gather_evidence(visible_in(result))
        nearest = {engine: evidence.nearest(engine) for engine in evidence.cells.engines}
        best = {candidate.configuration.engine: candidate for candidate in evidence.ranking}
        shown = {engine: candidate for engine, candidate in (nearest | best).items() if candidate is not None}
        runs.append(ComparedRun(letter(place), visible_in(name), evidence, conclude(evidence), shown))
    return runs


def engines_of(runs: Sequence[ComparedRun]) -> list[str]:
    """Every engine of any run, in the order in which they come."""
    return list(dict.fromkeys(engine for run in runs for engine in run.evidence.cells.engines))


def letter(place: int) -> str:
    """A, B, ..., Z, AA, AB, ..."""
    rounds, index = divmod(place, len(ascii_uppercase))
    return (letter(rounds - 1) if rounds else "") + ascii_uppercase[index]
