"""How much longer a piece of work takes, by its pace so far, and times as people say them; pure."""

from __future__ import annotations

from dataclasses import dataclass

_SURE_S = 3.0  # the first moments of a piece of work tell little of its pace


@dataclass(slots=True)
class Pace:
    """One piece of work, from the first to the last time that it told how much of it is done."""

    total: float | None
    first: float
    began_s: float
    done: float
    at_s: float

    @classmethod
    def begin(cls, done: float, total: float | None, now_s: float) -> Pace:
        return cls(total, done, now_s, done, now_s)

    def followed_by(self, done: float, total: float | None, now_s: float) -> Pace:
        """The same work, further on; another one where its total differs, or less of it is done than before."""
        if total != self.total or done < self.done:
            return Pace.begin(done, total, now_s)
        self.done, self.at_s = done, now_s
        return self

    def left_s(self, now_s: float) -> float | None:
        """None where it cannot be known: without a total, and at the very beginning."""
        advanced, taken_s = self.done - self.first, self.at_s - self.began_s
        if not self.total or advanced <= 0 or taken_s < _SURE_S:
            return None
        return (self.total - self.done) * taken_s / advanced - (now_s - self.at_s)


def about(left_s: float | None) -> str:
    """`about 3 min left`, as roughly as it is known; empty where nothing is, or the time is over."""
    if left_s is None or left_s <= 0:
        return ""
    if left_s < 55:
        return f"about {max(10, round(left_s, -1)):.0f} s left"
    if left_s < 90 * 60:
        return f"about {max(1, left_s / 60):.0f} min left"
    return f"about {left_s / 3600:.1f} h left"


def clock(seconds: float) -> str:
    """`0:30`, `12:05`, `1:02:03`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
