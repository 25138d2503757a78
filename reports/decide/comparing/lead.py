"""The leader held against the others: entry by entry, and engine by engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.results.stats import Comparison
from reports.decide.cells import Floats
from reports.decide.comparing.ranking import Candidate
from reports.decide.comparing.resampling import win_share
from reports.decide.comparing.selection import Selection, compare, select


@dataclass(frozen=True, slots=True)
class Lead:
    """What the leader is held against: every other entry, or those of other adapters.

    own: the entries that it speaks for. rivals: the best setting of each other entry that is eligible, best first.
    margins: by engine entry, as a ratio above 1 in the leader's favour; None where a figure is 0.
    share: how often the leader, or an entry of its adapter, comes first when trials are drawn again.
    """

    own: frozenset[str]
    rivals: Sequence[Candidate]
    margins: Mapping[str, Comparison | None]
    share: float

    @property
    def runner_up(self) -> Candidate | None:
        return self.rivals[0] if self.rivals else None

    @property
    def margin(self) -> Comparison | None:
        """The leader against the runner-up."""
        return self.margins[self.runner_up.configuration.engine] if self.runner_up else None


@dataclass(frozen=True, slots=True)
class Field:
    """The best eligible setting of each entry, best first, how it was selected, and the entries' outcomes when trials
    are drawn again (none where that cannot be done).
    """

    ranking: Sequence[Candidate]
    selections: Mapping[str, Selection]
    outcomes: Mapping[str, Floats]
    maximise: bool

    def entry_lead(self) -> Lead | None:
        """The leader against every other entry; None without one."""
        if not self.ranking:
            return None
        leader = self.ranking[0].configuration.engine
        return self._lead(frozenset([leader]), self.selections[leader])

    def engine_lead(self, eligible: Sequence[Candidate], adapters: Mapping[str, str]) -> Lead | None:
        """The leader's adapter against the entries of others; None where no other was measured, or where it has no
        second entry, so that both are the same.

        Its entries are chosen among as settings of one engine are: on other trials than they are judged by. Without
        that the luckiest of many equal entries would beat another engine far too often. adapters: by entry.
        """
        if not self.ranking:
            return None
        adapter = self.ranking[0].configuration.adapter
        own = frozenset(engine for engine, used in adapters.items() if used == adapter)
        if len(own) in (1, len(adapters)):
            return None
        settings = [c.by_trial for c in eligible if c.configuration.engine in own]
        return self._lead(own, select(settings, maximise=self.maximise))

    def _lead(self, own: frozenset[str], leading: Selection) -> Lead:
        rivals = [c for c in self.ranking if c.configuration.engine not in own]
        margins = {
            name: compare(leading, self.selections[name], maximise=self.maximise)
            for name in (c.configuration.engine for c in rivals)
        }
        return Lead(own, rivals, margins, win_share(self.outcomes, own))
