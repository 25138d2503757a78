"""Everything that a decision is based on, computed from a run at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.results.result import RunResult
from harness.scenario.specs import DecisionSpec
from reports.decide.cells import Cells
from reports.decide.checks.group_verdicts import is_asked
from reports.decide.checks.judging import Judge
from reports.decide.checks.requirements import Requirement, requirements, shortfall
from reports.decide.comparing.lead import Field, Lead
from reports.decide.comparing.ranking import Candidate, judged_candidates, rank
from reports.decide.comparing.resampling import Contest, resampled, win_share
from reports.decide.comparing.selection import Selection
from reports.decide.objective import Objective


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a decision is based on.

    candidates: in the order of `cells.candidates`. ranking: the best eligible candidate of each engine entry, best
    first, with the score of its selection: by trials that did not choose the setting. selections: by engine entry.
    lead: the leader against every other entry. engine_lead: its adapter, all of its entries' settings taken as those of
    one engine, against each entry of another adapter; None where no other adapter was measured, or where the adapter
    has no second entry, so that both are the same. shares: how often each entry comes first when trials
    are drawn again; empty with fewer than two trials.
    fastest_lacking: the best candidate that misses nothing but a need, where it is ahead of the leader.
    asked: the requirements that apply. judge: the verdicts behind the checks.
    """

    cells: Cells
    spec: DecisionSpec
    asked: Sequence[Requirement]
    judge: Judge
    candidates: Sequence[Candidate]
    ranking: Sequence[Candidate]
    selections: Mapping[str, Selection]
    lead: Lead | None
    engine_lead: Lead | None
    shares: Mapping[str, float]
    fastest_lacking: Candidate | None

    @property
    def objective(self) -> Objective:
        return self.cells.goal

    @property
    def leader(self) -> Candidate | None:
        return self.ranking[0] if self.ranking else None

    @property
    def runner_up(self) -> Candidate | None:
        return self.ranking[1] if len(self.ranking) > 1 else None

    @property
    def not_judged(self) -> list[str]:
        """The engine entries of which nothing is known to meet every requirement, and nothing shown to miss one."""
        ranked = {candidate.configuration.engine for candidate in self.ranking}
        shown = {engine: self.nearest(engine) for engine in self.cells.engines if engine not in ranked}
        return [engine for engine, candidate in shown.items() if candidate and candidate.not_judged]

    def of_engine(self, engine: str) -> list[Candidate]:
        """The candidates of one engine entry."""
        return [candidate for candidate in self.candidates if candidate.configuration.engine == engine]

    def nearest(self, engine: str) -> Candidate | None:
        """Of an engine's candidates, one whose failures are all too close to call, else the one that fails fewest
        requirements and those by least.
        """
        limits = {requirement.text: requirement.threshold for requirement in self.asked}

        def distance(candidate: Candidate) -> tuple[bool, int, int, float]:
            failing = candidate.failures
            gaps = [
                shortfall(check.value, limits[check.requirement])
                for check in failing
                if check.value is not None and check.requirement in limits
            ]
            return not candidate.undecided, len(failing), len(failing) - len(gaps), max(gaps, default=0.0)

        return min(self.of_engine(engine), key=distance, default=None)


def gather_evidence(result: RunResult) -> Evidence:
    """Judges, scores and ranks every candidate of a run."""
    spec = DecisionSpec.model_validate(result.scenario.get("decision", {}))
    cells = Cells(result)
    objective = cells.goal
    asked = [requirement for requirement in requirements(result.scenario) if is_asked(cells, requirement)]
    judge = Judge(cells)
    candidates = judged_candidates(judge, asked, spec)
    eligible = [c for c in candidates if c.met]
    ranking, selections = rank(eligible, objective)
    contest = Contest(judge, asked, candidates, ranking, objective)
    rng = np.random.default_rng(int(result.scenario.get("seed", 0)))
    outcomes = resampled(contest, rng) if ranking and len(ranking[0].by_trial) > 1 else {}
    field = Field(ranking, selections, outcomes, maximise=objective.maximise)
    return Evidence(
        cells=cells,
        spec=spec,
        asked=asked,
        judge=judge,
        candidates=candidates,
        ranking=ranking,
        selections=selections,
        lead=field.entry_lead(),
        engine_lead=field.engine_lead(eligible, {c.engine: c.adapter for c in cells.candidates}),
        shares={engine: win_share(outcomes, [engine]) for engine in outcomes},
        fastest_lacking=_fastest_lacking(candidates, ranking, objective),
    )


def _fastest_lacking(
    candidates: Sequence[Candidate], ranking: Sequence[Candidate], objective: Objective
) -> Candidate | None:
    lacking, _ = rank([c for c in candidates if c.figures_met and not c.met], objective)
    if not lacking:
        return None
    if ranking and objective.oriented(ranking[0].score) >= objective.oriented(lacking[0].score):
        return None
    return lacking[0]
