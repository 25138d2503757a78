"""What the page's template fills in: plain values, every text computed from the result."""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness.results.metrics import spec
from reports.charts.style import EngineStyle
from reports.decide.cells import Cells
from reports.decide.conclusion.sentences import mix_text, no_rival, rate_text, resamples_alone_decide
from reports.decide.decision import Decision
from reports.decide.evidence import Evidence
from reports.decide.groups import flag_kind
from reports.decide.parts import Choice
from reports.wording import interval, number, percent, quantity, settings

_MOST_ERRORS = 20  # listed one by one; servers often put a different number into each
_HEADLINES = {
    "pick": "Pick",
    "pick engine": "Pick",
    "only candidate": "Only candidate:",
    "no decision": "No decision",
}
_SHAPES = {
    "o": '<circle cx="7" cy="7" r="5"/>',
    "s": '<rect x="2.5" y="2.5" width="9" height="9"/>',
    "^": '<path d="M7 1.5 12.5 12h-11z"/>',
    "v": '<path d="M7 12.5 12.5 2h-11z"/>',
    "D": '<path d="M7 .8 13.2 7 7 13.2.8 7z"/>',
    "P": '<path d="M5 1.5h4V5h3.5v4H9v3.5H5V9H1.5V5H5z"/>',
    "X": '<path d="M3.8 1.2 7 4.4l3.2-3.2 2.6 2.6L9.6 7l3.2 3.2-2.6 2.6L7 9.6l-3.2 3.2-2.6-2.6L4.4 7 1.2 3.8z"/>',
    "*": '<path d="M7 .8 8.7 5h4.5L9.6 7.9l1.3 4.6L7 9.8l-3.9 2.7 1.3-4.6L.8 5h4.5z"/>',
}


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure beside the decision and what it means."""

    value: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Headline:
    """The top of the page."""

    verdict: str
    text: str
    chips: tuple[str, ...]
    why: str
    facts: tuple[Fact, ...]


def marker(look: EngineStyle) -> str:
    """A small SVG of the engine's marker, as it stands in the charts. Trusted markup: nothing of the user's."""
    shape = _SHAPES[look.marker]
    return f'<svg class="marker" viewBox="0 0 14 14" aria-hidden="true" fill="{look.colour}">{shape}</svg>'


def headline(evidence: Evidence, decision: Decision) -> Headline:
    """The decision in a headline, its settings and three figures."""
    shown = decision.leader
    text = _HEADLINES[decision.verdict]
    if shown is not None and decision.pick is not None:
        engine = decision.picked_engine
        text = f"{text} {engine.sentence if engine else shown.engine}"
    elif shown is not None:
        text = f"{text}; {shown.engine} leads"
    chips = _chips(shown) if shown else ()
    # The headline and the settings are not repeated.
    why = decision.sentence.removeprefix("No decision: ").removeprefix("Only candidate: ")
    why = why.removeprefix(f"Pick {shown.title}. ").removeprefix(f"{text}. ") if shown else why
    why = why if shown else f"{why[0].upper()}{why[1:]}"
    return Headline(decision.verdict, text, chips, why, tuple(_facts(evidence, decision)) if shown else ())


def _chips(choice: Choice) -> tuple[str, ...]:
    return tuple(
        settings({key: value}) for group in (choice.index, choice.search) for key, value in group.items()
    )


def _facts(evidence: Evidence, decision: Decision) -> list[Fact]:
    shown, metric, cells = decision.leader, evidence.objective.metric, evidence.cells
    assert shown is not None
    who = "" if decision.pick else f"{shown.engine}, which leads: "
    what = f"{spec(metric).label}{rate_text(cells)}{mix_text(cells)}"
    facts = [
        Fact(quantity(metric, shown.score), f"{who}{what}, mean of {shown.trials} {_trials(shown.trials)}")
    ]
    lead = decision.picked_engine or decision
    if lead.margin and lead.runner_up:
        margin, what = lead.margin, f"the {evidence.objective.noun}"
        bounds = interval(margin.low, margin.high, margin.level)
        rival = "of the runner-up" if lead is decision else "of the best other engine"
        than = f"{what} {rival}, {lead.runner_up.engine}{f'; {bounds}' if bounds else ''}"
        times = number(margin.ratio)
        if "qps" in metric:
            facts.append(Fact(f"{times} ×", than))
        else:
            facts.append(Fact(f"{times} times lower", f"than {than}"))
    elif decision.verdict != "only candidate":
        facts.append(Fact("no rival", no_rival(evidence)))
    if lead.win_share is not None and decision.verdict != "only candidate":
        facts.append(Fact(percent(lead.win_share), _share_meaning(evidence, decision)))
    return facts


def _share_meaning(evidence: Evidence, decision: Decision) -> str:
    asked = f"{percent(decision.confidence)} are required"
    if decision.picked_engine:
        return f"of resampled trials won by {decision.picked_engine.adapter}, whatever its setting ({asked})"
    what = f"of resampled trials won ({asked})"
    if not decision.reasons or decision.leader is None:
        return what
    few = ""
    if resamples_alone_decide(evidence):
        trials = decision.leader.trials
        few = f": resamples only re-arrange the {trials} trials, and the interval pays for how few they are"
    return f"{what}, yet {decision.reasons[0]}{few}"


def _trials(count: int) -> str:
    return "trial" if count == 1 else "trials"


@dataclass(frozen=True, slots=True)
class Caution:
    """Cells to be read with care, or that failed."""

    what: str
    place: str


def cautions(cells: Cells) -> list[Caution]:
    """Flagged and failed cells, counted by engine and cause."""
    frame = cells.frame
    flags = frame.loc[frame["flags"].map(bool), ["engine", "flags"]].explode("flags")
    kinds = flags.groupby(["engine", flags["flags"].map(flag_kind)], sort=False).size()
    errors = frame[frame["error"].notna()].groupby(["engine", "task", "error"], sort=False).size()
    errors = errors.sort_values(ascending=False, kind="stable")
    found = [
        Caution(_flag(flag), f"{count} {_cells(count)} of {engine}")
        for engine, flag, count in kinds.reset_index(name="count").itertuples(index=False)
    ]
    often = errors.head(_MOST_ERRORS).reset_index(name="count")
    found += [
        Caution(error, f"{count} {_cells(count)} of {engine}, task {task}")
        for engine, task, error, count in often.itertuples(index=False)
    ]
    if len(errors) > _MOST_ERRORS:
        found.append(Caution("see cells.csv", f"{len(errors) - _MOST_ERRORS} more kinds of failures"))
    return found


def busy_machine(cells: Cells) -> str:
    """The warning at the top where other programs or machines took CPU time; empty where none did."""
    measured = cells.frame[cells.frame["error"].isna()]
    texts = []
    for flag, metric, who in (
        ("contention", "foreign_share", "other programs on this machine"),
        ("steal", "steal_share", "other machines on the same host"),
    ):
        flagged = measured[[any(flag_kind(text) == flag for text in own) for own in measured["flags"]]]
        if len(flagged):
            worst = flagged[metric].max() if metric in flagged else math.nan
            much = "" if math.isnan(worst) else f", up to {percent(worst)}"
            texts.append(f"in {len(flagged)} of {len(measured)} cells {who} took CPU time{much}")
    return "; ".join(texts)


def _cells(count: int) -> str:
    return "cell" if count == 1 else "cells"


def _flag(flag: str) -> str:
    texts = {
        "contention": "Other programs on this machine took over 5 % of its CPU time: times are too long",
        "steal": "Over 5 % of the CPU time went to other machines: times are too long",
        "client-bound": "Client-bound: the load generator may have been the limit, not the engine",
        "remembered": "Queries were asked again within the window, and the engine answers those much faster",
    }
    return texts.get(flag, f"Flagged: {flag}")
