"""What may be asked of the marketplace: limits, and errors that name key and value."""

from __future__ import annotations

import pytest

from harness.errors import ConfigurationError
from models.data.marketplace.options import MarketplaceOptions, read_options


def problems(data: dict[str, object]) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read_options(data, "train.yaml: marketplace")
    return caught.value.problems


def test_what_is_not_set_has_defaults() -> None:
    options = read_options({"listings": 500, "utility": {"taste": 3}}, "train.yaml")
    assert (options.listings, options.users, options.days) == (500, 8_000, 90)
    assert (options.utility.taste, options.utility.freshness) == (3, 1)


def test_every_problem_is_named_with_its_key_and_value() -> None:
    told = problems({"listings": 0, "users": "many", "utility": {"taste": -2}, "lisings": 5})
    assert len(told) == 4
    assert all(line.startswith("train.yaml: marketplace: ") for line in told)
    for key, value in (("listings", "0"), ("users", "'many'"), ("utility.taste", "-2")):
        assert [line for line in told if f" {key} " in line and line.endswith(f"got {value}")], (key, told)
    assert [line for line in told if "lisings is not a known key" in line]


@pytest.mark.parametrize(
    "bad",
    [
        {"listings": 5_000_001},
        {"interactions": 0},
        {"days": 0},
        {"days": True},
        {"seed": -1},
        {"purchases": 0.6},
        {"candidates": 1},
        {"latent": 65},
        {"correlation": 1.5},
        {"utility": {"freshness_days": 0}},
    ],
)
def test_limits_are_kept(bad: dict[str, object]) -> None:
    assert problems(bad)


def test_quantities_have_streams_of_their_own() -> None:
    first, again, other = (MarketplaceOptions(seed=seed).stream("price").random() for seed in (3, 3, 4))
    assert first == again != other
    assert MarketplaceOptions(seed=3).stream("size").random() != first
