"""Which moments of an event are believed, by the caller's clock and the service's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Clocks:
    """ahead_s: how far the caller's may be ahead. days: how old an event may be, for some are sent late."""

    ahead_s: float
    days: float

    def problem(self, at_ms: int, now_ms: int) -> str:
        """What is wrong with the moment of an event that came now; "" if nothing. Both in ms since 1970."""
        ahead_s = (at_ms - now_ms) / 1000
        both = f"is {_told(at_ms)} by the caller's clock, and it is {_told(now_ms)} by the service's"
        if ahead_s > self.ahead_s:
            return (
                f"{both}: {ahead_s:,.0f} s ahead, where {self.ahead_s:,g} s are tolerated; set the caller's clock, or "
                "raise events.ahead_s"
            )
        if -ahead_s > self.days * _DAY_S:
            return (
                f"{both}: {-ahead_s / _DAY_S:,.0f} days ago, where {self.days:,g} are taken; send milliseconds since "
                "1970, or raise events.days"
            )
        return ""


def _told(ms: int) -> str:
    moment = datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000, tzinfo=None)
    return f"{moment.isoformat(timespec='milliseconds')}Z"
