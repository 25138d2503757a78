"""The layers, beside their definitions in float64."""

from __future__ import annotations

import math

import numpy as np
import pytest

from models.encoding.maths import gelu, normalised, residual, unit
from models.encoding.weights import Residual
from models.features.features import Float32

X = (np.random.default_rng(0).standard_normal((5, 16)) * 3 + 1).astype(np.float32)


def by_hand(x: Float32, layer: Residual) -> list[float]:
    """The residual layer of one row, number by number."""
    mean = sum(map(float, x)) / len(x)
    deviation = math.sqrt(sum((float(one) - mean) ** 2 for one in x) / len(x) + 1e-5)
    scaled = [(float(one) - mean) / deviation for one in x]
    hidden = []
    for column, offset in enumerate(layer.offset[0].tolist()):
        z = offset + sum(
            one * weight for one, weight in zip(scaled, layer.inner[0, :, column].tolist(), strict=True)
        )
        hidden.append(0.5 * z * (1 + math.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3))))
    return [
        float(x[place])
        + sum(one * weight for one, weight in zip(hidden, layer.outer[0, :, place].tolist(), strict=True))
        for place in range(len(x))
    ]


def test_a_residual_layer_is_what_its_definition_says() -> None:
    generator = np.random.default_rng(1)
    inner, offset, outer = (
        generator.standard_normal(shape).astype(np.float32) for shape in ((1, 16, 7), (1, 7), (1, 7, 16))
    )
    layer = Residual(inner, offset, outer)
    expected = np.array([by_hand(row, layer) for row in X])
    np.testing.assert_allclose(residual(X, layer), expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(residual(X[0], layer), expected[0], rtol=1e-4, atol=1e-4)
    assert not np.allclose(residual(X, Residual(inner, offset + 1, outer)), expected, rtol=1e-3)


def test_each_part_passes_through_a_layer_of_its_own() -> None:
    generator = np.random.default_rng(2)
    shapes = ((2, 8, 7), (2, 7), (2, 7, 8))
    layer = Residual(*(generator.standard_normal(shape).astype(np.float32) for shape in shapes))
    found = residual(X, layer)
    for part, own in enumerate((slice(0, 8), slice(8, 16))):
        alone = Residual(*(array[part : part + 1] for array in (layer.inner, layer.offset, layer.outer)))
        np.testing.assert_allclose(found[:, own], residual(X[:, own], alone), rtol=1e-5, atol=1e-5)
    lengths = np.linalg.norm(unit(found, 2).reshape(-1, 2, 8), axis=2)
    np.testing.assert_allclose(lengths, 2**-0.5, rtol=1e-5)


def test_normalised_rows_have_mean_0_and_variance_1() -> None:
    result = normalised(X)
    np.testing.assert_allclose(result.mean(axis=1), 0, atol=1e-6)
    np.testing.assert_allclose(result.var(axis=1), 1, rtol=1e-4)
    assert result.dtype == np.float32


@pytest.mark.parametrize("value", [0.0, 1e-30, 1e12])
def test_rows_of_one_value_are_zeros(value: float) -> None:
    assert not normalised(np.full((2, 16), value, np.float32)).any()


def test_gelu_is_0_far_below_0_and_the_same_far_above() -> None:
    np.testing.assert_allclose(
        gelu(np.array([-30, -1, 0, 1, 30], np.float32)), [0, -0.1588, 0, 0.8412, 30], atol=1e-4
    )


def test_units_have_length_1_and_zeros_stay_zeros() -> None:
    rows = np.concatenate([X, X * 1e4, np.zeros((1, 16), np.float32)])
    np.testing.assert_allclose(np.linalg.norm(unit(rows.copy()), axis=1), [1] * 10 + [0], atol=1e-6)
