"""The trace that a request belongs to."""

from __future__ import annotations

import re

import pytest

from service.telemetry.requests.asked import begun

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(("flags", "sampled"), [("01", True), ("00", False), ("03", True), ("02", False)])
def test_a_caller_s_trace_goes_on_and_the_caller_decides(flags: str, sampled: bool) -> None:
    for share in (0.0, 1.0):
        asked = begun(f"00-{TRACE}-{SPAN}-{flags}", share)
        assert (asked.trace_id, asked.parent_id, asked.sampled) == (TRACE, SPAN, sampled)


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    assert begun(f"01-{TRACE}-{SPAN}-01-more", 0.0).trace_id == TRACE


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01\n",
        "x" * 100_000,
    ],
)
def test_without_a_valid_header_a_trace_begins(header: str) -> None:
    first, second = begun(header, 1.0), begun(header, 0.0)
    assert re.fullmatch("[0-9a-f]{32}", first.trace_id)
    assert TRACE not in (first.trace_id, second.trace_id)
    assert first.trace_id != second.trace_id
    assert (first.parent_id, first.sampled, second.sampled) == (None, True, False)
