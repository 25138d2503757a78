"""The layers of both towers."""

from __future__ import annotations

import numpy as np

from models.encoding.weights import Residual
from models.features.features import Float32

_NORM_EPSILON, _UNIT_EPSILON = np.float32(1e-5), np.float32(1e-9)
_SLOPE, _CUBE = np.float32(np.sqrt(2 / np.pi)), np.float32(0.044715)
_HALF, _ONE = np.float32(0.5), np.float32(1)


def normalised(x: Float32) -> Float32:
    """float32[..., d] with mean 0 and variance 1 along the last axis."""
    size = np.float32(x.shape[-1])
    centred = np.subtract(x, np.add.reduce(x, axis=-1, keepdims=True) / size, dtype=np.float32)
    centred /= np.sqrt(_squares(centred) / size + _NORM_EPSILON)
    return centred


def gelu(x: Float32) -> Float32:
    """X times the normal distribution's share below x, approximated by tanh (Hendrycks and Gimpel 2016). In place."""
    inner = x * x
    inner *= _CUBE
    inner += _ONE
    inner *= x
    inner *= _SLOPE
    np.tanh(inner, out=inner)
    inner += _ONE
    inner *= _HALF
    x *= inner
    return x


def unit(x: Float32, parts: int = 1) -> Float32:
    """Length 1 along the last axis, and each of its parts as long as the others; zeros stay zeros. In place.

    x: contiguous.
    """
    own = x.reshape(*x.shape[:-1], parts, x.shape[-1] // parts)
    own /= np.sqrt((_squares(own) + _UNIT_EPSILON) * np.float32(parts))
    return x


def residual(x: Float32, layer: Residual) -> Float32:
    """float32[..., d]: x plus the hidden layer of x, each part for itself."""
    passed, width = np.empty(x.shape, np.float32), layer.inner.shape[1]
    for part, (inner, offset, outer) in enumerate(zip(layer.inner, layer.offset, layer.outer, strict=True)):
        own = x[..., part * width : (part + 1) * width]
        hidden = normalised(own) @ inner
        hidden += offset
        np.add(gelu(hidden) @ outer, own, out=passed[..., part * width : (part + 1) * width])
    return passed


def _squares(x: Float32) -> Float32:
    """The sum of squares along the last axis, which stays."""
    return np.asarray(np.vecdot(x, x))[..., None]
