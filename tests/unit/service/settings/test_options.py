"""Settings of retrieval and admission are those of the parts that they are for."""

from __future__ import annotations

from dataclasses import fields

import pytest

from service.limits.adaptive import LimitOptions
from service.limits.breaker import BreakerOptions
from service.retrieval.options import RerankOptions, RetrievalOptions
from service.retrieval.values import Variant
from service.settings.retrieval import (
    AdmissionSettings,
    BreakerSettings,
    RerankSettings,
    RetrievalSettings,
    VariantSettings,
)


@pytest.mark.parametrize(
    ("settings", "options"),
    [
        (RetrievalSettings, RetrievalOptions),
        (RerankSettings, RerankOptions),
        (BreakerSettings, BreakerOptions),
        (VariantSettings, Variant),
        (AdmissionSettings, LimitOptions),
    ],
)
def test_names_are_the_same(settings: type, options: type) -> None:
    assert list(settings.model_fields) == [field.name for field in fields(options)]  # type: ignore[attr-defined]


def test_defaults_are_the_same() -> None:
    assert RetrievalSettings().options() == RetrievalOptions()
    assert AdmissionSettings().options(4) == LimitOptions(most=8)
    assert AdmissionSettings(most=5).options(4).most == 5


def test_what_is_set_arrives() -> None:
    settings = RetrievalSettings.model_validate(
        {"a_brand": 2, "rerank": {"price": "cost"}, "variants": {"default": {}, "exact": {"mode": "exact"}}}
    )
    options = settings.options()
    assert (options.a_brand, options.rerank.price) == (2, "cost")
    assert options.variants["exact"] == Variant(mode="exact")
