"""What it takes to say what is wrong with a body does not grow with how much is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from engines.base import Field, Schema
from engines.meant import meant
from service.api.http import bodies, decoding
from service.api.http.problems import TOLD, ProblemError
from service.api.routes.filters import read_filter
from service.catalogue import schema as catalogue
from service.settings.model import LimitSettings

SCHEMA = Schema(2, "cosine", (Field("brand", "keyword"), Field("price", "float")))
UNKNOWN = {f"k{number}": 0 for number in range(1000)}


def decoded(document: dict[str, Any]) -> None:
    decoding.decode(bodies.to_json(document), bodies.Recommendations)


def read(document: dict[str, Any]) -> None:
    catalogue.CatalogueSchema(SCHEMA).read(document)


@pytest.mark.parametrize(("module", "reading"), [(decoding, decoded), (catalogue, read)])
def test_similar_names_are_looked_for_a_few_times(
    monkeypatch: pytest.MonkeyPatch, module: Any, reading: Callable[[dict[str, Any]], None]
) -> None:
    looked_for = []

    def counted(name: str, known: Iterable[str]) -> str:
        looked_for.append(name)
        return meant(name, known)

    monkeypatch.setattr(module, "meant", counted)
    with pytest.raises((ProblemError, catalogue.InvalidDocumentError)):
        reading(UNKNOWN)
    assert looked_for == list(UNKNOWN)[:TOLD]


def test_a_filter_that_is_too_much_is_not_looked_at_further() -> None:
    limits = LimitSettings(conditions=10, values=10)
    _, problems = read_filter({"or": [{"colour": number} for number in range(1000)]}, SCHEMA, limits)
    assert [str(one) for one in problems] == [
        "where: holds 1,000 comparisons, of which 10 are allowed; ask for less"
    ]
    _, problems = read_filter({"brand": list(range(1000))}, SCHEMA, limits)
    assert [str(one) for one in problems] == ["where: 'brand' has 1,000 values, of which 10 are allowed"]
