"""What busy clients leave open: a figure that the clients limited is the least that the engine can do."""

from __future__ import annotations

from reports.decide.cells import Bools
from reports.decide.comparing.lead import Lead
from reports.decide.comparing.ranking import Candidate
from reports.decide.evidence import Evidence
from reports.wording import listing

FLAG = "client-bound"
LIMIT = "the clients, not the engine, may have been the limit"


def faster_than_shown(evidence: Evidence, lead: Lead) -> list[str]:
    """Why others than those that a lead speaks for may be faster than their figures, so that it is not shown. There is
    a leader, and throughput is what is compared.

    The leader's own clients are no reason: with better ones it is at least as fast. A rival counts whichever of its
    settings was held back, also where that setting misses nothing but figures that busy clients make worse; unless its
    CPU time a query keeps it out of reach.
    """
    bound = evidence.cells.flagged(FLAG)
    leader = evidence.ranking[0]
    if not bound.any():
        return []
    rivals: dict[str, str] = {}
    for place, candidate in enumerate(evidence.candidates):
        engine = candidate.configuration.engine
        if engine in lead.own or engine in rivals:
            continue
        if _held_back(evidence, candidate, place, bound) and _in_reach(evidence, candidate, leader):
            rivals[engine] = _reason(evidence, candidate)
    second = lead.runner_up.configuration if lead.runner_up else None
    if second and second.engine in rivals and bound_cells(evidence, leader):
        rivals[second.engine] = (
            f"both {leader.configuration.title} and {second.title} were measured with clients that were the limit "
            "themselves, so the figures compare clients, not engines (compare their CPU time per query, or use more "
            "client processes)"
        )
    return list(rivals.values())


def at_least(evidence: Evidence) -> list[str]:
    """The note beside a leader whose figure is a lower bound."""
    leader = evidence.leader
    cells = bound_cells(evidence, leader) if leader else 0
    if not cells or not evidence.objective.maximise:
        return []
    return [f"In {cells} of the cells behind it {LIMIT}: its throughput is at least what is shown."]


def bound_cells(evidence: Evidence, candidate: Candidate) -> int:
    """How many cells behind a candidate's throughput are flagged."""
    numbers = evidence.cells.objective_numbers(candidate.configuration)
    return int(evidence.cells.flag_counts(FLAG)[numbers].sum())


def _held_back(evidence: Evidence, candidate: Candidate, place: int, bound: Bools) -> bool:
    """Whether better clients could make a candidate eligible and faster, or faster where it is eligible."""
    if candidate.score is None or not bound[evidence.cells.objective_numbers(candidate.configuration)].any():
        return False
    asked = {requirement.text: requirement for requirement in evidence.asked}
    for check in candidate.failures:
        if check.status == "too close to call":
            continue
        requirement = asked.get(check.requirement)
        if requirement is None or check.status != "fails":
            return False
        if not bound[evidence.judge.timed_numbers(requirement, place)].any():
            return False
    return True


def _in_reach(evidence: Evidence, candidate: Candidate, leader: Candidate) -> bool:
    """Whether a server could be as fast as the leader if every processor of the machine worked for it alone."""
    cells = evidence.cells
    cores, numbers = cells.result.environment.get("cores"), cells.objective_numbers(candidate.configuration)
    cost, clients = (cells.matrix(metric)[numbers] for metric in ("cpu_s_per_1000", "client_cpu_s_per_1000"))
    apart = (clients > 0).all() and (cost > 0).all()  # else the engine's own time is not known
    if not cores or not apart or leader.score is None:
        return True
    shares = cells.weighing([cells.groups[number].filter for number in numbers])
    return bool(cells.goal.mix(1000 * cores / cost.min(axis=1), shares) >= leader.score)


def _reason(evidence: Evidence, candidate: Candidate) -> str:
    cells, title = bound_cells(evidence, candidate), candidate.configuration.title
    if candidate.met:
        return f"in {cells} of the cells behind {title} {LIMIT}, so it may be faster than shown"
    missed = listing([check.requirement for check in candidate.failures])
    return f"in {cells} of the cells behind {title} {LIMIT}, so it may meet {missed} and be faster than shown"
