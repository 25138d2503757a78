"""The tables of who wins with each filter, and of what would make another engine lead."""

from __future__ import annotations

from dataclasses import dataclass

from reports.decide.decision import Decision
from reports.decide.insights.by_filter import FilterWinner
from reports.decide.insights.sensitivity import HIGHEST_SHARE, Alternative, FilterWeight, Flip
from reports.wording import factor, listing, percent, quantity

WINNERS = ("Items that pass", "Wins", "With", "Ahead of the next", "Not told apart from")


_WEIGHTS = ("Filter", "Share of the mix", "Another one leads")
_REQUIREMENTS = ("Required", "Leads then", "Ahead of the next by")


@dataclass(frozen=True, slots=True)
class WinnerRow:
    """One filter. engine: who wins, empty where no one does. texts: as `WINNERS`."""

    filter: str
    engine: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One change. flips: whether another engine leads than now. texts: as the table's headings but the first."""

    change: str
    flips: bool
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChangeTable:
    """Changes of one kind. headings: of its columns."""

    title: str
    headings: tuple[str, str, str]
    rows: tuple[ChangeRow, ...]


def winner_rows(decision: Decision) -> list[WinnerRow]:
    """A row a filter, from the widest to the narrowest; none where no setting meets every requirement."""
    return [_winner(won, decision.objective.split()[1]) for won in decision.by_filter]


def change_tables(decision: Decision) -> list[ChangeTable]:
    """Other weights, other floors of recall, limits on P99; those of which there are any."""
    found = decision.sensitivity
    tables = [
        ChangeTable("Other weights of the filters", _WEIGHTS, tuple(map(_weight, found.weights))),
        ChangeTable("Another recall", _REQUIREMENTS, tuple(map(_alternative, found.recall))),
        ChangeTable("A limit on P99 latency", _REQUIREMENTS, tuple(map(_alternative, found.latency))),
    ]
    return [table for table in tables if table.rows]


def _winner(won: FilterWinner, metric: str) -> WinnerRow:
    passing = "?" if won.selectivity is None else percent(won.selectivity)
    ahead = won.margin.sentence if won.margin and won.runner_up else "no other one is eligible"
    return WinnerRow(
        won.filter,
        "" if won.tied else won.winner.engine,
        (
            passing,
            "no one surely" if won.tied else won.winner.engine,
            f"{quantity(metric, won.winner.score)}{f' ({won.winner.engine})' if won.tied else ''}",
            ahead,
            listing(won.tied) or "-",
        ),
    )


def _weight(row: FilterWeight) -> ChangeRow:
    flips = [text for text in (_flip("from", row.above), _flip("up to", row.below)) if text]
    return ChangeRow(
        row.filter,
        bool(flips),
        (percent(row.share), listing(flips) or f"at no share up to {percent(HIGHEST_SHARE)}"),
    )


def _flip(word: str, flip: Flip | None) -> str:
    return "" if flip is None else f"{flip.leader.engine} {word} {percent(flip.share)}"


def _alternative(row: Alternative) -> ChangeRow:
    return ChangeRow(
        f"{row.requirement}{' (as asked)' if row.asked else ''}",
        row.changes,
        (
            row.leader.engine if row.leader else "nobody is eligible",
            factor(row.ahead) if row.ahead is not None else "no other" if row.alone else "-",
        ),
    )
