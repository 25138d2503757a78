"""When an answer has to be there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment of a clock that never goes back, in its seconds; it is handed down to whatever is done for a request."""

    at_s: float

    @classmethod
    def after(cls, now_s: float, budget_s: float) -> Deadline:
        """The moment when a budget that begins now is used up."""
        return cls(now_s + budget_s)

    def left_s(self, now_s: float) -> float:
        """What is left, 0 once it has passed."""
        return max(0.0, self.at_s - now_s)

    def passed(self, now_s: float) -> bool:
        """Whether nothing is left."""
        return now_s >= self.at_s

    def part(self, now_s: float, share: float) -> Deadline:
        """An earlier one, at which `share` of what is left now is used up; what comes after has the rest."""
        return Deadline(now_s + share * self.left_s(now_s))
