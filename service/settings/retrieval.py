"""What can be set of retrieval and of admission; the options that these become say what each key means."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.scenario.strict import Listed, PositiveFloat, PositiveInt, Seconds, StrictModel
from service.limits.adaptive import LimitOptions
from service.limits.breaker import BreakerOptions
from service.retrieval.options import RerankOptions, RetrievalOptions
from service.retrieval.values import Variant

Share = Annotated[float, Field(gt=0, le=1)]
Weight = Annotated[float, Field(ge=0)]
Most = Annotated[int, Field(gt=0)] | None


class RerankSettings(StrictModel):
    """`service.retrieval.options.RerankOptions`."""

    affinity: Weight = 0.8
    freshness: Weight = 0.1
    price_fit: Weight = 0.1
    price: str | None = None


class BreakerSettings(StrictModel):
    """`service.limits.breaker.BreakerOptions`."""

    window: PositiveInt = 20
    share: Share = 0.5
    failures: PositiveInt = 5
    pause_s: Seconds = 0.25
    longest_pause_s: Seconds = 2.0


class VariantSettings(StrictModel):
    """`service.retrieval.values.Variant`."""

    index: Literal["live"] = "live"
    model: Literal["live"] = "live"
    mode: Literal["approximate", "exact", "auto"] = "auto"
    reranker: Literal["weighted", "none"] = "weighted"


class RetrievalSettings(StrictModel):
    """`service.retrieval.options.RetrievalOptions`."""

    oversample: Annotated[float, Field(ge=1)] = 2.0
    most: PositiveInt = 2000
    exact_below: Annotated[int, Field(ge=0)] = 3000
    relax: Annotated[tuple[str, ...], Listed] = ()
    widen: PositiveFloat = 0.25
    a_seller: Most = None
    a_brand: Most = None
    popularity: str | None = None
    share: Share = 0.7
    late_s: Seconds = 0.1
    threads: PositiveInt = 4
    queue: PositiveInt = 256
    rerank: RerankSettings = RerankSettings()
    breaker: BreakerSettings = BreakerSettings()
    variants: dict[str, VariantSettings] = Field(default_factory=lambda: {"default": VariantSettings()})

    def options(self) -> RetrievalOptions:
        """As retrieval takes them."""
        values = {name: getattr(self, name) for name in RetrievalSettings.model_fields}
        return RetrievalOptions(
            **values
            | {
                "rerank": RerankOptions(**self.rerank.model_dump()),
                "breaker": BreakerOptions(**self.breaker.model_dump()),
                "variants": {name: Variant(**one.model_dump()) for name, one in self.variants.items()},
            }
        )


class AdmissionSettings(StrictModel):
    """`service.limits.adaptive.LimitOptions`: how many questions are worked on at once.

    most: None is twice the threads that ask engines. What is admitted beyond waits for one of them, in a queue that
    nobody watches.
    """

    target_s: Seconds = 0.1
    tolerated: Share = 0.1
    first: PositiveInt = 8
    least: PositiveInt = 1
    most: PositiveInt | None = None
    shrink: Share = 0.7
    queue: PositiveInt = 64
    patience_s: Seconds = 0.1

    def options(self, threads: int) -> LimitOptions:
        """As the limit takes them. threads: that ask engines."""
        return LimitOptions(**self.model_dump() | {"most": self.most or 2 * threads})
