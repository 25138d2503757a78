"""Records of any source checked, encoded and written; what is wrong is kept as a dead letter."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import TypeVar

from service.catalogue.listing import Absent, Conflict, Outcome, Stale, Unchanged, Written
from service.catalogue.schema import Problem
from service.database.errors import StoreError
from service.ingestion.figures import Figures, Ingested
from service.ingestion.letters import DeadLetters, Letter, LettersError
from service.ingestion.record import Record
from service.writing.carrying import Wish, carry_out
from service.writing.destination import Destination

AT_ONCE = 1000  # records that are written together
log = logging.getLogger(__name__)
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Patience:
    """How a write that fails is tried again: after a pause that doubles, from the first to the longest.

    give_up_s: how long pauses may be together; then the failure is raised.
    """

    first_s: float = 0.1
    longest_s: float = 10.0
    give_up_s: float = math.inf


@dataclass(slots=True)
class Taken:
    """Of what was written: the last place in the outbox, and when each record was made, ms since 1970."""

    seq: int = 0
    made_ms: list[int] = field(default_factory=list)


class Pipeline:
    """stopping: once it is set, nothing is tried again."""

    def __init__(
        self,
        into: Destination,
        letters: DeadLetters,
        figures: Figures,
        stopping: Event,
        patience: Patience = Patience(),
    ) -> None:
        self._into, self._letters, self._patience = into, letters, patience
        self._stopping = stopping
        self.figures = figures

    def take(self, source: str, records: Sequence[Record]) -> Taken:
        """What became of records, in their order. Blocks.

        On return all of them are durable, in the catalogue or as dead letters. Raises StoreError and LettersError; some
        may be written then, and bringing all of them again is right.
        """
        wishes = [one.wish for one in records if isinstance(one.wish, Wish)]
        outcomes = iter(self._tried(lambda: carry_out(self._into, wishes)) if wishes else ())
        counted = self.figures.outcomes.copy()
        letters: list[Letter] = []
        taken = Taken()
        for record in records:
            outcome = next(outcomes) if isinstance(record.wish, Wish) else record.wish
            problems = _problems(record, outcome)
            counted["invalid" if problems else _COUNTED[type(outcome)]] += 1
            if problems:
                letters.append(Letter(source, record.place, record.received, problems))
            elif isinstance(outcome, Written):
                taken.seq = max(taken.seq, outcome.seq)
                if record.at_ms is not None:
                    taken.made_ms.append(record.at_ms)
        if letters:
            self._tried(lambda: self._letters.add(letters))
        self.figures.outcomes = counted
        self.figures.read += len(records)
        return taken

    def _tried(self, call: Callable[[], _Result]) -> _Result:
        """What the call returns, once it does."""
        pause_s, waited_s = self._patience.first_s, 0.0
        while True:
            try:
                result = call()
            except (StoreError, LettersError) as error:
                self.figures.retries += 1
                self.figures.error = str(error)
                log.warning("%s; trying again in %.1f s", error, pause_s)
                if waited_s >= self._patience.give_up_s or self._stopping.wait(pause_s):
                    raise
                waited_s += pause_s
                pause_s = min(2 * pause_s, self._patience.longest_s)
            else:
                self.figures.error = ""
                return result


_COUNTED: dict[type, Ingested] = {
    Written: "written",
    Unchanged: "unchanged",
    Stale: "stale",
    Absent: "absent",
}


def _problems(record: Record, outcome: Outcome | Sequence[Problem]) -> Sequence[Problem]:
    """What is wrong with a record; nothing where it was written, and where what it asks for is past already."""
    match outcome:
        case Written() | Unchanged() | Stale():
            return ()
        case Absent():
            patched = isinstance(record.wish, Wish) and record.wish.operation == "patch"
            return [Problem("id", "there is no such listing to patch; put it first")] if patched else ()
        case Conflict():
            return [Problem("id", "others wrote this listing all the time; bring the patch again")]
        case problems:
            return problems
