"""Who fits into what."""

from __future__ import annotations

import numpy as np
import pytest

from models.data.marketplace.figures import measured
from models.data.marketplace.sizes import NEVER, Sizes, sizes_of


@pytest.fixture(scope="module")
def sizes() -> Sizes:
    return sizes_of(measured().sizes)


def off(sizes: Sizes, build: tuple[int, int], kind: str, word: str) -> int:
    column = next(
        code for code in range(len(sizes.words)) if (sizes.kinds[code], sizes.words[code]) == (kind, word)
    )
    return int(sizes.steps[sizes.builds.index(build), column])


def test_a_letter_fits_the_numbers_it_spans_and_the_next_ones_with_slack(sizes: Sizes) -> None:
    steps = {number: off(sizes, (number, 38), "clothes", "M") for number in range(34, 52, 2)}
    assert {number for number, step in steps.items() if step == 0} == {38, 40}
    assert {number for number, step in steps.items() if step == 1} == {36, 42}
    assert all(step == NEVER for number, step in steps.items() if number not in (36, 38, 40, 42))


def test_clothes_go_in_steps_of_two_and_shoes_in_steps_of_one(sizes: Sizes) -> None:
    assert [off(sizes, (38, 40), "clothes", word) for word in ("38", "40", "42")] == [0, 1, NEVER]
    assert [off(sizes, (38, 40), "shoes", word) for word in ("40", "41", "42")] == [0, 1, NEVER]


def test_one_size_fits_everybody(sizes: Sizes) -> None:
    for kind in ("clothes", "none"):
        assert {off(sizes, build, kind, "one size") for build in sizes.builds} == {0}


def test_a_number_of_clothes_is_no_number_of_shoes(sizes: Sizes) -> None:
    assert off(sizes, (50, 38), "shoes", "38") == 0
    assert off(sizes, (50, 38), "clothes", "38") == NEVER


def test_users_are_built_as_listings_are_sized(sizes: Sizes) -> None:
    """Every size has as many who fit it without slack, compared with the others, as there are listings of it."""
    clothes = np.array([build[0] for build in sizes.builds])
    shares = measured().sizes["clothes"]
    lettered = sum(share for word, share in shares.items() if word != "one size")
    for numbers, words in (
        ((34,), ("XS", "34")),
        ((36,), ("S", "36")),
        ((38, 40), ("M", "38", "40")),
        ((50,), ("50",)),
    ):
        wanted = sizes.demand[np.isin(clothes, numbers)].sum()
        assert wanted == pytest.approx(sum(shares[word] for word in words) / lettered)


def test_what_fits_is_told_by_kind(sizes: Sizes) -> None:
    fitting = sizes.fitting(sizes.builds.index((40, 37)))
    assert fitting == {"clothes": ("M", "one size", "40"), "shoes": ("37",), "none": ("one size",)}
