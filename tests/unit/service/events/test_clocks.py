"""Events from the future or from long ago are refused, with both clocks named."""

from __future__ import annotations

import pytest

from service.events.clocks import Clocks

NOW_MS = 1_772_000_000_000  # 2026-02-25T06:13:20Z
DAY_MS = 86_400_000
CLOCKS = Clocks(300, 400)


@pytest.mark.parametrize("ago_ms", [0, -300_000, 1, 400 * DAY_MS])
def test_late_events_and_a_little_ahead_are_taken(ago_ms: int) -> None:
    assert CLOCKS.problem(NOW_MS - ago_ms, NOW_MS) == ""


@pytest.mark.parametrize(
    ("at_ms", "told"),
    [
        (
            NOW_MS + 300_001,
            ("2026-02-25T06:18:20.001Z", "300 s ahead", "300 s are tolerated", "events.ahead_s"),
        ),
        (253_402_300_799_999, ("9999-12-31T23:59:59.999Z", "s ahead")),
        (NOW_MS - 400 * DAY_MS - 1, ("2025-01-21T06:13:19.999Z", "400 days ago", "events.days")),
        (NOW_MS // 1000, ("1970-01-21T12:13:20.000Z", "send milliseconds since 1970")),
        (0, ("1970-01-01T00:00:00.000Z",)),
    ],
)
def test_others_are_refused_with_both_clocks(at_ms: int, told: tuple[str, ...]) -> None:
    problem = CLOCKS.problem(at_ms, NOW_MS)
    assert all(part in problem for part in (*told, "2026-02-25T06:13:20.000Z by the service's")), problem
