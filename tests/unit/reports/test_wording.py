"""Numbers, settings and lists in words."""

import pytest

from harness.results.metrics import spec
from reports.wording import (
    factor,
    interval,
    listing,
    number,
    percent,
    quantity,
    settings,
    short_number,
    shortened,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (11_234, "11,200"),
        (184.4, "184"),
        (9.314, "9.31"),
        (0.02138, "0.0214"),
        (0.0, "0"),
        (50.0, "50"),
        (999.6, "1,000"),
        (-3.14159, "-3.14"),
        (1e-9, "0.000000"),
        (float("inf"), "∞"),
        (float("nan"), "-"),
        (None, "-"),
    ],
)
def test_numbers(value: float | None, text: str) -> None:
    assert number(value) == text


def test_wording() -> None:
    assert quantity("latency_p99_ms", 12.345) == "12.3 ms"
    assert quantity("recall_at_10", 1.0) == "1.000"
    assert quantity("violations", 1234.0) == "1,234"
    assert quantity("disk_bytes", 3 * 2**20) == "3 MiB"
    assert quantity("disk_bytes", None) == "-"
    assert spec("latency_p999_ms").label == "P99.9 latency"
    assert spec("something_new").label == "something new"
    assert short_number(0.950) == "0.95"
    assert short_number(1500) == "1,500"
    assert short_number(2_500_000) == "2.5M"
    assert short_number(1e300) == "1e+300"
    assert short_number(float("inf")) == "∞"
    assert factor(1.22) == "22 %"
    assert factor(2.345) == "2.35 times"
    assert [percent(share) for share in (0.5, 0.025, 0.0, 1.0, 0.999)] == [
        "50 %",
        "2.5 %",
        "0 %",
        "100 %",
        "99.9 %",
    ]
    assert settings({"M": 16, "on_disk": True}, {}, {"ef": 64}) == "M=16, on_disk=true; ef=64"
    assert [listing(parts) for parts in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert interval(1.2, 2.5, 0.97, " times") == "97 % interval 1.20 to 2.50 times"
    assert interval(0.000022, 1.18e6, 0.97) == "too few trials for an interval"
    assert interval(None, None, 0.97) == ""
    assert shortened("abcdef", 4) == "abc…"
