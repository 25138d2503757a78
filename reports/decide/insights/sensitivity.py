"""What would flip the pick: other weights of the filters, another floor of recall, a limit on P99."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from pydantic import Field

from harness.scenario.threshold import parse_threshold
from reports.decide.cells import Bools, Cells, Floats
from reports.decide.checks.requirements import Requirement, metric_name
from reports.decide.evidence import Evidence
from reports.decide.insights.remix import Leader, Remix
from reports.decide.parts import Choice, DecisionPart, choice_of
from reports.wording import listing, percent

FLOORS = (0.9, 0.95, 0.98, 0.99, 0.999)
_STEPS = 100  # shares of a filter in the mix: so many are tried
_MOST = 98  # of them: with more, next to nothing else is asked, and that is no mix
HIGHEST_SHARE = _MOST / _STEPS
_MOST_LIMITS = 6
_EVENLY = (1.0, 2.0, 5.0)  # times a power of ten


class Flip(DecisionPart):
    """share: of the mix, from which on the leader is another one."""

    share: float
    leader: Choice


class FilterWeight(DecisionPart):
    """What another share of one filter in the mix would do, the others keeping their proportions.

    share: its present one. above, below: the nearest larger and smaller share with another leader; None: it stays.
    """

    filter: str
    share: float
    above: Flip | None
    below: Flip | None
    sentence: str


class Alternative(DecisionPart):
    """Who leads under another requirement. asked: whether it is the scenario's own. ahead: by which factor before the
    next entry. alone: whether no other one is eligible. changes: whether it is another entry than leads now.
    """

    requirement: str
    asked: bool
    leader: Choice | None
    ahead: float | None
    alone: bool = False
    changes: bool


class Sensitivity(DecisionPart):
    """Who would lead under other circumstances, by the figures alone; whether by more than noise is not said."""

    weights: list[FilterWeight] = Field(default_factory=list)
    recall: list[Alternative] = Field(default_factory=list)
    latency: list[Alternative] = Field(default_factory=list)
    sentences: list[str] = Field(default_factory=list)


def sensitivity(evidence: Evidence) -> Sensitivity:
    """Judged once, mixed often: a run of 100,000 cells takes seconds."""
    cells = evidence.cells
    if not cells.mixed:
        return Sensitivity()
    remix = Remix(evidence)
    met = np.array([candidate.met for candidate in evidence.candidates], dtype=np.bool_)
    weights = list(_weights(cells, remix, met)) if evidence.leader and len(cells.filters) > 1 else []
    recall = _alternatives(evidence, remix, [f"recall >= {floor:g}" for floor in _floors(evidence)])
    latency = _alternatives(evidence, remix, [f"latency.p99 < {text}ms" for text in _limits(evidence)])
    sentences = [_weights_sentence(evidence, weights), _told(evidence, recall), _told(evidence, latency)]
    return Sensitivity(
        weights=weights, recall=recall, latency=latency, sentences=[text for text in sentences if text]
    )


def _weights(cells: Cells, remix: Remix, met: Bools) -> Iterator[FilterWeight]:
    """Every filter, from none of the mix to nearly all of it, in steps of a hundredth."""
    for place, name in enumerate(remix.filters):
        present = float(remix.present[place])
        steps = np.arange(_MOST + 1) / _STEPS
        shares = np.sort(np.append(steps[np.abs(steps - present) > 1e-9], present))
        rest = np.delete(remix.present, place)
        others = rest / rest.sum() if rest.sum() > 0 else np.full(len(rest), 1 / len(rest))
        mixes = np.insert(np.outer(1 - shares, others), place, shares, axis=1)
        leaders = remix.leaders(mixes, met)
        now = int(np.searchsorted(shares, present))
        above = _flip(cells, shares[now:], leaders[now:])
        below = _flip(cells, shares[now::-1], leaders[now::-1])
        yield FilterWeight(
            filter=name,
            share=present,
            above=above,
            below=below,
            sentence=_weight_sentence(name, present, above, below),
        )


def _flip(cells: Cells, shares: Floats, leaders: Sequence[Leader | None]) -> Flip | None:
    """The first share, in this order, whose leader is another entry than the first one."""
    engines = [leader.setting.engine if leader else None for leader in leaders]
    place = next((n for n, engine in enumerate(engines) if engine != engines[0]), None)
    found = None if place is None else leaders[place]
    if place is None or found is None:
        return None
    return Flip(share=float(shares[place]), leader=_choice(cells, found))


def _weight_sentence(name: str, present: float, above: Flip | None, below: Flip | None) -> str:
    told = [f"from {percent(above.share)} on {above.leader.engine} leads"] if above else []
    if below:
        where = f"at {percent(below.share)} or less" if below.share else "without it"
        told.append(f"{where} {below.leader.engine} leads")
    what = listing(told) if told else f"the leader stays at any share up to {percent(HIGHEST_SHARE)}"
    return f"{name} ({percent(present)} of the mix): {what}"


def _weights_sentence(evidence: Evidence, rows: Sequence[FilterWeight]) -> str:
    if not rows or evidence.leader is None:
        return ""
    leader = evidence.leader.configuration.engine
    flips = [row for row in rows if row.above or row.below]
    if not flips:
        return f"{leader} leads whichever filter counts more, up to {percent(HIGHEST_SHARE)} of the mix."
    return f"Weights: {'; '.join(row.sentence for row in flips)}."


def _alternatives(evidence: Evidence, remix: Remix, texts: Sequence[str]) -> list[Alternative]:
    """Who leads where each of these takes the place of what the scenario asks of the same metric."""
    own = {requirement.text for requirement in evidence.asked}
    leader = evidence.leader.configuration.engine if evidence.leader else None
    rows = []
    for text in texts:
        requirement = _requirement(evidence.cells, text)
        eligible = _otherwise_met(evidence, requirement.metric) & evidence.judge.met(requirement)
        (found,) = remix.leaders(remix.present[None], eligible)
        rows.append(
            Alternative(
                requirement=text,
                asked=text in own,
                leader=_choice(evidence.cells, found) if found else None,
                ahead=found.ahead if found else None,
                alone=found is not None and found.alone,
                changes=(found.setting.engine if found else None) != leader,
            )
        )
    return rows


def _requirement(cells: Cells, text: str) -> Requirement:
    threshold = parse_threshold(text)
    return Requirement(threshold, metric_name(threshold, cells.k), "scenario")


def _otherwise_met(evidence: Evidence, metric: str) -> Bools:
    """Which candidates meet everything but what is asked of a metric."""
    return np.array(
        [
            candidate.score is not None and all(c.met for c in candidate.checks if c.metric != metric)
            for candidate in evidence.candidates
        ],
        dtype=np.bool_,
    )


def _floors(evidence: Evidence) -> list[float]:
    """The usual floors, and what the scenario asks for."""
    metric = f"recall_at_{evidence.cells.k}"
    asked = {
        one.threshold.limit
        for one in evidence.asked
        if one.metric == metric and one.threshold.relation == ">="
    }
    return sorted({*FLOORS, *asked})


def _limits(evidence: Evidence) -> list[str]:
    """Limits on P99 in ms: 1, 2, 5, 10, ... from the least that any setting reaches up to what the leader keeps."""
    requirement = _requirement(evidence.cells, "latency.p99 < 1ms")
    values = evidence.judge.highest_values(requirement)
    possible = values[_otherwise_met(evidence, requirement.metric) & (values > 0)]
    if not len(possible):
        return []
    leader = next(
        (n for n, c in enumerate(evidence.candidates)
         if evidence.leader and c.configuration == evidence.leader.configuration), None
    )  # fmt: skip
    of_leader = np.nan if leader is None else float(values[leader])
    highest = float(possible.max()) if np.isnan(of_leader) else of_leader
    lowest = float(possible.min())
    powers = range(int(np.floor(np.log10(lowest))), int(np.ceil(np.log10(highest))) + 1)
    series = [base * 10.0**power for power in powers for base in _EVENLY]
    enough = next((limit for limit in series if limit > highest), series[-1])
    limits = [limit for limit in series if lowest < limit <= enough]
    return [f"{limit:.6f}".rstrip("0").rstrip(".") for limit in limits[-_MOST_LIMITS:]]


def _told(evidence: Evidence, rows: Sequence[Alternative]) -> str:
    """`flat leads with recall >= 0.99 and recall >= 0.999.`: where another entry leads, or none."""
    changed = [row for row in rows if row.changes]
    if not rows or evidence.leader is None:
        return ""
    if not changed:
        texts = [row.requirement for row in rows]
        where = f"from {texts[0]} to {texts[-1]}" if len(texts) > 1 else f"with {texts[0]}"
        return f"{evidence.leader.configuration.engine} stays ahead {where}."
    by_leader: dict[str, list[str]] = {}
    for row in changed:
        what = f"{row.leader.engine} leads" if row.leader else "nobody is eligible"
        by_leader.setdefault(what, []).append(row.requirement)
    text = "; ".join(f"{what} with {listing(texts)}" for what, texts in by_leader.items())
    return f"{text.replace('nobody', 'Nobody') if text.startswith('nobody') else text}."


def _choice(cells: Cells, leader: Leader) -> Choice:
    return choice_of(cells.result, leader.setting, leader.score, leader.trials)
