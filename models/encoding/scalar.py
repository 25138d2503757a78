"""Vectors in one byte a coordinate: scalar quantisation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.features.features import Float32

LEVELS = 256

Codes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Scale:
    """What a code of each coordinate stands for: low + step * code. low, step: float32[d]; no step is 0."""

    low: Float32
    step: Float32

    @classmethod
    def of(cls, vectors: Float32) -> Scale:
        """From the least to the greatest value of each coordinate of float32[n, d], in 255 equal steps.

        A scale for each coordinate, because coordinates of turned vectors, and that of popularity, differ in width. It
        is kept once for all vectors, so a vector needs a byte a coordinate and no more. FAISS' `SQ8` is the same.
        """
        low, high = vectors.min(axis=0), vectors.max(axis=0)
        width = (high - low) / np.float32(LEVELS - 1)
        return cls(low, np.where(width > 0, width, np.float32(1)))

    def codes(self, vectors: Float32) -> Codes:
        """The nearest code of each coordinate of float32[n, d]. What lies beyond the scale gets its first or last."""
        places = np.rint((vectors - self.low) / self.step)
        return np.asarray(np.clip(places, 0, LEVELS - 1), np.uint8)

    def values(self, codes: Codes) -> Float32:
        """What uint8[n, d] stand for: float32[n, d], within half a step of vectors on the scale."""
        return np.asarray(self.low + self.step * codes, np.float32)


def rounded(vectors: Float32, scale: Scale | None = None) -> Float32:
    """The vectors as one byte a coordinate keeps them: float32[n, d]. scale: their own where it is None."""
    scale = Scale.of(vectors) if scale is None else scale
    return scale.values(scale.codes(vectors))
