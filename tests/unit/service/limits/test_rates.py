"""How often a name may ask."""

from __future__ import annotations

import pytest

from service.limits.rates import Rates, read_rates


def test_each_name_has_the_rate_to_itself() -> None:
    rates = Rates("3/day")
    assert [rates.take("shop") for _ in range(3)] == [0, 0, 0]
    after_s = rates.take("shop")
    assert 1 <= after_s <= 24 * 3600
    assert rates.take("feed") == 0


def test_every_rate_holds() -> None:
    rates = Rates("1000/day; 2/hour")
    assert [bool(rates.take("shop")) for _ in range(3)] == [False, False, True]


@pytest.mark.parametrize("text", ["", "often", "0/second", "-1/second", "5/fortnight"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be such as 100/second, or 100/second; 5000/hour, got"):
        read_rates(text)
