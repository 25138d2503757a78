"""Where each engine wins: the best eligible setting with each filter alone, and by how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.results.stats import Comparison
from reports.decide.cells import Cells, Configuration, Floats
from reports.decide.comparing.ranking import Candidate
from reports.decide.comparing.selection import Selection, compare, select
from reports.decide.conclusion.sentences import ahead_text
from reports.decide.evidence import Evidence
from reports.decide.parts import Choice, DecisionPart, Margin, choice_of
from reports.wording import listing, quantity

_EVERYTHING = 0.9995  # a filter that lets more than this share through is none


class FilterWinner(DecisionPart):
    """The best eligible setting with one filter.

    selectivity: the mean share of the items that the filter lets through; None where it is not known. share: of the
    mix. winner: its score is the figure with this filter. runner_up, margin: the next entry. rival, rival_margin: the
    next of another adapter. tied: the entries that the winner is not told apart from, as the interval of its lead
    includes a tie, or as there was one trial. lacking: the best of those that miss nothing but a need, where it is
    ahead of the winner. No interval is widened for the number of filters.
    """

    filter: str
    selectivity: float | None
    share: float
    winner: Choice
    runner_up: Choice | None
    margin: Margin | None
    rival: Choice | None
    rival_margin: Margin | None
    tied: list[str]
    lacking: Choice | None = None
    sentence: str


@dataclass(frozen=True, slots=True)
class _Entry:
    """An engine entry at its best setting with one filter."""

    setting: Configuration
    selection: Selection

    @property
    def score(self) -> float:
        return self.selection.score


def winners_by_filter(evidence: Evidence) -> list[FilterWinner]:
    """One a filter, from the widest to the narrowest; none without an eligible setting."""
    cells = evidence.cells
    eligible = [candidate for candidate in evidence.candidates if candidate.met]
    lacking = [candidate for candidate in evidence.candidates if candidate.figures_met and not candidate.met]
    known = {
        entry["name"]: entry.get("selectivity_mean") for entry in cells.result.dataset.get("filters") or []
    }
    shares = dict(zip(cells.filters, cells.goal.shares(cells.filters).tolist(), strict=True))
    values: Floats = np.where(cells.failed, np.nan, cells.matrix(cells.goal.metric))
    found = []
    for name in sorted(cells.filters, key=lambda one: -(known.get(one) or 0.0)):
        entries = _entries(cells, values, eligible, name)
        if not entries:
            continue
        winner = _winner(cells, entries, name, known.get(name), shares[name])
        better = [
            other
            for other in _entries(cells, values, lacking, name)
            if cells.goal.oriented(other.score) > cells.goal.oriented(entries[0].score)
        ]
        found.append(winner.model_copy(update={"lacking": _choice(cells, better[0])}) if better else winner)
    return found


def _entries(cells: Cells, values: Floats, eligible: Sequence[Candidate], name: str) -> list[_Entry]:
    """The best setting of each entry with a filter, best first; chosen by other trials than it is judged by.

    values: the objective, [groups, trials].
    """
    settings: dict[str, list[tuple[Configuration, Mapping[int, float]]]] = {}
    for candidate in eligible:
        setting = candidate.configuration
        place = next(n for n in cells.objective_numbers(setting) if cells.groups[n].filter == name)
        by_trial = {
            trial: value
            for trial, value in zip(cells.trials, values[place].tolist(), strict=True)
            if not np.isnan(value)
        }
        settings.setdefault(setting.engine, []).append((setting, by_trial))
    found = []
    for own in settings.values():
        selection = select([by_trial for _, by_trial in own], maximise=cells.goal.maximise)
        found.append(_Entry(own[selection.chosen][0], selection))
    return sorted(found, key=lambda entry: cells.goal.oriented(entry.score), reverse=True)


def _winner(
    cells: Cells, entries: Sequence[_Entry], name: str, selectivity: float | None, share: float
) -> FilterWinner:
    first, *others = entries
    compared = [compare(first.selection, other.selection, maximise=cells.goal.maximise) for other in others]
    tied = [
        other.setting.engine
        for other, margin in zip(others, compared, strict=True)
        if margin is None or margin.low is None or margin.low <= 1
    ]
    rival = next(
        (n for n, other in enumerate(others) if other.setting.adapter != first.setting.adapter), None
    )
    return FilterWinner(
        filter=name,
        selectivity=selectivity,
        share=share,
        winner=_choice(cells, first),
        runner_up=_choice(cells, others[0]) if others else None,
        margin=_margin(cells, compared[0], others[0]) if others else None,
        rival=None if rival is None else _choice(cells, others[rival]),
        rival_margin=None if rival is None else _margin(cells, compared[rival], others[rival]),
        tied=tied,
        sentence=_sentence(cells, entries, compared, tied, name),
    )


def _choice(cells: Cells, entry: _Entry) -> Choice:
    return choice_of(cells.result, entry.setting, entry.score, len(entry.selection.by_trial))


def _margin(cells: Cells, ratio: Comparison | None, other: _Entry) -> Margin | None:
    if ratio is None:
        return None
    sentence = ahead_text(cells.goal, ratio, other.setting.engine)
    return Margin(ratio=ratio.change, low=ratio.low, high=ratio.high, level=ratio.level, sentence=sentence)


def _sentence(
    cells: Cells,
    entries: Sequence[_Entry],
    compared: Sequence[Comparison | None],
    tied: Sequence[str],
    name: str,
) -> str:
    first, figure = entries[0], quantity(cells.goal.metric, entries[0].score)
    if tied:
        close = [
            f"{entry.setting.engine} ({quantity(cells.goal.metric, entry.score)})"
            for entry in entries[1:]
            if entry.setting.engine in tied
        ]
        return f"With {name} {first.setting.engine} ({figure}) is not told apart from {listing(close)}."
    if not compared or compared[0] is None:
        return f"With {name} only {first.setting.engine} is eligible: {figure}."
    ahead = ahead_text(cells.goal, compared[0], entries[1].setting.engine)
    return f"With {name} {first.setting.engine} wins: {figure}, {ahead}."


def split_sentence(winners: Sequence[FilterWinner], *, weighed: bool) -> str:
    """`flat wins where filters are narrow (1pct and own), hnsw without a filter. ...`; empty with one filter, and
    where there is nobody to win against.

    weighed: whether the scenario says how often each filter is asked.
    """
    if len(winners) < 2 or not any(winner.runner_up or winner.lacking for winner in winners):
        return ""
    won: dict[str, list[FilterWinner]] = {}
    open_: dict[str, list[str]] = {}
    for winner in winners:
        if winner.tied:
            open_.setdefault(listing(sorted([winner.winner.engine, *winner.tied])), []).append(winner.filter)
        else:
            won.setdefault(winner.winner.engine, []).append(winner)
    parts = _places(won, narrowest=winners[-1].filter)
    if len(won) == 1 and not open_:
        return f"{winners[0].winner.engine} wins with every filter.{_lacking(winners)}"
    told = [", ".join(parts)] if parts else []
    told += [
        f"{engines} are not told apart with {'any filter' if len(names) == len(winners) else listing(names)}"
        for engines, names in open_.items()
    ]
    text = f"{'; '.join(told)}."
    if len(won) > 1 and not weighed:
        text += " An equal mix hides that: weigh the filters as they are asked (decision.weights)."
    return text + _lacking(winners)


def _lacking(winners: Sequence[FilterWinner]) -> str:
    """Who would be ahead where, were it not for a need."""
    ahead: dict[str, list[str]] = {}
    for winner in winners:
        if winner.lacking is not None:
            ahead.setdefault(winner.lacking.engine, []).append(winner.filter)
    parts = [
        f"{engine} with {'every filter' if len(names) == len(winners) else listing(names)}"
        for engine, names in ahead.items()
    ]
    return f" Without the needs, ahead would be {', '.join(parts)}." if parts else ""


def _places(won: Mapping[str, Sequence[FilterWinner]], narrowest: str) -> list[str]:
    """Who wins where, those with narrow filters first; as narrow and wide where a selectivity parts two winners."""
    spans = {
        engine: sorted(winner.selectivity for winner in own if winner.selectivity is not None)
        for engine, own in won.items()
    }
    ordered = sorted(
        won, key=lambda engine: (narrowest not in [w.filter for w in won[engine]], spans[engine][:1])
    )
    parted = (
        len(ordered) == 2
        and all(len(spans[engine]) == len(won[engine]) for engine in ordered)
        and spans[ordered[0]][-1] < spans[ordered[1]][0]
    )
    found = []
    for place, engine in enumerate(ordered):
        names = listing([winner.filter for winner in won[engine]])
        verb = " wins" if place == 0 else ""
        if parted and place == 0:
            found.append(f"{engine} wins where filters are narrow ({names})")
        elif parted and spans[engine][0] >= _EVERYTHING:
            found.append(f"{engine} without a filter" + ("" if names == "none" else f" ({names})"))
        elif parted:
            found.append(f"{engine} where they are wide ({names})")
        else:
            found.append(f"{engine}{verb} with {names}")
    return found
