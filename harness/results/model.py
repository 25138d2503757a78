"""Which model made the vectors of a run's data, as results and messages name it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SHOWN_DIGITS = 12  # of a hash: enough to tell any two models of one shop apart


def label(name: str, version: str, digest: str) -> str:
    """A model in one word, `two-tower@3#0123456789ab`: name, version, and the beginning of its hash."""
    return f"{name}@{version}#{digest[:SHOWN_DIGITS]}"


def model_of(dataset: Mapping[str, Any]) -> dict[str, Any] | None:
    """The model that a result's facts about its data name, {name, version, hash}; None where they name none."""
    model = dataset.get("model")
    return dict(model) if isinstance(model, Mapping) else None


def named(model: Mapping[str, Any] | None) -> str:
    """That model in one word; `no named model` where there is none."""
    if model is None:
        return "no named model"
    return label(*(str(model.get(key, "?")) for key in ("name", "version", "hash")))
