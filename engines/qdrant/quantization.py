"""How many quantized candidates are compared again by their original vectors, where a scenario does not say."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# Times k. Rescoring k candidates only orders them: an item that is not among them stays lost. Binary and
# product lose much, and Qdrant's documentation reports binary with 4; scalar loses little. README.md has the recall.
_DEFAULTS: Mapping[str, float] = MappingProxyType({"none": 1.0, "scalar": 1.0, "binary": 4.0, "product": 4.0})


def oversampled(given: float | None, quantization: str) -> float:
    """The oversampling that holds: that of a scenario, else the default of the quantization."""
    return _DEFAULTS[quantization] if given is None else given
